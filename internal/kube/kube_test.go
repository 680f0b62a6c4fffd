package kube

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func managed(manager string, operation metav1.ManagedFieldsOperationType, subresource, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, Subresource: subresource, APIVersion: "v1", FieldsV1: metav1.NewFieldsV1(fields)}
}

func TestOwnFields(t *testing.T) {
	t.Parallel()
	ours := managed(Manager, metav1.ManagedFieldsOperationApply, "", `{"f:a":{}}`)
	others := managed("other", metav1.ManagedFieldsOperationApply, "", `{"f:b":{}}`)
	alone := OwnFields([]metav1.ManagedFieldsEntry{ours}, nil)
	if alone == "" || alone != OwnFields([]metav1.ManagedFieldsEntry{others, ours}, nil) {
		t.Error("what others own changes the digest of what we own")
	}
	for name, entries := range map[string][]metav1.ManagedFieldsEntry{
		"nobody's":        nil,
		"others'":         {others},
		"not by applying": {managed(Manager, metav1.ManagedFieldsOperationUpdate, "", `{"f:a":{}}`)},
		"a subresource":   {managed(Manager, metav1.ManagedFieldsOperationApply, "status", `{"f:a":{}}`)},
	} {
		if got := OwnFields(entries, nil); got != "" {
			t.Errorf("%s: OwnFields = %s, want none", name, got)
		}
	}
	fewer := managed(Manager, metav1.ManagedFieldsOperationApply, "", `{}`)
	if OwnFields([]metav1.ManagedFieldsEntry{fewer}, nil) == alone {
		t.Error("owning fewer fields has the same digest")
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	status := apierrors.NewApplyConflict([]metav1.StatusCause{
		{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.replicas", Message: `conflict with "autoscaler" with subresource "scale" using apps/v1`},
		{Type: metav1.CauseTypeFieldManagerConflict, Field: ".data.a", Message: "conflict with somebody"},
		{Type: metav1.CauseTypeFieldValueInvalid, Field: ".x", Message: "else"},
	}, "Apply failed")
	want := []FieldConflict{{".spec.replicas", "autoscaler"}, {".data.a", "conflict with somebody"}}
	if got := Conflicts(fmt.Errorf("applying: %w", status)); !reflect.DeepEqual(got, want) {
		t.Errorf("Conflicts = %v, want %v", got, want)
	}
	for _, err := range []error{nil, errors.New("x"), apierrors.NewNotFound(schema.GroupResource{}, "a"), apierrors.NewConflict(schema.GroupResource{}, "a", errors.New("changed"))} {
		if got := Conflicts(err); got != nil {
			t.Errorf("Conflicts(%v) = %v, want none", err, got)
		}
	}
}

func TestDeclares(t *testing.T) {
	t.Parallel()
	entries := []metav1.ManagedFieldsEntry{
		managed("applier", metav1.ManagedFieldsOperationApply, "", `{}`),
		managed("editor", metav1.ManagedFieldsOperationUpdate, "", `{}`),
		managed("scaler", metav1.ManagedFieldsOperationUpdate, "scale", `{}`),
		managed("controller", metav1.ManagedFieldsOperationUpdate, "status", `{}`),
	}
	for manager, want := range map[string]bool{"applier": true, "editor": false, "scaler": true, "controller": false, "nobody": false} {
		if got := Declares(entries, manager); got != want {
			t.Errorf("Declares(%s) = %v, want %v", manager, got, want)
		}
	}
}

func TestNoKindHint(t *testing.T) {
	t.Parallel()
	known := map[schema.GroupVersionKind]Resource{
		{Group: "apps", Version: "v1", Kind: "Deployment"}: {}, {Group: "apps", Version: "v1", Kind: "DaemonSet"}: {},
	}
	for ref, want := range map[Ref]string{
		{Group: "apps", Version: "v1", Kind: "Deploymnet"}:      `did you mean "Deployment"?`,
		{Group: "apps", Version: "v1beta1", Kind: "Deployment"}: "(it has apps/v1)",
		{Group: "other", Version: "v1", Kind: "Thing"}:          "",
	} {
		if got := hint(ref, known); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("hint(%v) = %q, want %q", ref, got, want)
		}
	}
}

func TestRefString(t *testing.T) {
	t.Parallel()
	for ref, want := range map[Ref]string{
		{Version: "v1", Kind: "Namespace", Name: "a"}:                                    "Namespace a",
		{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "ns", Name: "web"}: "Deployment.apps ns/web",
	} {
		if got := ref.String(); got != want {
			t.Errorf("String = %q, want %q", got, want)
		}
	}
}

func TestOwnFieldsIgnores(t *testing.T) {
	t.Parallel()
	const all = `{"f:spec":{"f:replicas":{},"f:template":{"f:containers":{"k:{\"name\":\"a\"}":{"f:image":{},"f:name":{}}}}}}`
	entry := func(fields string) []metav1.ManagedFieldsEntry {
		return []metav1.ManagedFieldsEntry{managed(Manager, metav1.ManagedFieldsOperationApply, "", fields)}
	}
	for _, tt := range []struct {
		name, left string
		ignore     []string
		same       bool
	}{
		{"an ignored field is gone", `{"f:spec":{"f:template":{"f:containers":{"k:{\"name\":\"a\"}":{"f:image":{},"f:name":{}}}}}}`, []string{"/spec/replicas"}, true},
		{"another field is gone", `{"f:spec":{"f:replicas":{}}}`, []string{"/spec/replicas"}, false},
		{"within a list", `{"f:spec":{"f:replicas":{},"f:template":{"f:containers":{"k:{\"name\":\"a\"}":{"f:name":{}}}}}}`, []string{"/spec/template/containers/0/image"}, true},
		{"nothing is there to ignore", all, []string{"/metadata/x"}, true},
	} {
		if same := OwnFields(entry(tt.left), tt.ignore) == OwnFields(entry(all), tt.ignore); same != tt.same {
			t.Errorf("%s: digests are the same: %v, want %v", tt.name, same, tt.same)
		}
	}
}

func TestKeepLive(t *testing.T) {
	t.Parallel()
	object := map[string]any{"spec": map[string]any{"replicas": int64(2), "list": []any{"a", "b"}, "gone": "x"}, "a/b": "c"}
	live := map[string]any{"spec": map[string]any{"replicas": int64(5), "list": []any{"c", "d"}, "new": "y"}, "a/b": "live"}
	got := KeepLive(object, live, []string{"/spec/replicas", "/spec/list/1", "/spec/gone", "/spec/new", "/a~1b", "/none/such"})
	want := map[string]any{"spec": map[string]any{"replicas": int64(5), "list": []any{"a", "d"}, "new": "y"}, "a/b": "live"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("KeepLive = %v, want %v", got, want)
	}
	if object["spec"].(map[string]any)["replicas"] != int64(2) {
		t.Error("KeepLive changes the object")
	}
}
