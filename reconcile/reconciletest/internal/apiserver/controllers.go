package apiserver

import (
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// controllers is the field manager of what Kubernetes itself writes.
const controllers = "kube-controller-manager"

// request returns a request of the controllers about an object.
func (w Writer) request(o *unstructured.Unstructured) (*request, error) {
	for _, k := range w.server.kinds {
		if k.GroupVersionKind == o.GroupVersionKind() {
			return &request{Request: &http.Request{Header: http.Header{"User-Agent": {controllers}}}, kind: k, name: nameOf(o)}, nil
		}
	}
	return nil, &meta.NoKindMatchError{GroupKind: o.GroupVersionKind().GroupKind(), SearchedVersions: []string{o.GroupVersionKind().Version}}
}

// SetStatus writes the status of an object, through the subresource if it has
// one, unless the object is gone.
func (w Writer) SetStatus(o *unstructured.Unstructured, status map[string]any) error {
	q, err := w.request(o)
	if err != nil {
		return err
	}
	if q.status {
		q.subresource = "status"
	}
	old := w.server.store.get(q.groupResource(), q.name)
	if old == nil {
		return nil
	}
	next := q.versioned(old).DeepCopy()
	next.Object["status"] = status
	if next, err = w.server.canonical(q, next); err == nil {
		_, err = w.server.change(q, old, next)
	}
	return err
}

// Delete deletes an object, unless it is gone.
func (w Writer) Delete(o *unstructured.Unstructured) error {
	q, err := w.request(o)
	if err != nil {
		return err
	}
	if old := w.server.store.get(q.groupResource(), q.name); old != nil {
		w.server.erase(q.groupResource(), old, metav1.DeletePropagationBackground)
	}
	return nil
}

// Get returns an object as it is now, or nil.
func (w Writer) Get(o *unstructured.Unstructured) *unstructured.Unstructured {
	q, err := w.request(o)
	if err != nil {
		return nil
	}
	return w.server.store.get(q.groupResource(), q.name)
}

// Custom reports whether an object is a custom resource.
func (w Writer) Custom(o *unstructured.Unstructured) bool {
	q, err := w.request(o)
	return err == nil && q.custom != nil
}

// All returns all objects.
func (w Writer) All() []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, r := range w.server.store.resources() {
		all = append(all, w.server.store.list(r, "")...)
	}
	return all
}
