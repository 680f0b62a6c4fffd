package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// TestLife goes through all steps, and after each looks at the cluster with
// client-go alone.
func TestLife(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	t.Parallel()
	var out bytes.Buffer
	l := &life{out: &out, folder: t.TempDir()}
	t.Cleanup(func() {
		if err := l.close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(out.String())
		}
	})
	checks := []func(*testing.T, *life, string){
		nil, resolved, installed, lookedAt, nothingDone, repaired, upgraded, swapped, removed, wentBack, deleted,
	}
	steps := l.steps()
	if len(steps) != len(checks) {
		t.Fatalf("%d steps, %d checks", len(steps), len(checks))
	}
	for i, s := range steps {
		from := out.Len()
		if err := s.do(t.Context()); err != nil {
			t.Fatalf("%s: %v", s.title, err)
		}
		if check := checks[i]; check != nil {
			t.Run(s.title, func(t *testing.T) { check(t, l, out.String()[from:]) })
		}
	}
	if strings.Contains(out.String(), l.token) {
		t.Error("the output shows the value of a sensitive variable")
	}
}

func resolved(t *testing.T, l *life, out string) {
	contains(t, out, "cluster@1.0.0 + apps@1.0.0", "ubuntu            24.x        24.04 ", "hello             ~1.0        1.0.0 ")
	for _, pin := range l.desired.Lock().Layers {
		contains(t, out, pin.Digest.Encoded()[:12])
	}
}

func installed(t *testing.T, l *life, out string) {
	if !l.last.Ready {
		t.Error("not ready")
	}
	client, ctx := l.kubectl.client, t.Context()
	hello, err := client.AppsV1().Deployments("quickstart").Get(ctx, "hello", metav1.GetOptions{})
	if err != nil || hello.Status.AvailableReplicas != 2 {
		t.Errorf("Deployment hello: %d available, %v; want 2", hello.Status.AvailableReplicas, err)
	}
	secret, err := client.CoreV1().Secrets("quickstart").Get(ctx, "hello-token", metav1.GetOptions{})
	if err != nil || string(secret.Data["token"]) != l.token {
		t.Errorf("Secret hello-token: %v, or another token", err)
	}
	facts, err := client.CoreV1().ConfigMaps("quickstart").Get(ctx, "cluster", metav1.GetOptions{})
	if err != nil || facts.Data["kubernetes"] != "1.36.3" || facts.Data["name"] != "quickstart" || facts.Data["madeFrom"] != "cluster" {
		t.Errorf("ConfigMap cluster: %v, %v", facts.Data, err)
	}
	alerts, err := client.CoreV1().ConfigMaps("quickstart-monitoring").Get(ctx, "alerts", metav1.GetOptions{})
	if err != nil || !strings.Contains(alerts.Data["alerts.yaml"], "disk-full") {
		t.Errorf("ConfigMap alerts: %v, %v", alerts.Data, err)
	}
	if _, err := client.NetworkingV1().NetworkPolicies("quickstart").Get(ctx, "default-deny", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	inOrder(t, out, "ubuntu ", "network-policies  ready", "local-storage     ready", "settings          ready", "hello             started", "hello             ready", "monitoring        started")
}

func lookedAt(t *testing.T, l *life, out string) {
	for file, want := range map[string]string{
		"status.svg": "<svg ", "status.txt": "quickstart/hello: chart hello 1.0.0", "status.json": `"release": "hello"`, "bom.json": `"CycloneDX"`,
	} {
		data, err := os.ReadFile(filepath.Join(l.folder, file))
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s has no %q: %v\n%s", file, want, err, data)
		}
	}
	inOrder(t, out, "LAYER ", "hello             add-on      helm       1.0.0    3        Ready", "✔ monitoring ", "✔ ubuntu ", "quickstart on Kubernetes v1.36.3")
}

func nothingDone(t *testing.T, l *life, out string) {
	if !l.last.Ready || len(l.last.Steps) > 0 || l.last.Cost.Writes > 0 || l.last.Cost.Reads == 0 {
		t.Errorf("ready %v, %d steps, cost %+v; want nothing but reads", l.last.Ready, len(l.last.Steps), l.last.Cost)
	}
	contains(t, out, " 0 writes")
}

func repaired(t *testing.T, l *life, out string) {
	inOrder(t, out, "hello  Drifted  Service quickstart/hello  it was deleted", "hello  Drifted  Deployment.apps quickstart/hello  ", ".spec.replicas: 5 -> 2", " 2 repaired,")
	hello, err := l.kubectl.client.AppsV1().Deployments("quickstart").Get(t.Context(), "hello", metav1.GetOptions{})
	if err != nil || *hello.Spec.Replicas != 2 {
		t.Errorf("Deployment hello: %v, or not 2 replicas", err)
	}
	if _, err := l.kubectl.client.CoreV1().Services("quickstart").Get(t.Context(), "hello", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

func upgraded(t *testing.T, l *life, out string) {
	contains(t, out, "cluster@1.0.0 + apps@1.1.0", `"registry.k8s.io/pause:3.10" -> "registry.k8s.io/pause:3.10.1"`)
	done(t, l, map[reconcile.Action]int{reconcile.Create: 1, reconcile.Update: 2})
	hello, err := l.kubectl.client.AppsV1().Deployments("quickstart").Get(t.Context(), "hello", metav1.GetOptions{})
	if err != nil || hello.Spec.Template.Spec.Containers[0].Image != "registry.k8s.io/pause:3.10.1" {
		t.Errorf("Deployment hello: %v, or not the new image", err)
	}
}

func swapped(t *testing.T, l *life, out string) {
	contains(t, out, "cluster@1.1.0 + apps@1.1.0")
	done(t, l, map[reconcile.Action]int{reconcile.Create: 2, reconcile.Delete: 1})
	classes, err := l.kubectl.client.StorageV1().StorageClasses().List(t.Context(), metav1.ListOptions{LabelSelector: "strata.dev/layer"})
	var names []string
	for _, c := range classes.Items {
		names = append(names, c.Name)
	}
	if err != nil || !slices.Equal(names, []string{"quickstart-nfs", "quickstart-nfs-archive"}) {
		t.Errorf("storage classes %v, %v", names, err)
	}
}

func removed(t *testing.T, l *life, out string) {
	contains(t, out, "cluster@1.1.0 + apps@2.0.0", "monitoring        removed")
	done(t, l, map[reconcile.Action]int{reconcile.Delete: 4})
	_, err := l.kubectl.client.CoreV1().Namespaces().Get(t.Context(), "quickstart-monitoring", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("namespace quickstart-monitoring: %v; want it to be gone", err)
	}
}

func wentBack(t *testing.T, l *life, out string) {
	contains(t, out, "cluster@1.1.0 + apps@2.0.0", "cluster@1.0.0 + apps@1.0.0", "monitoring        ready")
	done(t, l, map[reconcile.Action]int{reconcile.Create: 4})
	if _, err := l.kubectl.client.CoreV1().Namespaces().Get(t.Context(), "quickstart-monitoring", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

func deleted(t *testing.T, l *life, out string) {
	inOrder(t, out, "hello             removed", "settings          removed", "nfs-storage       removed", "ubuntu            removed")
	contains(t, out, " 0 objects with it are left")
}

// TestKubeconfig runs the program against a cluster that is there already, and
// looks whether that is afterwards as it was before.
func TestKubeconfig(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	t.Parallel()
	cluster, err := reconciletest.StartControlPlane(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Close() })
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, cluster.Kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(cluster.Config)
	if err != nil {
		t.Fatal(err)
	}
	before := everything(t, client)
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-kubeconfig", file}, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	contains(t, out.String(), "Your cluster, "+cluster.Config.Host)
	// The API server needs a moment to delete the namespace of the records.
	after := everything(t, client)
	for deadline := time.Now().Add(20 * time.Second); !slices.Equal(before, after) && time.Now().Before(deadline); after = everything(t, client) {
		time.Sleep(50 * time.Millisecond)
	}
	if !slices.Equal(before, after) {
		t.Errorf("left on the cluster: %v; it had %v", after, before)
	}
}

// everything lists what a forgetful program would leave behind.
func everything(t *testing.T, client kubernetes.Interface) []string {
	t.Helper()
	namespaces, err1 := client.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{})
	secrets, err2 := client.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{})
	classes, err3 := client.StorageV1().StorageClasses().List(t.Context(), metav1.ListOptions{})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range namespaces.Items {
		names = append(names, "namespace "+o.Name)
	}
	for _, o := range secrets.Items {
		names = append(names, "secret "+o.Name)
	}
	for _, o := range classes.Items {
		names = append(names, "storage class "+o.Name)
	}
	slices.Sort(names)
	return names
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-context x":                   "-context needs -kubeconfig",
		"now":                          `unknown argument "now"`,
		"-kubeconfig testdata/nowhere": "reading testdata/nowhere",
	} {
		err := run(context.Background(), strings.Fields(args), new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", args, err, want)
		}
	}
}

// done checks how often the last step did what.
func done(t *testing.T, l *life, want map[reconcile.Action]int) {
	t.Helper()
	got := map[reconcile.Action]int{}
	for _, s := range l.last.Steps {
		got[s.Action]++
	}
	for _, a := range []reconcile.Action{reconcile.Create, reconcile.Update, reconcile.Repair, reconcile.Delete} {
		if got[a] != want[a] {
			t.Errorf("%s: %d objects, want %d", a, got[a], want[a])
		}
	}
}

func contains(t *testing.T, out string, wanted ...string) {
	t.Helper()
	for _, text := range wanted {
		if !strings.Contains(out, text) {
			t.Errorf("the output lacks %q:\n%s", text, out)
		}
	}
}

// inOrder checks that out contains the texts, one after the other.
func inOrder(t *testing.T, out string, texts ...string) {
	t.Helper()
	rest := out
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Errorf("the output lacks %q, or has it too early:\n%s", text, out)
			return
		}
		rest = after
	}
}
