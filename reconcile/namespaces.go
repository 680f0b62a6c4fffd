package reconcile

import (
	"context"
	"errors"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
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

// applyNamespaces applies the namespaces that must be there before the first
// layer: those that nobody wrote down, and those that a layer has as objects and
// another one needs before.
func (s *session) applyNamespaces(ctx context.Context, p *Plan, inv *inventory.Inventory, result *Result) (bool, error) {
	done, err := s.applyAll(ctx, p.spaces, inv.Namespaces, result)
	if err = errors.Join(err, refusals(p.spaces)); err != nil || !done {
		return false, err
	}
	s.early = map[*work]bool{}
	for end := 0; end < len(p.layers); {
		from := end
		end += stageSize(p.layers[from:])
		for _, l := range p.layers[from:end] {
			early := l.neededBy(p.layers[:end])
			done, err := s.applyAll(ctx, early, inv.Layer(l.Name).Objects, result)
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			if err != nil || !done {
				return false, s.fail(inv.Layer(l.Name), err)
			}
			for _, w := range early {
				s.early[w] = true
			}
		}
	}
	return true, nil
}

// neededBy returns the namespaces among the objects of l that others of the
// layers are installed in, or have objects in.
func (l *layerWork) neededBy(layers []*layerWork) []*work {
	var needed []*work
	for _, w := range l.objects {
		if w.batch == manifest.Namespaces && slices.ContainsFunc(layers, func(other *layerWork) bool { return other != l && other.needs(w.ref.Name) }) {
			needed = append(needed, w)
		}
	}
	return needed
}

func (l *layerWork) needs(namespace string) bool {
	return slices.ContainsFunc(l.namespaces, func(ns inventory.Namespace) bool { return ns.Name == namespace }) ||
		slices.ContainsFunc(l.objects, func(w *work) bool { return w.ref.Namespace == namespace })
}
