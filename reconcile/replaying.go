package reconcile

import (
	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
)

// past returns what the impure functions of a layer's templates shall give
// again. Random values and certificates stay for ever, so that an upgrade keeps
// them. What was looked up stays until the layer itself changes: it is what the
// objects were made from, and must not change them by itself.
func (s *session) past(l *layerWork, was *inventory.Layer) helm.Past {
	var past helm.Past
	if was != nil {
		past.Values = was.Past.Values
		if was.Base == l.base {
			past.Lookups = was.Past.Lookups
		}
	}
	if a := s.approved[l.Name]; a != nil && a.output != nil && a.base == l.base {
		past.Add(a.output.Past) // the plan is carried out as it was approved
	}
	return past
}
