package kube

import (
	"bytes"
	"slices"

	"github.com/opencontainers/go-digest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OwnFields returns the digest of what the API server says that we own of an
// object: our entry in its managed fields. Whoever changes or removes a field
// that we applied takes it out of the entry, so a digest that is not the one
// that the last apply left says that the object has drifted. Fields that the
// JSON pointers in ignore name do not count. It is empty if we own nothing.
func OwnFields(managed []metav1.ManagedFieldsEntry, ignore []string) digest.Digest {
	i := slices.IndexFunc(managed, own)
	if i < 0 {
		return ""
	}
	fields := managed[i].FieldsV1.GetRawBytes()
	if len(ignore) > 0 {
		fields = without(fields, ignore)
	}
	return digest.FromBytes(bytes.Join([][]byte{[]byte(managed[i].APIVersion), fields}, []byte{0}))
}

func own(e metav1.ManagedFieldsEntry) bool {
	return e.Manager == Manager && e.Operation == metav1.ManagedFieldsOperationApply && e.Subresource == "" && e.FieldsV1 != nil
}

// Managers returns the managers of an object's fields, each once.
func Managers(managed []metav1.ManagedFieldsEntry) []string {
	var names []string
	for _, e := range managed {
		if !slices.Contains(names, e.Manager) {
			names = append(names, e.Manager)
		}
	}
	return names
}

// Declares reports whether a manager holds fields of the object on purpose: it
// applies them, or writes through a subresource as an autoscaler does. Who only
// ever updated the object, as an editor does, changed it.
func Declares(managed []metav1.ManagedFieldsEntry, manager string) bool {
	return slices.ContainsFunc(managed, func(e metav1.ManagedFieldsEntry) bool {
		return e.Manager == manager && (e.Operation == metav1.ManagedFieldsOperationApply || e.Subresource != "" && e.Subresource != "status")
	})
}
