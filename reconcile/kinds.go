package reconcile

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/crd"
	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"

	"github.com/strata-go/strata/internal/manifest"
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
	for kind, r := range k {
		if r.GroupResource().String() == definition {
			some[kind] = r
		}
	}
	return some
}

// drop takes out those of some definitions.
func (k kinds) drop(definitions []string) {
	maps.DeleteFunc(k, func(_ schema.GroupVersionKind, r kube.Resource) bool {
		return slices.Contains(definitions, r.GroupResource().String())
	})
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
