package reconcile_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/reconcile"
)

// hangs deletes until an event says the text, and returns what the context's
// end leaves waiting.
func (l *life) hangs(text string) reconcile.Waiting {
	l.Helper()
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	l.engine.OnEvent = func(e reconcile.Event) {
		if strings.Contains(e.Message, text) {
			cancel()
		}
	}
	result, err := l.engine.DeleteAndWait(ctx, l.target)
	e := asError[*reconcile.WaitError](l.T, err)
	if !errors.Is(err, context.Canceled) || len(e.Waiting) != 1 || len(result.Waiting) != 1 || !strings.Contains(e.Waiting[0].Message, text) || !strings.Contains(err.Error(), text) {
		l.Fatalf("DeleteAndWait = %+v, %v; want to wait for what says %q", result, err, text)
	}
	return e.Waiting[0]
}

// release takes the finalizers off an object.
func (l *life) release(o object) {
	l.Helper()
	_, err := l.dynamic.Resource(o.resource).Namespace(o.namespace).Patch(l.ctx, o.name, types.MergePatchType, []byte(`{"metadata": {"finalizers": null}}`), metav1.PatchOptions{})
	if err != nil {
		l.Fatal(err)
	}
}

// What hangs is named with its finalizers, in the error of a wait that the
// context ends, and in the status.
func TestE2EHangingObject(t *testing.T) {
	l := newLife(t, "hang")
	l.converge(manifests(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hang, namespace: default, finalizers: [example.com/held]}\n"))
	w := l.hangs("finalizers: example.com/held")
	if w.Object.Name != "hang" || w.Layer != "plain" || !strings.Contains(w.Message, "since 20") {
		t.Errorf("what is waited for is %+v", w)
	}
	status, err := l.engine.Status(l.ctx, l.target)
	if err != nil || status.Layers[0].Health != reconcile.Removing || !strings.Contains(status.Layers[0].Objects[0].Message, "example.com/held") {
		t.Errorf("the status is\n%s, %v", status, err)
	}
	// What is wanted again waits for the old one to go, and says why it does not.
	result, err := l.engine.Reconcile(l.ctx, l.target, manifests(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hang, namespace: default}\n"))
	if err != nil || len(result.Waiting) != 1 || !strings.Contains(result.Waiting[0].Message, "finalizers: example.com/held; then it is made anew") {
		t.Errorf("Reconcile = %+v, %v; want to wait for the old one to go", result, err)
	}
	l.release(object{configMaps, "default", "hang"})
	l.removes()
}

const hangDefinition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: Thing, plural: things, singular: thing}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
`

func things(group string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: "v1", Resource: "things"}
}

// A definition is kept by the objects of its kind.
func TestE2EHangingDefinition(t *testing.T) {
	l := newLife(t, "hangcrd")
	const group = "hangcrd.example.com"
	l.converge(manifests(t, strings.ReplaceAll(hangDefinition, "GROUP", group)))
	thing := &unstructured.Unstructured{Object: map[string]any{"apiVersion": group + "/v1", "kind": "Thing"}}
	thing.SetName("left")
	thing.SetFinalizers([]string{"example.com/held"})
	if _, err := l.dynamic.Resource(things(group)).Namespace("default").Create(l.ctx, thing, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	l.engine.Prune.CustomResourceDefinitions = true
	l.hangs("1 of its objects are left: Thing.hangcrd.example.com default/left (finalizers: example.com/held)")
	l.release(object{things(group), "default", "left"})
	l.removes()
}

// A finalizer whose controller may be gone with its layer is said to be so.
func TestE2EHangingWithoutController(t *testing.T) {
	l := newLife(t, "orphan")
	const group = "orphan.example.com"
	operator := plain("operator", strings.ReplaceAll(hangDefinition, "GROUP", group))
	operator.InstallOrder = -1
	uses := plain("uses", "apiVersion: "+group+"/v1\nkind: Thing\nmetadata: {name: orphan, namespace: default, finalizers: ["+group+"/cleanup]}\n")
	l.converge(desiredOf(t, operator, uses))
	l.converge(desiredOf(t, uses)) // the definition is kept
	if w := l.hangs(`its kind came with layer "operator", which is gone`); !strings.Contains(w.Message, group+"/cleanup") {
		t.Errorf("what is waited for is %+v", w)
	}
	l.release(object{things(group), "default", "orphan"})
	l.removes()
	if err := l.dynamic.Resource(crds).Delete(l.ctx, "things."+group, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// A namespace says what is left in it.
func TestE2EHangingNamespace(t *testing.T) {
	l := newLife(t, "hangns")
	one := plain("plain", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hang}\n")
	one.Namespace = "hangns-app"
	l.converge(desiredOf(t, one))
	stuck := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "stuck", Finalizers: []string{"example.com/held"}}}
	maps := l.kube.CoreV1().ConfigMaps("hangns-app")
	if _, err := maps.Create(l.ctx, stuck, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := maps.Delete(l.ctx, "stuck", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w := l.hangs("NamespaceFinalizersRemaining")
	if w.Object.Kind != "Namespace" || !strings.Contains(w.Message, "example.com/held in 1 resource") || !strings.Contains(w.Message, "NamespaceContentRemaining") {
		t.Errorf("what is waited for is %+v", w)
	}
	l.release(object{configMaps, "hangns-app", "stuck"})
	l.removes()
}
