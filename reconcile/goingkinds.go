package reconcile

import (
	"fmt"
	"slices"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/render"
)

// going returns the names of the definitions that p deletes, as far as its layers
// are rendered.
func (s *session) going(p *Plan, live observed) []string {
	var names []string
	for _, entry := range p.before.Layers {
		for _, o := range entry.Objects {
			found := live[o.Key()]
			if isDefinition(o) && found != nil && p.unwanted(entry.Name, o) && s.keeps(o, found) == "" {
				names = append(names, o.Name)
			}
		}
	}
	return names
}

// unwanted reports whether a layer does not have an object any more.
func (p *Plan) unwanted(layer string, o inventory.Object) bool {
	i := slices.IndexFunc(p.layers, func(l *layerWork) bool { return l.Name == layer })
	if i < 0 {
		return true
	}
	out := p.layers[i].output
	if out == nil {
		return o.Dropped
	}
	return !slices.ContainsFunc(out.Objects, func(r render.Object) bool { return kube.RefOf(r.Unstructured).Key() == o.Key() })
}

// orphans returns a [*NoKindError] for each object that p wants and whose
// definition it deletes, and the object with it.
func (s *session) orphans(p *Plan, live observed) []error {
	wanted := p.keys()
	going := slices.DeleteFunc(s.going(p, live), func(name string) bool {
		return wanted[kube.Key{Group: definitionKind.Group, Kind: definitionKind.Kind, Name: name}] // another layer has it now
	})
	if len(going) == 0 {
		return nil
	}
	var errs []error
	check := func(layer, source string, ref kube.Ref, resource kube.Resource) {
		if name := resource.GroupResource().String(); slices.Contains(going, name) {
			errs = append(errs, &LayerError{layer, &NoKindError{ObjectRef(ref), source, fmt.Errorf(
				"%s: its definition %s is no longer in the stack and would be deleted, with all objects of the kind: leave the object out as well, or keep the definition (PrunePolicy)", ref, name)}})
		}
	}
	for _, l := range p.layers {
		for _, w := range l.objects {
			check(l.Name, w.source, w.ref, w.resource)
		}
		if was := p.before.Layer(l.Name); l.output == nil && was != nil {
			for _, o := range was.Wanted() {
				check(l.Name, "the inventory", o.Ref, o.Served())
			}
		}
	}
	return errs
}
