package apiserver

import (
	"errors"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	utilrand "k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// create serves a POST.
func (s *Server) create(q *request) (object, error) {
	o, err := s.decode(q)
	if err != nil {
		return nil, err
	}
	if o.GetResourceVersion() != "" {
		return nil, errors.New("resourceVersion should not be set on objects to be created")
	}
	if o.GetName() == "" && o.GetGenerateName() != "" {
		o.SetName(o.GetGenerateName() + utilrand.String(5))
	}
	if o.GetName() == "" {
		return nil, apierrors.NewInvalid(q.GroupKind(), "", field.ErrorList{
			field.Required(field.NewPath("metadata", "name"), "name or generateName is required"),
		})
	}
	q.name.Name = o.GetName()
	if err := q.sameName(o); err != nil {
		return nil, err
	}
	if s.store.get(q.groupResource(), q.name) != nil {
		return nil, apierrors.NewAlreadyExists(q.groupResource(), q.name.Name)
	}
	ownership, err := q.ownership("")
	if err != nil {
		return nil, err
	}
	o, err = s.own(q, ownership, q.empty(), o)
	if err != nil {
		return nil, err
	}
	return s.insert(q, o)
}

// own writes into the managed fields of an object that the manager of the
// request owns what differs from the one before.
func (s *Server) own(q *request, ownership *managedfields.FieldManager, before, o object) (object, error) {
	if err := q.validate(o); err != nil {
		return nil, err
	}
	live, next, err := s.typed(q.kind, before), s.typed(q.kind, o), error(nil)
	if next, err = ownership.Update(live, next, q.manager()); err != nil {
		return nil, err
	}
	managed, err := meta.Accessor(next)
	if err == nil {
		o.SetManagedFields(managed.GetManagedFields())
	}
	return o, err
}

// typed returns an object in its Go type, if it has one: there it shows which
// empty fields count.
func (s *Server) typed(k *kind, o object) runtime.Object {
	typed, err := s.catalogue.scheme.New(k.GroupVersionKind)
	if k.custom != nil || err != nil || runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, typed) != nil {
		return o.DeepCopy()
	}
	typed.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind)
	return typed
}

func (k *kind) empty() object {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetGroupVersionKind(k.GroupVersionKind)
	return o
}

// sameName checks that an object is the one that the path names.
func (q *request) sameName(o object) error {
	if o.GetName() == "" {
		o.SetName(q.name.Name)
	}
	if o.GetName() != q.name.Name {
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", o.GetName(), q.name.Name))
	}
	if ns := o.GetNamespace(); ns != q.name.Namespace && ns != "" && q.namespaced {
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return nil
}

// insert stores an object that is new, and whose managed fields are made.
func (s *Server) insert(q *request, in runtime.Object) (object, error) {
	o, err := asObject(in)
	if err != nil {
		return nil, err
	}
	if err := s.admits(q); err != nil {
		return nil, err
	}
	for _, field := range []string{"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation", "resourceVersion"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	if q.status {
		unstructured.RemoveNestedField(o.Object, "status")
	}
	o.SetUID(uuid.NewUUID())
	o.SetCreationTimestamp(metav1.Now())
	if q.generation {
		o.SetGeneration(1)
	}
	o.SetNamespace(q.name.Namespace)
	q.begin(o)
	if o, err = s.canonical(q, o); err != nil {
		return nil, err
	}
	if err := q.check(o, nil); err != nil {
		return nil, err
	}
	if !q.dryRun() {
		s.store.put(q.groupResource(), o)
	}
	return o, nil
}

// replace serves a PUT.
func (s *Server) replace(q *request) (object, error) {
	o, err := s.decode(q)
	if err != nil {
		return nil, err
	}
	old, err := s.find(q)
	if err != nil {
		return nil, err
	}
	if err := q.sameName(o); err != nil {
		return nil, err
	}
	if q.custom != nil && o.GetResourceVersion() == "" {
		return nil, apierrors.NewInvalid(schema.GroupKind{Group: q.Group, Kind: q.resource}, q.name.Name, field.ErrorList{
			field.Invalid(field.NewPath("metadata", "resourceVersion"), 0, "must be specified for an update"),
		})
	}
	return s.change(q, old, o)
}

// change makes of the old object the new one that a manager, who is not
// applying, wants. The old one was read from the store.
func (s *Server) change(q *request, old, o object) (object, error) {
	ownership, err := q.ownership(q.subresource)
	if err != nil {
		return nil, err
	}
	if q.subresource == "status" {
		o = onlyStatus(old, o)
	}
	if o, err = s.own(q, ownership, q.versioned(old), o); err != nil {
		return nil, err
	}
	return s.update(q, old, o)
}

// onlyStatus returns the old object with the status of the new one.
func onlyStatus(old, o object) object {
	version, uid := o.GetResourceVersion(), o.GetUID()
	status, ok := o.Object["status"]
	o = old.DeepCopy()
	unstructured.RemoveNestedField(o.Object, "status")
	if ok {
		o.Object["status"] = runtime.DeepCopyJSONValue(status)
	}
	o.SetResourceVersion(version)
	o.SetUID(uid)
	return o
}

// update stores an object that takes the place of the old one, and whose
// managed fields are made.
func (s *Server) update(q *request, old object, in runtime.Object) (object, error) {
	o, err := asObject(in)
	if err != nil {
		return nil, err
	}
	if v := o.GetResourceVersion(); v != "" && v != old.GetResourceVersion() {
		return nil, apierrors.NewConflict(q.groupResource(), q.name.Name, errModified)
	}
	if uid := o.GetUID(); uid != "" && uid != old.GetUID() {
		return nil, apierrors.NewConflict(q.groupResource(), q.name.Name, fmt.Errorf("Precondition failed: UID in precondition: %v, UID in object meta: %v", uid, old.GetUID())) //nolint:staticcheck // the server's words
	}
	o.SetNamespace(old.GetNamespace())
	q.carryOver(old, o)
	if o, err = s.canonical(q, o); err != nil {
		return nil, err
	}
	if q.generation {
		o.SetGeneration(old.GetGeneration())
		if wanted(q.kind, old, o) {
			o.SetGeneration(old.GetGeneration() + 1)
		}
	}
	if err := q.check(o, old); err != nil {
		return nil, err
	}
	switch {
	case same(q.versioned(old), o):
		return old, nil
	case q.dryRun():
		return o, nil
	case o.GetDeletionTimestamp() != nil && finished(o):
		s.store.remove(q.groupResource(), o)
	default:
		s.store.put(q.groupResource(), o)
	}
	return o, nil
}

// carryOver puts into o what a client cannot change.
func (q *request) carryOver(old, o object) {
	for _, field := range []string{"uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion", "selfLink"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
		if v, ok, err := unstructured.NestedFieldCopy(old.Object, "metadata", field); ok && err == nil {
			_ = unstructured.SetNestedField(o.Object, v, "metadata", field) // metadata is a map
		}
	}
	if q.status && q.subresource == "" {
		unstructured.RemoveNestedField(o.Object, "status")
		if status, ok := old.Object["status"]; ok {
			o.Object["status"] = runtime.DeepCopyJSONValue(status)
		}
	}
}

// wanted reports whether something else than metadata and status differs.
func wanted(k *kind, old, o object) bool {
	spec := func(o object) map[string]any {
		content := map[string]any{}
		for name, v := range o.Object {
			if name != "metadata" && name != "apiVersion" && (name != "status" || !k.status) {
				content[name] = v
			}
		}
		return content
	}
	return !reflect.DeepEqual(spec(old), spec(o))
}

// same reports whether nothing differs, but the times at which managers wrote.
func same(old, o object) bool {
	if len(old.GetManagedFields()) != len(o.GetManagedFields()) {
		return false
	}
	strip := func(o object) map[string]any {
		o = o.DeepCopy()
		entries := o.GetManagedFields()
		for i := range entries {
			entries[i].Time = nil
		}
		o.SetManagedFields(entries)
		return o.Object
	}
	return reflect.DeepEqual(strip(old), strip(o))
}

func asObject(in runtime.Object) (object, error) {
	o, ok := in.(*unstructured.Unstructured)
	if !ok {
		return nil, fmt.Errorf("%T is no unstructured object", in)
	}
	return o, nil
}
