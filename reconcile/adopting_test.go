package reconcile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

const adoptedDeployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: app, labels: {app: app}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: main
        image: registry.k8s.io/pause:3.10
        {{- with .Values.env }}
        env: [{name: TEXT, value: {{ . }}}]
        {{- end }}
`

func adoptedChart() []string {
	config := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME, annotations: {MORE}}\ndata: {text: {{ .Values.text }}}\n"
	named := func(name, more string) string { return strings.NewReplacer("NAME", name, "MORE", more).Replace(config) }
	return []string{
		"Chart.yaml", "apiVersion: v2\nname: released\nversion: 1.0.0\n",
		"values.yaml", "text: one\nreplicas: 1\nold: true\nenv: \"\"\n",
		"templates/deployment.yaml", adoptedDeployment,
		"templates/config.yaml", named("app", ""),
		"templates/old.yaml", "{{ if .Values.old }}\n" + named("old", "") + "{{ end }}\n",
		"templates/kept.yaml", "{{ if .Values.old }}\n" + named("kept", "helm.sh/resource-policy: keep") + "{{ end }}\n",
		"templates/hook.yaml", hookFile("before", "pre-install", "0", ""),
		"templates/up.yaml", hookFile("up", "pre-upgrade", "0", ""),
	}
}

// installs makes a release with Helm's own command.
func (r released) helmInstalls(chart []string, args ...string) {
	r.Helper()
	dir := r.TempDir()
	for i := 0; i < len(chart); i += 2 {
		file := filepath.Join(dir, chart[i])
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			r.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(chart[i+1]), 0o644); err != nil {
			r.Fatal(err)
		}
	}
	r.helm(append([]string{"upgrade", "--install", "app", dir, "-n", r.chart.Namespace, "--create-namespace", "--wait"}, args...)...)
}

func TestE2EAdoptRelease(t *testing.T) {
	chart := adoptedChart()
	r := newReleased(t, "adopted", chart...)
	r.helmInstalls(chart)
	r.helmInstalls(chart, "--set", "text=two,env=x")
	before, err := r.kube.AppsV1().Deployments("adopted").Get(r.ctx, "app", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const same = "{text: two, env: x}"
	_, err = r.engine.Reconcile(r.ctx, r.target, r.desired(same))
	asError[*reconcile.ExistsError](t, err)
	r.expects("after adoption was refused", "1 superseded", "2 deployed")

	r.chart.Adopt = layer.AdoptIfUnowned
	r.converge(r.desired(same))
	r.expects("after adopting", "1 superseded: Install complete", "2 superseded: Upgrade complete", "3 deployed: Upgrade complete")
	after, err := r.kube.AppsV1().Deployments("adopted").Get(r.ctx, "app", metav1.GetOptions{})
	if err != nil || after.Generation != before.Generation || after.UID != before.UID {
		t.Errorf("the deployment is of generation %d, %v; want %d as before", after.Generation, err, before.Generation)
	}
	for _, e := range after.ManagedFields {
		if e.Manager == "helm" {
			t.Errorf("helm still manages %s", e.FieldsV1)
		}
	}
	if got := r.trace(); len(got) == 0 || got[0] != "pre-upgrade app-up" {
		t.Errorf("adopting did %q, want the hooks of an upgrade", got)
	}
	if again, err := r.engine.Reconcile(r.ctx, r.target, r.desired(same)); err != nil || !again.Ready || again.Cost.Writes > 0 {
		t.Errorf("one more pass returns %+v, %v; want nothing done", again, err)
	}
	r.removes()
}

// A release that Helm keeps in ConfigMaps moves into Secrets with its history.
func TestE2EAdoptReleaseOfConfigMaps(t *testing.T) {
	chart := adoptedChart()
	r := newReleased(t, "mapped", chart...)
	t.Setenv("HELM_DRIVER", "configmap")
	r.helmInstalls(chart)
	r.helmInstalls(chart, "--set", "text=two,env=x")
	const same = "{text: two, env: x}"
	_, err := r.engine.Reconcile(r.ctx, r.target, r.desired(same))
	if e := asError[*reconcile.ExistsError](t, err); e.Object.Kind != "ConfigMap" || e.Object.Name != "sh.helm.release.v1.app.v2" {
		t.Errorf("error = %v, want that the record is in the way", err)
	}
	r.expects("after adoption was refused", "1 superseded", "2 deployed")

	r.chart.Adopt = layer.AdoptIfUnowned
	plan, err := r.engine.Plan(r.ctx, r.target, r.desired(same))
	if err != nil || len(plan.Warnings) != 1 || !strings.Contains(plan.Warnings[0], "mapped/app in ConfigMaps; its records (2) become Secrets") {
		t.Fatalf("the plan warns of %q, %v", plan.Warnings, err)
	}
	// The run is cut short after the first record.
	die, cancel := context.WithCancel(r.ctx)
	config := rest.CopyConfig(r.target.Config)
	var faults reconciletest.Faults
	config.Wrap(faults.Wrap)
	faults.Play(reconciletest.Rule{Method: "DELETE", Path: "configmaps/sh.helm.release.v1.app.v2", Fault: reconciletest.Die(cancel)})
	if _, err := r.engine.Converge(die, reconcile.Target{Config: config, Name: r.target.Name, Namespace: r.target.Namespace}, r.desired(same)); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want the process dead", err)
	}
	deployed := 0
	for _, driver := range []string{"configmap", "secret"} {
		t.Setenv("HELM_DRIVER", driver)
		deployed += strings.Count(r.helm("list", "-n", "mapped", "--all", "--max", "100"), "deployed")
		deployed += strings.Count(r.helm("history", "app", "-n", "mapped"), "deployed")
	}
	if deployed > 2 { // in the list, and in the history
		t.Errorf("the release is %d times deployed", deployed)
	}

	t.Setenv("HELM_DRIVER", "secret")
	r.converge(r.desired(same))
	r.expects("after adopting", "1 superseded: Install complete", "2 superseded: Upgrade complete", "3 deployed: Upgrade complete")
	if got := r.helm("get", "values", "app", "-n", "mapped", "--revision", "2"); !strings.Contains(got, "text: two") {
		t.Errorf("the values of revision 2 are\n%s", got)
	}
	left, err := r.kube.CoreV1().ConfigMaps("mapped").List(r.ctx, metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil || len(left.Items) > 0 {
		t.Errorf("%d records are in ConfigMaps, %v", len(left.Items), err)
	}
	if again, err := r.engine.Reconcile(r.ctx, r.target, r.desired(same)); err != nil || !again.Ready || again.Cost.Writes > 0 {
		t.Errorf("one more pass returns %+v, %v; want nothing done", again, err)
	}
	r.removes()
}

// What templates made stays as it is when Helm's release is taken over. Where the
// manifest does not show it, the plan warns of what is made anew.
func TestE2EAdoptMadeSecret(t *testing.T) {
	secret := func(name, value string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + "}\nstringData: {password: {{ .Values.password | default (" + value + ") | quote }}}\n"
	}
	chart := []string{
		"Chart.yaml", "apiVersion: v2\nname: released\nversion: 1.0.0\n", "values.yaml", "password: \"\"\n",
		"templates/shown.yaml", secret("shown", "randAlphaNum 12"), "templates/hashed.yaml", secret("hashed", "randAlphaNum 12 | sha256sum"),
	}
	r := newReleased(t, "made", chart...)
	r.helmInstalls(chart)
	password := func(name string) string {
		secret, err := r.kube.CoreV1().Secrets("made").Get(r.ctx, name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return string(secret.Data["password"])
	}
	shown := password("shown")
	r.chart.Adopt = layer.AdoptIfUnowned
	plan, err := r.engine.Plan(r.ctx, r.target, r.desired(""))
	if err != nil || len(plan.Warnings) != 1 || !strings.Contains(plan.Warnings[0], "Secret made/hashed: adopting it changes .data.password") {
		t.Errorf("the plan is %v, %v; want a warning", plan, err)
	}
	given, err := r.engine.Plan(r.ctx, r.target, r.desired("password: "+password("hashed")))
	if err != nil || len(given.Warnings) > 1 || len(given.Warnings) == 1 && strings.Contains(given.Warnings[0], "hashed") {
		t.Errorf("with the password as a value the plan is %v, %v; want no warning of it", given, err)
	}
	r.converge(r.desired(""))
	if got := password("shown"); got != shown {
		t.Errorf("the password became %q, was %q", got, shown)
	}
	if again, err := (&reconcile.Reconciler{Fetcher: r.engine.Fetcher}).Reconcile(r.ctx, r.target, r.desired("")); err != nil || !again.Ready || again.Cost.Writes > 0 {
		t.Errorf("one more pass returns %+v, %v; want nothing done", again, err)
	}
	r.removes()
}

// A release that is adopted with other content changes as Helm would change it:
// fields and objects that the chart has no more go away.
func TestE2EAdoptAndChangeRelease(t *testing.T) {
	chart := adoptedChart()
	r := newReleased(t, "taken", chart...)
	r.helmInstalls(chart, "--set", "env=x")
	r.chart.Adopt = layer.AdoptIfUnowned
	d := r.desired("{text: two, old: false}")
	plan, err := r.engine.Plan(r.ctx, r.target, d)
	if err != nil {
		t.Fatal(err)
	}
	if text := plan.String(); !strings.Contains(text, "delete") || !strings.Contains(text, "env") || plan.Count(reconcile.Delete) != 1 {
		t.Errorf("the plan is\n%s\nwant one object deleted and env removed", text)
	}
	r.converge(d)
	r.says("two")
	live, err := r.kube.AppsV1().Deployments("taken").Get(r.ctx, "app", metav1.GetOptions{})
	if err != nil || len(live.Spec.Template.Spec.Containers[0].Env) > 0 {
		t.Errorf("the container has %v, %v; want no variables", live.Spec.Template.Spec.Containers[0].Env, err)
	}
	if _, err := r.kube.CoreV1().ConfigMaps("taken").Get(r.ctx, "old", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("what the chart has no more is there: %v", err)
	}
	if _, err := r.kube.CoreV1().ConfigMaps("taken").Get(r.ctx, "kept", metav1.GetOptions{}); err != nil {
		t.Errorf("what is to be kept is not there: %v", err)
	}
	r.expects("after adopting", "1 superseded", "2 deployed")
	if got := r.helm("get", "manifest", "app", "-n", "taken", "--revision", "1"); !strings.Contains(got, "name: old") {
		t.Errorf("the old revision has lost its manifest:\n%s", got)
	}
}

// A release that was left in the middle of an operation is gone on with once the
// tool that did it can be taken for dead. Its history stays.
func TestE2EStuckRelease(t *testing.T) {
	chart := recordsChart()
	r := newReleased(t, "stuck", chart...)
	r.converge(r.desired(""))
	r.helmInstalls(chart, "--set", "text=two")
	leave := func(written time.Time) {
		t.Helper()
		records := r.kube.CoreV1().Secrets("stuck")
		secret, err := records.Get(r.ctx, "sh.helm.release.v1.app.v2", metav1.GetOptions{})
		if err == nil {
			secret.Labels["status"], secret.Labels["modifiedAt"] = "pending-upgrade", fmtUnix(written)
			secret.Data["release"] = withStatus(t, secret, "pending-upgrade")
			_, err = records.Update(r.ctx, secret, metav1.UpdateOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	leave(time.Now())
	_, err := r.engine.Reconcile(r.ctx, r.target, r.desired(""))
	if e := asError[*reconcile.PendingError](t, err); e.Revision != 2 || e.Status != "pending-upgrade" {
		t.Errorf("error = %v", err)
	}
	leave(time.Now().Add(-time.Hour))
	r.events = nil
	r.converge(r.desired(""))
	r.says("one")
	r.expects("after it was freed", "1 superseded", "2 failed: Left as pending-upgrade", "3 deployed: Upgrade complete")
	freed := false
	for _, e := range r.events {
		freed = freed || e.Type == reconcile.ReleaseFreed && strings.Contains(e.Message, "revision 2")
	}
	if !freed {
		t.Errorf("no event says that the release was freed: %v", r.events)
	}
}
