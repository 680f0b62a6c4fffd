package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

const workload = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: NAME}}
  template:
    metadata:
      labels: {app: NAME}
      annotations: {ANNOTATIONS}
    spec:
      containers: [{name: main, image: registry.k8s.io/pause:3.10}]
`

func plain(name, content string) layer.Layer {
	return layer.Layer{Name: name, Source: layer.Source{Manifests: &layer.Manifests{Inline: []layer.Manifest{{Name: "objects", Content: content}}}}}
}

func (l *life) removes() {
	l.Helper()
	l.engine.Prune = reconcile.PrunePolicy{CustomResourceDefinitions: true, PersistentVolumeClaims: true}
	if result, err := l.engine.DeleteAndWait(l.ctx, l.target); err != nil {
		l.Errorf("%v; it waits for %v", err, result.Waiting)
	}
}

// An image that cannot be pulled ends the wait with the reason.
func TestE2EImagePull(t *testing.T) {
	l := newLife(t, "pull")
	text := strings.NewReplacer("NAME", "pull", "ANNOTATIONS", `strata.dev/test-image-pull: "fail"`).Replace(workload)
	_, err := l.engine.Converge(l.ctx, l.target, manifests(t, text))
	if e := asError[*reconcile.FailedError](t, err); e.Object.Name != "pull" || !strings.Contains(e.Message, "ImagePullBackOff") {
		t.Errorf("error = %v, want the reason of the pod", err)
	}
	l.removes()
}

// What a layer lets others change is neither drift nor fought over.
func TestE2EIgnoreDrift(t *testing.T) {
	l := newLife(t, "ignore")
	text := strings.NewReplacer("NAME", "ignore", "ANNOTATIONS", "").Replace(workload)
	one := plain("web", text)
	one.Drift.Rules = []layer.DriftRule{{Kind: "Deployment.apps", Paths: []string{"/spec/replicas"}}}
	d := desiredOf(t, one)
	l.converge(d)
	scale := func(replicas string) {
		t.Helper()
		_, err := l.kube.AppsV1().Deployments("default").Patch(l.ctx, "ignore", types.MergePatchType, []byte(`{"spec": {"replicas": `+replicas+`}}`), metav1.PatchOptions{FieldManager: "autoscaler"}, "scale")
		if err != nil {
			t.Fatal(err)
		}
	}
	replicas := func() int32 {
		t.Helper()
		live, err := l.kube.AppsV1().Deployments("default").Get(l.ctx, "ignore", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return *live.Spec.Replicas
	}
	scale("4")
	if result, err := l.engine.Reconcile(l.ctx, l.target, d); err != nil || len(result.Steps) > 0 || replicas() != 4 {
		t.Errorf("after scaling, Reconcile = %+v, %v with %d replicas; want nothing done", result, err, replicas())
	}
	one.Manifests.Inline[0].Content = strings.Replace(text, "pause:3.10", "pause:3.9", 1)
	changed := desiredOf(t, one)
	l.converge(changed)
	if replicas() != 4 {
		t.Errorf("an update sets %d replicas, want the 4 of the autoscaler", replicas())
	}
	scale("5")
	if result, err := l.engine.Reconcile(l.ctx, l.target, changed); err != nil || len(result.Steps) > 0 || replicas() != 5 {
		t.Errorf("after scaling again, Reconcile = %+v, %v with %d replicas; want nothing done", result, err, replicas())
	}
	l.removes()
}

// A layer waits for its checks, and for what the embedder says.
func TestE2EReadiness(t *testing.T) {
	l := newLife(t, "ready")
	one := plain("app", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ready, namespace: default}\n"+
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: ready, namespace: default}\nspec: {ports: [{port: 80}]}\n")
	one.Readiness = []layer.Check{
		{Name: "made by the operator", Version: "v1", Kind: "ConfigMap", Namespace: "default", ObjectName: "ready-made", Fields: []layer.Expectation{{Path: "data.state", Value: "up"}}},
		{Name: "port", Version: "v1", Kind: "Service", Expression: "self.spec.ports[0].port == 80"},
	}
	d := desiredOf(t, one)
	asked := 0
	l.engine.Ready = func(name string, o *unstructured.Unstructured) (bool, string) {
		asked++
		return name == "app" && o.GetName() == "ready", "somebody else"
	}
	result, err := l.engine.Reconcile(l.ctx, l.target, d)
	if err != nil || result.Ready || len(result.Waiting) != 1 || !strings.Contains(result.Waiting[0].Message, "there is no such object yet") {
		t.Fatalf("Reconcile = %+v, %v; want to wait for the operator's object", result, err)
	}
	go func() {
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "ready-made"}, Data: map[string]string{"state": "starting"}}
		cm, err := l.kube.CoreV1().ConfigMaps("default").Create(l.ctx, cm, metav1.CreateOptions{})
		if err == nil {
			cm.Data["state"] = "up"
			_, err = l.kube.CoreV1().ConfigMaps("default").Update(l.ctx, cm, metav1.UpdateOptions{})
		}
		if err != nil {
			t.Error(err)
		}
	}()
	l.converge(d)
	if asked == 0 {
		t.Error("the embedder was not asked")
	}
	one.Readiness[1].Expression = "self.spec."
	if _, err := l.engine.Reconcile(l.ctx, l.target, desiredOf(t, one)); err == nil || !strings.Contains(err.Error(), `readiness check "port"`) {
		t.Errorf("an expression that does not compile gives %v", err)
	}
	l.removes()
}

// An installation takes an object over from another, which lets it go.
func TestE2EHandOver(t *testing.T) {
	l := newLife(t, "giver")
	shared := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: handed-over, namespace: default}\ndata: {a: b}\n"
	rest := "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: not-handed-over, namespace: default}\n"
	l.converge(manifests(t, shared+rest))
	before, err := l.kube.CoreV1().ConfigMaps("default").Get(l.ctx, "handed-over", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	taker := newLife(t, "taker")
	one := plain("plain", shared)
	one.Adopt = layer.AdoptAlways
	taker.converge(desiredOf(t, one))

	result := l.converge(manifests(t, strings.TrimPrefix(rest, "---\n")))
	if len(result.Kept) != 1 || !strings.Contains(result.Kept[0].Reason, "belongs to another installation now") {
		t.Errorf("kept are %v", result.Kept)
	}
	l.removes()
	after, err := l.kube.CoreV1().ConfigMaps("default").Get(l.ctx, "handed-over", metav1.GetOptions{})
	if err != nil || after.UID != before.UID {
		t.Errorf("the object is %v, %v; want the same one as before", after, err)
	}
	taker.removes()
}

// Objects of kinds that a layer keeps stay when it goes.
func TestE2EKeep(t *testing.T) {
	l := newLife(t, "keep")
	one := plain("data", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, namespace: default}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: not-kept, namespace: default}\n")
	one.Keep = []string{"ConfigMap"}
	l.converge(desiredOf(t, one))
	result, err := l.engine.DeleteAndWait(l.ctx, l.target)
	if err != nil || len(result.Kept) != 1 || result.Kept[0].Object.Name != "kept" {
		t.Errorf("DeleteAndWait = %+v, %v; want the config map kept", result, err)
	}
	if _, err := l.kube.CoreV1().ConfigMaps("default").Get(l.ctx, "kept", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := l.kube.CoreV1().Secrets("default").Get(l.ctx, "not-kept", metav1.GetOptions{}); err == nil {
		t.Error("the secret is still there")
	}
	// It is recognised when the layer comes back.
	l.converge(desiredOf(t, one))
	one.Keep = nil
	l.converge(desiredOf(t, one))
	l.removes()
	if _, err := l.kube.CoreV1().ConfigMaps("default").Get(l.ctx, "kept", metav1.GetOptions{}); err == nil {
		t.Error("the config map is still there")
	}
}

const job = `
apiVersion: batch/v1
kind: Job
metadata: {name: replace, namespace: default}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: registry.k8s.io/pause:3.10}]
`

// A field that cannot be changed is an error, or the object is made anew.
func TestE2EReplace(t *testing.T) {
	l := newLife(t, "replace")
	l.converge(manifests(t, job))
	before, err := l.kube.BatchV1().Jobs("default").Get(l.ctx, "replace", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	changed := manifests(t, strings.Replace(job, "pause:3.10", "pause:3.9", 1))
	l.rec.take()
	_, err = l.engine.Reconcile(l.ctx, l.target, changed)
	if e := asError[*reconcile.ImmutableError](t, err); e.Object.Name != "replace" || !strings.Contains(e.Error(), "spec.template") {
		t.Errorf("error = %v, want the object and the field", err)
	}
	if _, writes := l.rec.take(); len(writes) > 0 {
		t.Errorf("something was written: %v", writes)
	}
	l.engine.Replace = []string{"Job.batch"}
	l.engine.Budget.Replaces = -1
	_, err = l.engine.Reconcile(l.ctx, l.target, changed)
	asError[*reconcile.BudgetError](t, err)
	l.engine.Budget.Replaces = 1
	l.converge(changed)
	after, err := l.kube.BatchV1().Jobs("default").Get(l.ctx, "replace", metav1.GetOptions{})
	if err != nil || after.UID == before.UID || after.Spec.Template.Spec.Containers[0].Image != "registry.k8s.io/pause:3.9" {
		t.Errorf("the job is %v, %v; want a new one", after, err)
	}
	l.removes()
}

// A plan is applied as it was approved, or not at all.
func TestE2EApprovedPlan(t *testing.T) {
	l := newLife(t, "approved")
	const text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: approved, namespace: default}\ndata: {a: one}\n"
	l.converge(manifests(t, text))
	changed := manifests(t, strings.Replace(text, "one", "two", 1))
	plan, err := l.engine.Plan(l.ctx, l.target, changed)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(value string) {
		t.Helper()
		_, err := l.kube.CoreV1().ConfigMaps("default").Patch(l.ctx, "approved", types.MergePatchType, []byte(`{"data": {"a": "`+value+`"}}`), metav1.PatchOptions{FieldManager: "strata-test"})
		if err != nil {
			t.Fatal(err)
		}
	}
	edit("three")
	l.rec.take()
	_, err = l.engine.Apply(l.ctx, l.target, plan)
	if _, ok := errors.AsType[*reconcile.ConflictError](err); !ok {
		if e := asError[*reconcile.StaleError](t, err); e.Object.Name != "approved" || e.Field != ".data.a" {
			t.Errorf("error = %v, want the object and the field that moved", err)
		}
	}
	if _, writes := l.rec.take(); len(writes) > 0 {
		t.Errorf("a stale plan writes %v", writes)
	}
	l.converge(manifests(t, text))
	if plan, err = l.engine.Plan(l.ctx, l.target, changed); err != nil {
		t.Fatal(err)
	}
	if result, err := l.engine.Apply(l.ctx, l.target, plan); err != nil || !result.Ready || len(result.Steps) != 1 {
		t.Errorf("Apply = %+v, %v", result, err)
	}
	refused := errors.New("not on a Friday")
	l.engine.Approve = func(_ context.Context, target reconcile.Target, p *reconcile.Plan) error {
		if target.Name != "approved" || p.Count(reconcile.Update) != 1 {
			t.Errorf("asked about %s", p)
		}
		return refused
	}
	if _, err := l.engine.Reconcile(l.ctx, l.target, manifests(t, text)); !errors.Is(err, refused) {
		t.Errorf("error = %v, want what the approver says", err)
	}
	l.engine.Approve = nil // it would be asked about the deletion
	l.removes()
}

// A rule takes the fields of another manager.
func TestE2EForce(t *testing.T) {
	l := newLife(t, "force")
	theirs := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "force"}, Data: map[string]string{"a": "theirs", "b": "theirs"}}
	if _, err := l.kube.CoreV1().ConfigMaps("default").Create(l.ctx, theirs, metav1.CreateOptions{FieldManager: "them"}); err != nil {
		t.Fatal(err)
	}
	one := plain("mine", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: force, namespace: default}\ndata: {a: ours}\n")
	one.Adopt = layer.AdoptIfUnowned
	d := desiredOf(t, one)
	_, err := l.engine.Reconcile(l.ctx, l.target, d)
	asError[*reconcile.ConflictError](t, err)
	l.engine.Force = []reconcile.ForceRule{{Field: ".data.a", Manager: "them"}}
	l.converge(d)
	cm, err := l.kube.CoreV1().ConfigMaps("default").Get(l.ctx, "force", metav1.GetOptions{})
	if err != nil || cm.Data["a"] != "ours" || cm.Data["b"] != "theirs" {
		t.Errorf("the config map has %v, %v", cm.Data, err)
	}
	l.removes()
}

// Sensitive values are in no plan, event or error, wherever they go.
func TestE2ESensitive(t *testing.T) {
	l := newLife(t, "sensitive")
	desired := func(token, port string) *profile.Desired {
		t.Helper()
		s, err := profile.Compose(&profile.Profile{
			Name: "sensitive", Version: "1.0.0", Type: profile.AddOn,
			Variables: []profile.Variable{{Name: "token", Sensitive: true}},
			Layers: []layer.Layer{plain("cm", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sensitive, namespace: default}\ndata: {token: 'the {{ .spectro.var.token }}'}\n"+
				"---\napiVersion: v1\nkind: Service\nmetadata: {name: sensitive, namespace: default, labels: {a: '{{ .spectro.var.token }}'}}\nspec: {ports: [{port: "+port+"}]}\n")},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Variables = map[string]string{"token": token}
		d, err := s.Resolve(l.ctx, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	l.converge(desired("first-secret", "80"))
	plan, err := l.engine.Plan(l.ctx, l.target, desired("second-secret", "80"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := plan.MarshalJSON()
	if text := plan.String() + plan.Markdown() + string(data); err != nil || strings.Contains(text, "-secret") || !strings.Contains(text, ".data.token") {
		t.Errorf("the plan shows a secret, or not what changes: %s", text)
	}
	_, err = l.engine.Reconcile(l.ctx, l.target, desired("no label: $$$", "80"))
	if err == nil || strings.Contains(err.Error(), "$$$") {
		t.Errorf("the error shows a secret, or there is none: %v", err)
	}
	if asError[*reconcile.LayerError](t, err).Layer != "cm" {
		t.Errorf("error = %v, want that of the layer", err)
	}
	l.removes()
	if text := fmt.Sprint(l.events); strings.Contains(text, "-secret") {
		t.Errorf("events show a secret: %s", text)
	}
}
