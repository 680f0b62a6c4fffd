package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
)

// work makes work of a hook.
func (h hooking) work(ctx context.Context, m moment, hook helm.Hook) (*work, error) {
	resource, err := h.client.Resource(ctx, kube.RefOf(hook.Object.Unstructured))
	if err != nil {
		return nil, err
	}
	w, err := h.hookWork(bounded{h.entry.Name, h.entry.Allow, h.Allow}, m.namespace, hook, resource)
	if err == nil {
		annotate(w.object, runNote, m.run())
	}
	return w, err
}

func annotate(o *unstructured.Unstructured, key, value string) {
	notes := o.GetAnnotations()
	if notes == nil {
		notes = map[string]string{}
	}
	notes[key] = value
	o.SetAnnotations(notes)
}

func (s *session) hookWork(b bounded, namespace string, hook helm.Hook, resource kube.Resource) (*work, error) {
	canonical, err := manifest.Canonical(hook.Object)
	if err != nil {
		return nil, err
	}
	object := canonical.DeepCopy()
	switch {
	case !resource.Namespaced:
		object.SetNamespace("")
	case object.GetNamespace() == "":
		object.SetNamespace(namespace)
	}
	source := fmt.Sprintf("%s:%d", object.Source, object.Line)
	if err := b.object(source, kube.RefOf(object.Unstructured)); err != nil {
		return nil, err
	}
	return s.finish(b.name, source, object.Unstructured, resource)
}

// hookRecord returns what the inventory keeps of what a hook makes.
func (w *work) hookRecord() inventory.Object {
	return inventory.Object{Ref: w.ref, Resource: w.resource.Resource, Batch: int(w.batch), Keep: w.keep, Created: true}
}

// expectedHooks returns what the hooks of a layer will make, until its end.
// coming are the kinds whose definitions are in the same plan.
func (s *session) expectedHooks(ctx context.Context, l *layerWork, coming map[schema.GroupVersionKind]servedKind) ([]inventory.Object, error) {
	var all []inventory.Object
	var errs []error
	for _, r := range l.output.Releases {
		for _, hook := range r.Hooks {
			if !slices.ContainsFunc(hook.Events, func(e helm.Event) bool { return l.Test || e != helm.Test }) {
				continue
			}
			kind, ok := coming[hook.Object.GroupVersionKind()]
			var err error
			if !ok {
				kind.Resource, err = s.served(ctx, hook.Object)
			}
			if err == nil {
				var w *work
				if w, err = s.hookWork(s.bounded(l.Layer), r.Namespace, hook, kind.Resource); err == nil {
					all = append(all, w.hookRecord())
				}
			}
			errs = append(errs, err)
		}
	}
	return all, errors.Join(errs...)
}
