package reconcile

import (
	"cmp"
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/crd"
	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/render"
)

// lookup finds objects for the templates of the layer as they will be when it has
// its turn: those on the target, and those of the layers below that are rendered
// in the same plan. What the plan deletes is still there then; what hooks will
// make is not foreseen.
func (o outlook) lookup(ctx context.Context, of helm.Lookup) (map[string]any, error) {
	found, err := o.session.lookup(ctx, of)
	if err != nil {
		return nil, err
	}
	coming, err := o.coming(ctx, of)
	if err == nil && len(coming) > 0 {
		if of.Name != "" {
			found, err = o.then(ctx, coming[0], found)
		} else {
			found, err = o.thenAll(ctx, of, coming, found)
		}
	}
	if err != nil {
		return nil, &LookupError{of.APIVersion, of.Kind, of.Namespace, of.Name, err}
	}
	return found, nil
}

// coming returns what the layers below apply of what is looked for, in the
// version that is asked for.
func (o outlook) coming(ctx context.Context, of helm.Lookup) ([]*work, error) {
	served, err := o.kinds(ctx, nil)
	if err != nil {
		return nil, err
	}
	kind := schema.FromAPIVersionAndKind(of.APIVersion, of.Kind)
	resource, ok := served[kind]
	if !ok {
		return nil, nil
	}
	var all []*work
	for _, l := range o.below {
		applied, err := o.applied(ctx, l, kind, resource)
		if err != nil {
			return nil, err
		}
		all = append(all, slices.DeleteFunc(applied, func(w *work) bool {
			everywhere := !resource.Namespaced || of.Namespace == "" && of.Name == ""
			return of.Name != "" && w.ref.Name != of.Name || !everywhere && w.ref.Namespace != of.Namespace
		})...)
	}
	return all, nil
}

// applied returns the objects of a kind that a layer applies if it is rendered,
// and the namespaces that it is installed in.
func (o outlook) applied(ctx context.Context, l *layerWork, kind schema.GroupVersionKind, resource kube.Resource) ([]*work, error) {
	if l.output == nil {
		return nil, nil // its objects are on the target as they should be
	}
	now, err := o.now(ctx)
	if err != nil {
		return nil, err
	}
	left := func(object render.Object) bool {
		return object.Batch() == manifest.Definitions && !now.becomes(crd.Read(object.Unstructured), o.definitionPolicy(l.Layer))
	}
	var all []*work
	for _, object := range l.output.Objects {
		if object.GroupVersionKind() != kind || left(object) {
			continue
		}
		w, err := o.newWork(l.Layer, object, resource)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	if kind.GroupKind() != namespaceKind {
		return all, nil
	}
	for i := range l.namespaces {
		w, err := o.newNamespace(&l.namespaces[i])
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// then returns what becomes of an object, which is empty if it is not there, by
// applying w. The server is asked; where it refuses, which the plan says in its
// own time, the one is laid over the other. What is not there yet is as it is
// applied, without what the server adds.
func (o outlook) then(ctx context.Context, w *work, found map[string]any) (map[string]any, error) {
	if len(found) == 0 {
		return w.object.Object, nil
	}
	if w.implicit() || o.asApplied(w) {
		return found, nil
	}
	now := &unstructured.Unstructured{Object: found}
	then, _, err := o.attempt(ctx, w, now, w.ignore)
	switch {
	case err == nil:
		return withoutManagers(then), nil
	case ctx.Err() != nil || retryable(err):
		return nil, err
	}
	return overlay(now, w.object).Object, nil
}

// asApplied reports whether an object is on the target as w would apply it.
func (o outlook) asApplied(w *work) bool {
	entry := o.plan.before.Layer(w.layer)
	if entry == nil {
		return false
	}
	known := entry.Object(w.ref.Key())
	return known != nil && known.Applied == w.digest && drift(*known, o.live[w.ref.Key()], time.Now()) == ""
}

// thenAll returns what becomes of a list of objects, which is empty if the kind is
// not there, in the order in which API servers list.
func (o outlook) thenAll(ctx context.Context, of helm.Lookup, coming []*work, found map[string]any) (map[string]any, error) {
	items, _ := found["items"].([]any)
	for _, w := range coming {
		i := slices.IndexFunc(items, func(item any) bool { return listedAt(item) == w.ref.Namespace+"/"+w.ref.Name })
		if i < 0 {
			i, items = len(items), append(items, nil)
		}
		now, _ := items[i].(map[string]any)
		then, err := o.then(ctx, w, now)
		if err != nil {
			return nil, err
		}
		items[i] = then
	}
	slices.SortStableFunc(items, func(a, b any) int { return cmp.Compare(listedAt(a), listedAt(b)) })
	return map[string]any{"apiVersion": of.APIVersion, "kind": of.Kind + "List", "items": items}, nil
}

// listedAt returns the namespace and name of an item of a list.
func listedAt(item any) string {
	object, _ := item.(map[string]any)
	o := unstructured.Unstructured{Object: object}
	return o.GetNamespace() + "/" + o.GetName()
}
