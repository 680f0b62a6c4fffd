package apiserver

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var namespaceResource = schema.GroupResource{Resource: "namespaces"}

// admits says whether new objects may be made in the namespace of a request.
func (s *Server) admits(q *request) error {
	if !q.namespaced {
		return nil
	}
	ns := s.store.get(namespaceResource, namespaced("", q.name.Namespace))
	if ns == nil {
		return apierrors.NewNotFound(namespaceResource, q.name.Namespace)
	}
	if ns.GetDeletionTimestamp() == nil {
		return nil
	}
	err := apierrors.NewForbidden(q.groupResource(), q.name.Name, fmt.Errorf("unable to create new content in namespace %s because it is being terminated", q.name.Namespace))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{
		Type: "NamespaceTerminating", Message: fmt.Sprintf("namespace %s is being terminated", q.name.Namespace), Field: "metadata.namespace",
	})
	return err
}

// begin gives a new object what the server puts into it.
func (k *kind) begin(o object) {
	switch k.Kind {
	case "Namespace":
		if k.Group == "" {
			_ = unstructured.SetNestedStringSlice(o.Object, []string{"kubernetes"}, "spec", "finalizers")
			_ = unstructured.SetNestedField(o.Object, "Active", "status", "phase")
		}
	case "CustomResourceDefinition":
		k.beginDefinition(o)
	case "Service":
		if k.Group == "" {
			beginService(o)
		}
	}
}

// beginService gives a service an address of its cluster.
func beginService(o object) {
	kind, _, _ := unstructured.NestedString(o.Object, "spec", "type")
	ip, _, _ := unstructured.NestedString(o.Object, "spec", "clusterIP")
	if kind == "ExternalName" || ip != "" {
		return
	}
	ip = newAddress()
	_ = unstructured.SetNestedField(o.Object, ip, "spec", "clusterIP")
	_ = unstructured.SetNestedStringSlice(o.Object, []string{ip}, "spec", "clusterIPs")
}

// check says what is wrong with an object, of which old is the one before, or nil.
func (q *request) check(o, old object) error {
	at := field.NewPath("metadata")
	problems := validation.ValidateObjectMetaAccessor(o, q.namespaced, q.nameRule(), at)
	if old != nil {
		problems = append(problems, validation.ValidateObjectMetaAccessorUpdate(o, old, at)...)
		if o.GetDeletionTimestamp() != nil {
			problems = append(problems, validation.ValidateNoNewFinalizers(o.GetFinalizers(), old.GetFinalizers(), at.Child("finalizers"))...)
		}
	}
	if len(problems) > 0 {
		return apierrors.NewInvalid(q.GroupKind(), o.GetName(), problems)
	}
	return q.validate(o)
}

// nameRule says what names objects of the kind may have.
func (k *kind) nameRule() validation.ValidateNameFunc {
	switch k.groupResource() {
	case namespaceResource:
		return validation.NameIsDNSLabel
	case schema.GroupResource{Resource: "services"}:
		return validation.NameIsDNS1035Label
	}
	if k.Group == "rbac.authorization.k8s.io" {
		return func(name string, _ bool) []string { return content.IsPathSegmentName(name) }
	}
	return validation.NameIsDNSSubdomain
}

// finished reports whether nothing keeps an object that shall go.
func finished(o object) bool {
	if o.GroupVersionKind().GroupKind() == (schema.GroupKind{Kind: "Namespace"}) {
		left, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "finalizers")
		return len(left) == 0 && len(o.GetFinalizers()) == 0
	}
	return len(o.GetFinalizers()) == 0
}
