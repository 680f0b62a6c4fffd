package reconcile

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
)

// definitions returns how the cluster will serve the kinds that the
// definitions among objects bring.
func definitions(objects []manifest.Object) map[schema.GroupVersionKind]kube.Resource {
	kinds := map[schema.GroupVersionKind]kube.Resource{}
	for _, o := range objects {
		if o.Batch() != manifest.Definitions {
			continue
		}
		text := func(path ...string) string {
			s, _, _ := unstructured.NestedString(o.Object, path...)
			return s
		}
		group, kind := text("spec", "group"), text("spec", "names", "kind")
		versions, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions")
		for _, v := range versions {
			v, ok := v.(map[string]any)
			if !ok || v["served"] != true {
				continue
			}
			name, _ := v["name"].(string)
			gv := schema.GroupVersion{Group: group, Version: name}
			kinds[gv.WithKind(kind)] = kube.Resource{
				GroupVersionResource: gv.WithResource(text("spec", "names", "plural")),
				Namespaced:           text("spec", "scope") == "Namespaced",
			}
		}
	}
	return kinds
}

// prepareObject makes work of an object of a layer. coming are the kinds whose
// definitions are in the same plan.
func (s *session) prepareObject(ctx context.Context, l layer.Layer, o render.Object, coming map[schema.GroupVersionKind]kube.Resource) (*work, error) {
	resource, ok := coming[o.GroupVersionKind()]
	if !ok {
		var err error
		resource, err = s.client.Resource(ctx, kube.RefOf(o.Unstructured))
		if missing, ok := errors.AsType[*kube.NoKindError](err); ok {
			return nil, &NoKindError{ObjectRef(missing.Ref), fmt.Sprintf("%s:%d", o.Source, o.Line), err}
		}
		if err != nil {
			return nil, err
		}
	}
	w, err := s.newWork(l, o, resource)
	if err == nil {
		w.coming = ok
	}
	return w, err
}
