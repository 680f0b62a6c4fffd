package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/render"
)

// past returns what the impure functions of a layer's templates shall give
// again. Random values and certificates stay for ever, so that an upgrade keeps
// them. What was looked up stays until the layer itself changes: it is what the
// objects were made from, and must not change them by itself. But while the layer
// waits for its turn it is looked up anew, as layers below may bring it about.
func (s *session) past(l *layerWork, was *inventory.Layer) helm.Past {
	var past helm.Past
	if was != nil {
		past.Values = was.Past.Values
		if was.Base == l.base && was.Turn == was.Base {
			past.Lookups = was.Past.Lookups
		}
	}
	past.Add(l.recalled)
	if a := s.approved[l.Name]; a != nil && a.output != nil && a.base == l.base {
		past.Add(a.output.Past) // the plan is carried out as it was approved
	}
	return past
}

// looksAnew reports whether what the templates have looked up may be otherwise now:
// the layer has not had its turn.
func (o outlook) looksAnew(out *render.Output) bool {
	return len(out.Past.Lookups) > 0 && o.was != nil && o.was.Turn != o.layer.base
}

// A LookupError says that a template looks for objects that cannot be read. It
// is terminal if reading them is forbidden.
type LookupError struct {
	APIVersion, Kind string
	Namespace, Name  string // empty for all
	Err              error
}

func (e *LookupError) Error() string {
	what := strings.Trim(e.Namespace+"/"+e.Name, "/")
	text := fmt.Sprintf("lookup of %s %s %s: %v", e.APIVersion, e.Kind, cmp.Or(what, "(all)"), e.Err)
	if apierrors.IsForbidden(e.Err) {
		text += "; allow the installation to read it, or set a value of the chart by which it does not look it up"
	}
	return text
}

// Unwrap returns the cause.
func (e *LookupError) Unwrap() error { return e.Err }

// lookup finds objects on the target for templates. Of kinds that the cluster
// does not have there are none.
func (s *session) lookup(ctx context.Context, of helm.Lookup) (map[string]any, error) {
	found, err := s.find(ctx, of)
	if _, ok := errors.AsType[*kube.NoKindError](err); ok || apierrors.IsNotFound(err) {
		return map[string]any{}, nil
	}
	if err != nil {
		return nil, &LookupError{of.APIVersion, of.Kind, of.Namespace, of.Name, err}
	}
	return found, nil
}

func (s *session) find(ctx context.Context, of helm.Lookup) (map[string]any, error) {
	gv, err := schema.ParseGroupVersion(of.APIVersion)
	if err != nil {
		return nil, err
	}
	ref := kube.Ref{Group: gv.Group, Version: gv.Version, Kind: of.Kind, Namespace: of.Namespace, Name: of.Name}
	resource, err := s.client.Resource(ctx, ref)
	if err != nil {
		return nil, err
	}
	if of.Name != "" {
		o, err := s.client.Get(ctx, resource, ref)
		if err != nil {
			return nil, err
		}
		return withoutManagers(o), nil
	}
	list, _, err := s.client.List(ctx, resource, of.Namespace, "")
	if err != nil {
		return nil, err
	}
	items := make([]any, len(list))
	for i := range list {
		items[i] = withoutManagers(&list[i])
	}
	return map[string]any{"apiVersion": of.APIVersion, "kind": of.Kind + "List", "items": items}, nil
}

// withoutManagers returns an object without what is large and no template reads.
func withoutManagers(o *unstructured.Unstructured) map[string]any {
	o.SetManagedFields(nil)
	return o.Object
}
