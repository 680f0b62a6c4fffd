package reconcile_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

// helmInstall installs a chart with Helm's own command, and returns what the
// command says.
func (l *life) helmInstall(chart fs.FS, release string, args ...string) (string, error) {
	l.Helper()
	binary, err := helmBinary()
	if err != nil {
		l.Fatal(err)
	}
	dir := l.TempDir()
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(kubeconfig, shared.Kubeconfig, 0o600); err != nil {
		l.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "chart"), chart); err != nil {
		l.Fatal(err)
	}
	all := append([]string{"install", release, filepath.Join(dir, "chart"), "-n", "found-" + release, "--create-namespace", "--kubeconfig", kubeconfig}, args...)
	out, err := exec.CommandContext(l.ctx, binary, all...).CombinedOutput()
	return string(out), err
}

// What Helm installed is found, and taken over without a change.
func TestE2EDiscover(t *testing.T) {
	l := newLife(t, "found")
	push(t, l.server)
	cache := files("Chart.yaml", "apiVersion: v2\nname: cache\nversion: 0.1.0\n", "values.yaml", "replicas: 1\n", "templates/deployment.yaml", deployment)
	if _, err := l.server.Client().PushChart(l.ctx, l.server.URL, cache); err != nil {
		t.Fatal(err)
	}
	if out, err := l.helmInstall(webChart("1.0.0", "hello"), "site", "--set", "replicas=2,auth.password=hunter2"); err != nil {
		t.Fatal(out)
	}
	t.Setenv("HELM_DRIVER", "configmap")
	if out, err := l.helmInstall(cache, "store"); err != nil {
		t.Fatal(out)
	}
	t.Setenv("HELM_DRIVER", "secret")
	bad := files("Chart.yaml", "apiVersion: v2\nname: bad\nversion: 0.1.0\n", "templates/bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not_a_name}\n")
	if out, err := l.helmInstall(bad, "bad"); err == nil {
		t.Fatalf("Helm installs a bad chart: %s", out)
	}
	mine := l.ownInstallation()

	hints := reconcile.Hints{Namespaces: []string{"found-site", "found-store", "found-bad", "found-mine", mine.Namespace}}
	l.finds(hints)
	l.rec.take()
	hints.Registries, hints.Resolver = map[string]string{"": l.server.URL}, l.server.Client()
	d, err := l.engine.Discover(l.ctx, l.target, hints)
	if err != nil {
		t.Fatal(err)
	}
	if _, writes := l.rec.take(); len(writes) > 0 {
		t.Errorf("discovering writes %v", writes)
	}
	if len(d.Lock.Layers) != 2 || d.Lock.Layers[0].Digest == "" {
		t.Errorf("the lock is %+v", d.Lock)
	}
	onlyAdopts(t, d.Plan)
	if slices.ContainsFunc(d.Gaps, func(g reconcile.Gap) bool { return g.Kind == reconcile.GapChange }) {
		t.Errorf("taking over changes nothing, and the gaps are %v", d.Gaps)
	}
	l.findsMoody()

	// The profile does the same on its own, after it was written and read.
	text, err := d.Profile.Format()
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	desired, err := profile.Resolve(l.ctx, nil, d.Lock, p)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := l.engine.Plan(l.ctx, l.target, desired)
	if err != nil {
		t.Fatal(err)
	}
	onlyAdopts(t, plan)
	l.takesOver(desired)
	if _, err := l.engine.DeleteAndWait(l.ctx, mine); err != nil {
		t.Error(err)
	}
	for _, ns := range hints.Namespaces[:3] {
		if err := l.kube.CoreV1().Namespaces().Delete(l.ctx, ns, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}
}

// findsMoody finds a chart that makes a password anew each time, and has a hook:
// the discovery says that it cannot be taken over as it is.
func (l *life) findsMoody() {
	l.Helper()
	moody := files("Chart.yaml", "apiVersion: v2\nname: moody\nversion: 0.1.0\n",
		"templates/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: moody}\nstringData: {key: '{{ randAlphaNum 8 }}', sum: '{{ randAlphaNum 8 | sha256sum }}'}\n",
		"templates/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: before\n  annotations: {helm.sh/hook: pre-upgrade}\n")
	if _, err := l.server.Client().PushChart(l.ctx, l.server.URL, moody); err != nil {
		l.Fatal(err)
	}
	if out, err := l.helmInstall(moody, "moody"); err != nil {
		l.Fatal(out)
	}
	d, err := l.engine.Discover(l.ctx, l.target, reconcile.Hints{
		Namespaces: []string{"found-moody"}, Registries: map[string]string{"": l.server.URL}, Resolver: l.server.Client(),
	})
	const want = "found-moody/moody: taking it over changes Secret found-moody/moody (1 field); what templates make anew, such as passwords, can be set in the values, and runs the hooks pre-upgrade ConfigMap found-moody/before"
	if err != nil || len(d.Gaps) != 1 || d.Gaps[0].Kind != reconcile.GapChange || d.Gaps[0].String() != want {
		l.Errorf("the gaps are %v, %v; want %s", d.Gaps, err, want)
	}
	if err := l.kube.CoreV1().Namespaces().Delete(l.ctx, "found-moody", metav1.DeleteOptions{}); err != nil {
		l.Error(err)
	}
}

// takesOver carries the proposal out: no pod is made anew for it.
func (l *life) takesOver(d *profile.Desired) {
	l.Helper()
	before, err := l.kube.AppsV1().Deployments("found-site").Get(l.ctx, "site", metav1.GetOptions{})
	if err != nil {
		l.Fatal(err)
	}
	l.converge(d)
	after, err := l.kube.AppsV1().Deployments("found-site").Get(l.ctx, "site", metav1.GetOptions{})
	if err != nil || after.UID != before.UID || after.Generation != before.Generation {
		l.Errorf("taken over, the deployment has generation %d, %v; want it to stay %d", after.Generation, err, before.Generation)
	}
	again, err := l.engine.Discover(l.ctx, l.target, reconcile.Hints{Namespaces: []string{"found-site", "found-store"}})
	if err != nil || again.Profile != nil {
		l.Errorf("taken over, there is still something to take over: %v\n%s", err, again)
	}
	l.removes()
}

// ownInstallation installs a chart by ourselves.
func (l *life) ownInstallation() reconcile.Target {
	l.Helper()
	t := l.target
	t.Name, t.Namespace = "mine", "strata-found-mine"
	one := layer.Layer{Name: "mine", Namespace: "found-mine", Source: layer.Source{Helm: &layer.Helm{Chart: "web", Version: "1.0.0"}}}
	d, err := profile.Resolve(l.ctx, l.server.Client(), nil, &profile.Profile{Name: "mine", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{one}})
	if err != nil {
		l.Fatal(err)
	}
	if _, err := l.engine.Converge(l.ctx, t, d); err != nil {
		l.Fatal(err)
	}
	return t
}

// finds looks at the cluster without knowing a registry.
func (l *life) finds(hints reconcile.Hints) {
	l.Helper()
	d, err := l.engine.Discover(l.ctx, l.target, hints)
	if err != nil {
		l.Fatal(err)
	}
	var releases, gaps []string
	for _, r := range d.Releases {
		releases = append(releases, strings.Join([]string{r.Namespace, r.Name, r.Status, r.Chart, r.Version, r.Installation, r.Layer}, " "))
	}
	want := []string{
		"found-bad bad failed bad 0.1.0  ", "found-mine mine deployed web 1.0.0 strata-found-mine/mine ",
		"found-site site deployed web 1.0.0  site", "found-store store deployed cache 0.1.0  store",
	}
	if !slices.Equal(releases, want) {
		l.Errorf("the releases are %q, want %q", releases, want)
	}
	for _, g := range d.Gaps {
		gaps = append(gaps, string(g.Kind)+" "+g.Release)
	}
	want = []string{"Unfinished found-bad/bad", "Registry found-site/site", "Sensitive found-site/site", "Registry found-store/store"}
	if !slices.Equal(gaps, want) {
		l.Errorf("the gaps are %v, want %v", gaps, want)
	}
	if len(d.Installations) != 1 || d.Installations[0].Name != "mine" || fmt.Sprint(d.Installations[0].Layers) != "[mine]" {
		l.Errorf("the installations are %+v", d.Installations)
	}
	if d.Lock != nil || d.Plan != nil || len(d.Profile.Layers) != 2 {
		l.Errorf("without a registry there is %v", d)
	}
	if all, err := l.engine.Discover(l.ctx, l.target, reconcile.Hints{}); err != nil || len(all.Releases) < len(d.Releases) {
		l.Errorf("in all namespaces there are %v, %v", all, err)
	}
}

// onlyAdopts checks that a plan takes everything over and changes but the labels
// that say whose it is.
func onlyAdopts(t *testing.T, p *reconcile.Plan) {
	t.Helper()
	if n := p.Count(reconcile.Adopt); n != 4 || n != len(p.Steps) {
		t.Errorf("the plan adopts %d of %d, want 4 objects:\n%s", n, len(p.Steps), p)
	}
	for _, s := range p.Steps {
		for _, c := range s.Changes {
			if !strings.HasPrefix(c.Field, ".metadata.labels.") || !strings.Contains(c.Field, "applyset") && !strings.Contains(c.Field, "strata.dev") {
				t.Errorf("%s would change: %+v", s.Object, c)
			}
		}
	}
}
