package apiserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
)

var scaleKind = schema.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"}

// serveScale serves the number of replicas of an object: reading it, and setting
// it by PUT or by a merge patch.
func (s *Server) serveScale(q *request) (any, error) {
	old, err := s.find(q)
	if err != nil {
		return nil, err
	}
	if _, ok, err := unstructured.NestedInt64(old.Object, q.replicasPath()...); q.custom != nil && (!ok || err != nil) {
		return nil, apierrors.NewInternalError(fmt.Errorf("the spec replicas field %q does not exist", "."+strings.Join(q.replicasPath(), ".")))
	}
	scale := q.scaleOf(old)
	switch media, _, _ := strings.Cut(q.Header.Get("Content-Type"), ";"); {
	case q.Method == http.MethodGet:
		return scale, nil
	case q.Method == http.MethodPut:
		scale.Spec = autoscalingv1.ScaleSpec{}
		err = s.readInto(q, scaleKind, scale)
	case q.Method == http.MethodPatch && (types.PatchType(media) == types.MergePatchType || types.PatchType(media) == types.StrategicMergePatchType):
		err = mergeInto(scale, q.body)
	case q.Method == http.MethodPatch:
		return nil, unsupported(media, "application/merge-patch+json", "application/strategic-merge-patch+json")
	default:
		return nil, apierrors.NewMethodNotSupported(q.groupResource(), q.Method)
	}
	if err != nil {
		return nil, badRequest(err)
	}
	o := q.versioned(old).DeepCopy()
	o.SetResourceVersion(scale.ResourceVersion)
	if err := unstructured.SetNestedField(o.Object, int64(scale.Spec.Replicas), q.replicasPath()...); err != nil {
		return nil, err
	}
	managed, err := s.ownReplicas(q, old, scale)
	if err != nil {
		return nil, err
	}
	o.SetManagedFields(managed)
	if o, err = s.update(q, old, o); err != nil {
		return nil, err
	}
	return q.scaleOf(o), nil
}

// ownReplicas returns the managed fields of an object that is scaled: what a
// manager owns of its scale is what it owns of the object.
func (s *Server) ownReplicas(q *request, old object, next *autoscalingv1.Scale) ([]metav1.ManagedFieldsEntry, error) {
	path := fieldpath.Path{}
	for _, name := range q.replicasPath() {
		path = append(path, fieldpath.PathElement{FieldName: &name})
	}
	handler := managedfields.NewScaleHandler(old.GetManagedFields(), q.GroupVersion(), managedfields.ResourcePathMappings{q.GroupVersion().String(): path})
	entries, err := handler.ToSubresource()
	if err != nil {
		return nil, err
	}
	before := q.scaleOf(old)
	before.ManagedFields, next.ManagedFields = entries, entries
	ownership, err := s.catalogue.scale().ownership("scale")
	if err != nil {
		return nil, err
	}
	after, err := ownership.Update(before, next, q.manager())
	if err != nil {
		return nil, err
	}
	scaled, err := meta.Accessor(after)
	if err != nil {
		return nil, err
	}
	return handler.ToParent(scaled.GetManagedFields())
}

// scale returns the kind of what is served as the number of replicas.
func (c *catalogue) scale() *kind {
	return &kind{GroupVersionKind: scaleKind, converter: c.models.converter}
}

func mergeInto(scale *autoscalingv1.Scale, patch []byte) error {
	before, err := json.Marshal(scale)
	if err != nil {
		return err
	}
	after, err := jsonpatch.MergePatch(before, patch)
	if err != nil {
		return err
	}
	*scale = autoscalingv1.Scale{}
	return json.Unmarshal(after, scale)
}

func (k *kind) replicasPath() []string {
	if k.custom != nil && k.custom.replicas != nil {
		return fieldPath(k.custom.replicas.SpecReplicasPath)
	}
	return []string{"spec", "replicas"}
}

func fieldPath(path string) []string { return strings.Split(strings.TrimPrefix(path, "."), ".") }

func (k *kind) scaleOf(o object) *autoscalingv1.Scale {
	scale := &autoscalingv1.Scale{
		TypeMeta:   metav1.TypeMeta{Kind: scaleKind.Kind, APIVersion: scaleKind.GroupVersion().String()},
		ObjectMeta: metav1.ObjectMeta{Name: o.GetName(), Namespace: o.GetNamespace(), UID: o.GetUID(), ResourceVersion: o.GetResourceVersion(), CreationTimestamp: o.GetCreationTimestamp()},
	}
	statusPath := []string{"status", "replicas"}
	if k.custom != nil && k.custom.replicas != nil {
		statusPath = fieldPath(k.custom.replicas.StatusReplicasPath)
		if p := k.custom.replicas.LabelSelectorPath; p != nil {
			scale.Status.Selector, _, _ = unstructured.NestedString(o.Object, fieldPath(*p)...)
		}
	} else if matching, ok, err := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels"); ok && err == nil {
		scale.Status.Selector = labels.SelectorFromSet(matching).String()
	}
	scale.Spec.Replicas, scale.Status.Replicas = number(o, k.replicasPath()), number(o, statusPath)
	return scale
}

func number(o object, path []string) int32 {
	n, _, _ := unstructured.NestedInt64(o.Object, path...)
	return int32(n) //nolint:gosec // the API has it as an int32
}
