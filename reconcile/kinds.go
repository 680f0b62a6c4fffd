package reconcile

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/crd"
	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
)

// kinds are what a cluster serves. A definition is called by its name,
// "gadgets.example.com".
type kinds map[schema.GroupVersionKind]kube.Resource

// definedBy returns how a cluster serves the kinds of a definition.
func definedBy(d crd.Definition) kinds {
	k := kinds{}
	for _, kind := range d.Kinds() {
		k[kind] = kube.Resource{GroupVersionResource: kind.GroupVersion().WithResource(d.Plural), Namespaced: d.Namespaced}
	}
	return k
}

// of returns those of a definition.
func (k kinds) of(definition string) kinds {
	some := kinds{}
	resource := schema.ParseGroupResource(definition)
	for kind, r := range k {
		if r.GroupResource() == resource {
			some[kind] = r
		}
	}
	return some
}

// drop takes out those of some definitions.
func (k kinds) drop(definitions []string) {
	dropped := make(map[schema.GroupResource]bool, len(definitions))
	for _, name := range definitions {
		dropped[schema.ParseGroupResource(name)] = true
	}
	maps.DeleteFunc(k, func(_ schema.GroupVersionKind, r kube.Resource) bool { return dropped[r.GroupResource()] })
}

// becomes reports whether a definition becomes what d says, where the cluster
// serves k now: a policy may leave it to others.
func (k kinds) becomes(d crd.Definition, policy layer.CRDPolicy) bool {
	return policy == layer.CRDUpgrade || policy == layer.CRDCreate && len(k.of(d.Name)) == 0
}

// apiVersions returns k as templates see it.
func (k kinds) apiVersions() []string { return helm.APIVersions(maps.Keys(k)) }

// definitionsIn returns the definitions of what a layer is rendered to, or of nil.
func definitionsIn(out *render.Output) []crd.Definition {
	var all []crd.Definition
	if out == nil {
		return nil
	}
	for _, o := range out.Objects {
		if o.Batch() == manifest.Definitions {
			all = append(all, crd.Read(o.Unstructured))
		}
	}
	return all
}

// going returns the names of the definitions that p deletes or finds deleted, as
// far as its layers are rendered.
func (s *session) going(p *Plan, live observed) []string {
	var names []string
	for _, entry := range p.before.Layers {
		for _, o := range entry.Objects {
			if !isDefinition(o) || !p.unwanted(entry.Name, o) {
				continue
			}
			found := live[o.Key()]
			if found == nil && o.UID != "" || found != nil && s.keeps(o, found) == "" {
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
	going := s.going(p, live)
	if len(going) == 0 {
		return nil
	}
	wanted := p.keys()
	going = slices.DeleteFunc(going, func(name string) bool {
		return wanted[kube.Key{Group: definitionKind.Group, Kind: definitionKind.Kind, Name: name}] // another layer has it now
	})
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
