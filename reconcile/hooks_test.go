package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

const hook = `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-NAME
  annotations:
    helm.sh/hook: EVENTS
    helm.sh/hook-weight: "WEIGHT"
    MORE
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {strata.dev/test-fail: "{{ .Values.fail }}"}}
    spec:
      restartPolicy: Never
      containers: [{name: main, image: registry.k8s.io/pause:3.10}]
`

func hookFile(name, events, weight, more string) string {
	return strings.NewReplacer("NAME", name, "EVENTS", events, "WEIGHT", weight, "MORE", more).Replace(hook)
}

func hookChart(version string) fstest.MapFS {
	return files(
		"Chart.yaml", "apiVersion: v2\nname: hooked\nversion: "+version+"\n",
		"values.yaml", "fail: false\ntext: one\n",
		"templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {text: {{ .Values.text }}}\n",
		"templates/second.yaml", hookFile("second", "pre-install,pre-upgrade", "2", ""),
		"templates/first.yaml", strings.Replace(hookFile("first", "pre-install", "-1", "helm.sh/hook-delete-policy: hook-succeeded"), "restartPolicy", "serviceAccountName: {{ .Release.Name }}-account\n      restartPolicy", 1),
		// One hook needs another, which is to go when all have succeeded.
		"templates/account.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ .Release.Name }}-account\n  annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: \"-5\", helm.sh/hook-delete-policy: \"before-hook-creation,hook-succeeded\"}\n",
		"templates/after.yaml", hookFile("after", "post-install,post-upgrade", "0", "helm.sh/hook-delete-policy: before-hook-creation"),
		"templates/bye.yaml", hookFile("bye", "pre-delete", "0", "helm.sh/hook-delete-policy: hook-succeeded"),
		"templates/test.yaml", hookFile("test", "test", "0", ""),
	)
}

// trace returns what happened to hooks and config maps, in order.
func (l *life) trace() []string {
	var all []string
	for _, e := range l.events {
		switch {
		case e.Type == reconcile.HookStarted:
			all = append(all, e.Message+" "+e.Object.Name)
		case e.Type == reconcile.ObjectApplied && e.Object.Kind == "ConfigMap":
			all = append(all, string(e.Action)+" "+e.Object.Name)
		case e.Type == reconcile.ObjectDeleted && e.Object.Kind == "ConfigMap":
			all = append(all, "delete "+e.Object.Name)
		}
	}
	l.events = nil
	return all
}

func TestE2EHooks(t *testing.T) {
	l := newLife(t, "hooks")
	client := l.server.Client()
	for _, version := range []string{"1.0.0"} {
		if _, err := client.PushChart(l.ctx, l.server.URL, hookChart(version)); err != nil {
			t.Fatal(err)
		}
	}
	desired := func(values string) *profile.Desired {
		t.Helper()
		one := layer.Layer{Name: "app", Namespace: "hooks", Source: layer.Source{Helm: &layer.Helm{Chart: "hooked"}}, Values: values}
		d, err := profile.Resolve(l.ctx, client, nil, &profile.Profile{Name: "hooks", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{one}})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	expect := func(want ...string) {
		t.Helper()
		if got := l.trace(); !slices.Equal(got, want) {
			t.Errorf("what happened is %q, want %q", got, want)
		}
	}
	l.converge(desired(""))
	expect("pre-install app-account", "pre-install app-first", "pre-install app-second", "create app", "post-install app-after")
	if _, err := l.kube.BatchV1().Jobs("hooks").Get(l.ctx, "app-first", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a hook that is to be deleted when it succeeded is there: %v", err)
	}
	if _, err := l.kube.CoreV1().ServiceAccounts("hooks").Get(l.ctx, "app-account", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the account of the hooks is there: %v", err)
	}
	if job, err := l.kube.BatchV1().Jobs("hooks").Get(l.ctx, "app-second", metav1.GetOptions{}); err != nil || job.Status.Succeeded != 1 {
		t.Errorf("a hook is %+v, %v; want it complete", job.Status, err)
	}
	if result, err := l.engine.Reconcile(l.ctx, l.target, desired("")); err != nil || !result.Ready || result.Cost.Writes > 0 {
		t.Errorf("the second reconcile = %+v, %v; want nothing done", result, err)
	}
	l.converge(desired("text: two"))
	expect("pre-upgrade app-second", "update app", "post-upgrade app-after")

	// A repair is no upgrade.
	if err := l.kube.CoreV1().ConfigMaps("hooks").Delete(l.ctx, "app", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.converge(desired("text: two"))
	expect("repair app")

	// A hook that fails ends the wait, and what comes after it does not happen.
	_, err := l.engine.Converge(l.ctx, l.target, desired("{text: three, fail: true}"))
	if e := asError[*reconcile.FailedError](t, err); e.Object.Name != "app-second" {
		t.Errorf("error = %v, want the hook that failed", err)
	}
	expect("pre-upgrade app-second")
	l.converge(desired("text: four"))
	expect("pre-upgrade app-second", "update app", "post-upgrade app-after")
	if got := l.helm("get", "hooks", "app", "-n", "hooks"); strings.Count(got, "kind: Job") != 5 {
		t.Errorf("helm get hooks says\n%s", got)
	}
	if got := l.helm("history", "app", "-n", "hooks"); strings.Count(got, "superseded") != 2 {
		t.Errorf("helm history says\n%s", got)
	}

	asked := l.server.Requests()
	l.removes()
	expect("pre-delete app-bye", "delete app")
	if n := l.server.Requests() - asked; n != 0 {
		t.Errorf("deleting makes %d requests to the registry", n)
	}
	jobs, err := l.kube.BatchV1().Jobs("hooks").List(l.ctx, metav1.ListOptions{})
	for _, j := range jobs.Items {
		if j.DeletionTimestamp == nil {
			t.Errorf("hook %s is left: %v", j.Name, err)
		}
	}
	if ns, err := l.kube.CoreV1().Namespaces().Get(l.ctx, "hooks", metav1.GetOptions{}); err == nil && ns.DeletionTimestamp == nil {
		t.Error(fmt.Sprint("the namespace is left: ", ns.Status))
	}
}
