package apiserver

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// ownership returns what keeps the managed fields of a kind, for the object as a
// whole or for a subresource, and merges what is applied.
func (k *kind) ownership(subresource string) (*managedfields.FieldManager, error) {
	if m, ok := k.managers[subresource]; ok {
		return m, nil
	}
	make := managedfields.NewDefaultFieldManager
	if k.custom != nil {
		make = managedfields.NewDefaultCRDFieldManager
	}
	u := untyped{k}
	m, err := make(k.converter, u, u, u, k.GroupVersionKind, k.GroupVersion(), subresource, k.resets(subresource))
	if err != nil {
		return nil, err
	}
	if k.managers == nil {
		k.managers = map[string]*managedfields.FieldManager{}
	}
	k.managers[subresource] = m
	return m, nil
}

// resets are the fields that a write does not own, as it cannot set them: the
// status on the way of the object, and the rest on that of the status.
func (k *kind) resets(subresource string) map[fieldpath.APIVersion]fieldpath.Filter {
	if !k.status {
		return nil
	}
	fields := fieldpath.NewSet(fieldpath.MakePathOrDie("status"))
	if subresource == "status" {
		fields = fieldpath.NewSet(fieldpath.MakePathOrDie("spec"))
	}
	return fieldpath.NewExcludeFilterSetMap(map[fieldpath.APIVersion]*fieldpath.Set{fieldpath.APIVersion(k.GroupVersion().String()): fields})
}

// untyped makes and converts objects without Go types. What is built in is
// served in one version; the versions of a custom resource differ in their name.
type untyped struct{ *kind }

var (
	_ runtime.ObjectConvertor = untyped{}
	_ runtime.ObjectDefaulter = untyped{}
	_ runtime.ObjectCreater   = untyped{}
)

func (untyped) New(gvk schema.GroupVersionKind) (runtime.Object, error) {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetGroupVersionKind(gvk)
	return o, nil
}

func (untyped) Default(runtime.Object) {}

func (u untyped) ConvertToVersion(in runtime.Object, to runtime.GroupVersioner) (runtime.Object, error) {
	from := in.GetObjectKind().GroupVersionKind()
	gvk, ok := to.KindForGroupVersionKinds([]schema.GroupVersionKind{from, u.GroupVersionKind})
	if gv, is := to.(schema.GroupVersion); is && u.custom != nil {
		gvk, ok = gv.WithKind(from.Kind), true
	}
	if !ok {
		return nil, runtime.NewNotRegisteredGVKErrForTarget(u.Kind, from, to)
	}
	if gvk == from {
		return in, nil
	}
	out := in.DeepCopyObject()
	out.GetObjectKind().SetGroupVersionKind(gvk)
	return out, nil
}

func (untyped) Convert(_, _, _ any) error {
	return runtime.NewNotRegisteredErrForKind("", schema.GroupVersionKind{})
}

func (untyped) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}
