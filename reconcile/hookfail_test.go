package reconcile_test

import (
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/reconcile"
)

// podSays has hookFile's pod do as the annotations have it.
func podSays(hook, annotations string) string {
	return strings.Replace(hook, `strata.dev/test-fail: "{{ .Values.fail }}"`, annotations, 1)
}

func brokenChart(annotations string) []string {
	return []string{
		"Chart.yaml", "apiVersion: v2\nname: released\nversion: 1.0.0\n",
		"templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {text: one}\n",
		"templates/migrate.yaml", podSays(hookFile("migrate", "pre-install", "0", ""), annotations),
	}
}

// The error of a hook that failed has the end of its log, and so has the record.
func TestE2EHookLog(t *testing.T) {
	log := strings.Repeat("working\\n", 30) + "no such table: users"
	r := newReleased(t, "hooklog", brokenChart(`strata.dev/test-fail: "true", strata.dev/test-log: "`+log+`"`)...)
	_, err := r.engine.Converge(r.ctx, r.target, r.desired(""))
	e := asError[*reconcile.FailedError](t, err)
	if lines := strings.Split(strings.TrimSpace(e.Log), "\n"); len(lines) != 20 || lines[19] != "no such table: users" {
		t.Errorf("the log is\n%s\nwant its last 20 lines", e.Log)
	}
	if !strings.Contains(err.Error(), "no such table: users") {
		t.Errorf("the error does not show the log: %v", err)
	}
	if got := r.helm("status", "app", "-n", "hooklog", "--show-desc"); !strings.Contains(got, "no such table: users") || !strings.Contains(got, "STATUS: failed") {
		t.Errorf("helm status says\n%s", got)
	}

	// Who may not read logs gets the error all the same.
	rules := []rbacv1.PolicyRule{{APIGroups: []string{"", "batch"}, Resources: []string{"namespaces", "secrets", "configmaps", "jobs", "pods"}, Verbs: []string{"*"}}}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "hooklog"}, Rules: rules}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "hooklog"}, Subjects: []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "hooklog"}}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "hooklog"}}
	if _, err := r.kube.RbacV1().ClusterRoles().Create(r.ctx, role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.kube.RbacV1().ClusterRoleBindings().Create(r.ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	target := r.target
	target.Config = rest.CopyConfig(target.Config)
	target.Config.Impersonate.UserName = "hooklog"
	_, err = r.engine.Converge(r.ctx, target, r.desired(""))
	if e := asError[*reconcile.FailedError](t, err); !strings.Contains(e.Log, "may not be read") || e.Object.Name != "app-migrate" {
		t.Errorf("without the right to read logs: %v", err)
	}
	r.removes()
}

// A hook that does not end fails when its time is over, and not before; nobody
// polls for it.
func TestE2EHookTimeout(t *testing.T) {
	r := newReleased(t, "hooktime", brokenChart(`strata.dev/test-finish-after: 1h, strata.dev/test-log: "still at it"`)...)
	r.engine.HookTimeout = 3 * time.Second
	first, err := r.engine.Reconcile(r.ctx, r.target, r.desired(""))
	if err != nil || first.RetryAfter == 0 || first.RetryAfter > r.engine.HookTimeout {
		t.Errorf("the first pass returns %+v, %v; want another no later than the hook's time is over", first, err)
	}
	_, err = r.engine.Converge(r.ctx, r.target, r.desired(""))
	if e := asError[*reconcile.FailedError](t, err); e.Object.Name != "app-migrate" || !strings.Contains(e.Message, "not done 3s") || !strings.Contains(e.Log, "still at it") {
		t.Errorf("error = %v", err)
	}

	// The layer knows its hooks better, and is not another one for that.
	r.chart.HookTimeout = "1h"
	again, err := r.engine.Reconcile(r.ctx, r.target, r.desired(""))
	if err != nil || len(again.Waiting) != 1 || again.RetryAfter == 0 {
		t.Errorf("with an hour for the layer: %+v, %v", again, err)
	}
	r.chart.HookTimeout = "1s"
	_, err = r.engine.Reconcile(r.ctx, r.target, r.desired(""))
	if e := asError[*reconcile.FailedError](t, err); !strings.Contains(e.Message, "not done 1s") {
		t.Errorf("with a second for the layer: %v", err)
	}
	r.removes()
}

// What a container that was restarted said before tells why, and which of several
// containers it is.
func TestE2EHookLogOfRestarted(t *testing.T) {
	for name, test := range map[string]struct{ annotations, want string }{
		"restarted": {`strata.dev/test-restarted: main, strata.dev/test-log: "try two", strata.dev/test-log-before: "no such host"`, `container "main", before it was restarted:` + "\nno such host"},
		"crashing":  {`strata.dev/test-crash: wait, strata.dev/test-log-before: "no such table"`, `init container "wait", before it was restarted:` + "\nno such table"},
		"silent":    {`strata.dev/test-restarted: main, strata.dev/test-log-main: "try two"`, `container "main":` + "\ntry two"},
		"both":      {`strata.dev/test-log: "still at it", strata.dev/test-log-proxy: "I proxy"`, "container \"proxy\":\nI proxy\ncontainer \"main\":\nstill at it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chart := brokenChart(`strata.dev/test-finish-after: 1h, ` + test.annotations)
			chart[len(chart)-1] = strings.NewReplacer("containers: [", "initContainers: [{name: wait, image: registry.k8s.io/pause:3.10}]\n      containers: [{name: proxy, image: registry.k8s.io/pause:3.10}, ").Replace(chart[len(chart)-1])
			r := newReleased(t, "log-"+name, chart...)
			r.engine.HookTimeout = 2 * time.Second
			_, err := r.engine.Converge(r.ctx, r.target, r.desired(""))
			if e := asError[*reconcile.FailedError](t, err); e.Log != test.want {
				t.Errorf("the log is\n%s\nwant\n%s", e.Log, test.want)
			}
			r.removes()
		})
	}
}

const hookKinds = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.hookkinds.example.com
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-weight: "-5", helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}
spec:
  group: hookkinds.example.com
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: app-b
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: hook-succeeded}
---
apiVersion: v1
kind: Pod
metadata:
  name: app-a
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: "before-hook-creation,hook-failed", strata.dev/test-fail: "{{ .Values.fail }}", strata.dev/test-log: "the pod says so"}
spec:
  restartPolicy: Never
  containers: [{name: main, image: registry.k8s.io/pause:3.10}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: app-test, annotations: {helm.sh/hook: test}}
`

// Hooks may be anything; definitions among them are never deleted.
func TestE2EHookKinds(t *testing.T) {
	r := newReleased(t, "hookkinds",
		"Chart.yaml", "apiVersion: v2\nname: released\nversion: 1.0.0\n", "values.yaml", "fail: false\ntext: one\ndouble: false\n",
		"templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ if .Values.double }}app-b{{ else }}app{{ end }}}\ndata: {text: {{ .Values.text }}}\n",
		"templates/hooks.yaml", hookKinds,
	)
	r.converge(r.desired(""))
	if got, want := strings.Join(r.trace(), ", "), "pre-install things.hookkinds.example.com, pre-install app-a, pre-install app-b, create app"; got != want {
		t.Errorf("what happened is %q, want %q", got, want)
	}
	crd, err := r.dynamic.Resource(crds).Get(r.ctx, "things.hookkinds.example.com", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.engine.Converge(r.ctx, r.target, r.desired("{text: two, fail: true}"))
	if e := asError[*reconcile.FailedError](t, err); e.Object.Name != "app-a" || !strings.Contains(e.Log, "the pod says so") {
		t.Errorf("error = %v, want that of the pod", err)
	}
	pod, err := r.kube.CoreV1().Pods("hookkinds").Get(r.ctx, "app-a", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) && (err != nil || pod.DeletionTimestamp == nil) {
		t.Errorf("a hook that is to be deleted when it failed is there: %v", err)
	}
	r.converge(r.desired("text: three"))
	r.says("three")
	if again, err := r.dynamic.Resource(crds).Get(r.ctx, crd.GetName(), metav1.GetOptions{}); err != nil || again.GetUID() != crd.GetUID() {
		t.Errorf("the definition is another one now: %v", err)
	}
	for _, gone := range []string{"app-b", "app-test"} {
		if _, err := r.kube.CoreV1().ConfigMaps("hookkinds").Get(r.ctx, gone, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("%s is there: %v", gone, err)
		}
	}
	_, err = r.engine.Plan(r.ctx, r.target, r.desired("double: true"))
	if e := asError[*reconcile.DuplicateError](t, err); e.Object.Name != "app-b" {
		t.Errorf("error = %v, want that an object is a hook as well", err)
	}
	r.removes()
}

// A layer that wants it is ready when the tests of its chart have passed.
func TestE2EHookTests(t *testing.T) {
	fails := podSays(hookFile("probe", "test", "0", "helm.sh/hook-delete-policy: \"before-hook-creation,hook-succeeded\""), `strata.dev/test-fail: "{{ .Values.fail }}", strata.dev/test-log: "nobody answers"`)
	r := newReleased(t, "tested",
		"Chart.yaml", "apiVersion: v2\nname: released\nversion: 1.0.0\n", "values.yaml", "fail: false\ntext: one\n",
		"templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {text: {{ .Values.text }}}\n",
		"templates/tests/probe.yaml", fails, "templates/tests/second.yaml", hookFile("second", "test", "1", ""),
		"templates/after.yaml", hookFile("after", "post-install", "0", ""),
	)
	expect := func(want string) {
		t.Helper()
		if got := strings.Join(r.trace(), ", "); got != want {
			t.Errorf("what happened is %q, want %q", got, want)
		}
	}
	r.converge(r.desired(""))
	expect("create app, post-install app-after")

	r.chart.Test = true
	d := r.desired("{text: two, fail: true}")
	plan, err := r.engine.Plan(r.ctx, r.target, d)
	if err != nil || len(plan.Hooks) != 2 || plan.Hooks[0].Event != "test" {
		t.Fatalf("the plan runs %+v, %v; want both tests", plan.Hooks, err)
	}
	_, err = r.engine.Converge(r.ctx, r.target, d)
	if e := asError[*reconcile.FailedError](t, err); e.Object.Name != "app-probe" || !strings.Contains(e.Log, "nobody answers") {
		t.Errorf("error = %v, want that of the test, with its log", err)
	}
	if got := r.helm("status", "app", "-n", "tested", "--show-desc"); !strings.Contains(got, "nobody answers") || !strings.Contains(got, "STATUS: failed") {
		t.Errorf("helm status says\n%s", got)
	}
	expect("update app, test app-probe")

	r.converge(r.desired("text: three"))
	expect("update app, test app-probe, test app-second")
	if result, err := r.engine.Reconcile(r.ctx, r.target, r.desired("text: three")); err != nil || !result.Ready || result.Cost.Writes > 0 {
		t.Errorf("one more pass = %+v, %v; want nothing done", result, err)
	}
	r.removes()
}
