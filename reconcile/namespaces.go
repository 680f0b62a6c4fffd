package reconcile

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

var namespaceResource = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}}

func namespaceRef(name string) kube.Ref {
	return kube.Ref{Version: "v1", Kind: "Namespace", Name: name}
}

// implicit reports whether w is a namespace that nobody wrote down, but that
// layers are installed in.
func (w *work) implicit() bool { return w.wants != nil }

// prepareNamespaces makes work of the namespaces that layers are installed in,
// with the labels that all of them want there. One that a layer has as an
// object of its own is that layer's.
func (s *session) prepareNamespaces(p *Plan) error {
	explicit := map[kube.Key]bool{}
	wanted := map[string]*inventory.Namespace{}
	look := map[string]bool{} // there may be something to do for them
	for _, o := range p.before.Namespaces {
		look[o.Name] = true
	}
	for _, l := range p.layers {
		for _, w := range l.objects {
			explicit[w.ref.Key()] = true
		}
		if was := p.before.Layer(l.Name); l.output == nil && was != nil {
			for _, o := range was.Wanted() {
				explicit[o.Key()] = true
			}
		}
		for _, ns := range l.namespaces {
			if wanted[ns.Name] == nil {
				wanted[ns.Name] = &inventory.Namespace{Name: ns.Name, Labels: map[string]string{}, Annotations: map[string]string{}}
			}
			maps.Copy(wanted[ns.Name].Labels, ns.Labels)
			maps.Copy(wanted[ns.Name].Annotations, ns.Annotations)
			look[ns.Name] = look[ns.Name] || l.output != nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if explicit[namespaceRef(name).Key()] || !look[name] {
			continue
		}
		w, err := s.newNamespace(wanted[name])
		if err != nil {
			return err
		}
		p.spaces = append(p.spaces, w)
	}
	return nil
}

func (s *session) newNamespace(ns *inventory.Namespace) (*work, error) {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"})
	o.SetName(ns.Name)
	if len(ns.Annotations) > 0 {
		o.SetAnnotations(ns.Annotations)
	}
	o.SetLabels(maps.Clone(ns.Labels))
	w, err := s.finish("", "namespace of a layer", o, namespaceResource)
	if err != nil {
		return nil, err
	}
	w.wants = ns
	return w, nil
}
