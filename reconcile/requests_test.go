package reconcile_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

// forecast makes a plan, carries it out, and checks that this took as many
// requests as the plan says. Applying makes the plan again.
func (l *life) forecast(plan func() (*reconcile.Plan, error)) *reconcile.Plan {
	l.Helper()
	l.rec.take()
	p, err := plan()
	if err != nil {
		l.Fatal(err)
	}
	planned, writes := l.rec.take()
	if len(writes) > 0 {
		l.Errorf("planning writes %v", writes)
	}
	result, err := l.engine.Apply(l.ctx, l.target, p)
	if err != nil || !result.Ready {
		l.Fatalf("Apply = %+v, %v; want all of it done at once", result, err)
	}
	all, writes := l.rec.take()
	got := reconcile.Cost{Reads: int64(len(all) - len(writes) - len(planned)), Writes: int64(len(writes))}
	if got != p.Requests {
		l.Errorf("Apply takes %+v, the plan says %+v\n%s%v\nof these for planning:\n%v", got, p.Requests, p, all, planned)
	}
	return p
}

func service(name string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + ", namespace: default}\nspec: {ports: [{port: 80}]}\n"
}

// Where nothing has to be waited for, a plan says exactly how many requests it
// takes: to install, to do nothing, to change, to remove a layer, and to delete.
func TestE2ERequests(t *testing.T) {
	l := newLife(t, "requests")
	client := l.server.Client()
	for _, chart := range []string{"1.0.0", "1.1.0"} {
		if _, err := client.PushChart(l.ctx, l.server.URL, files(
			"Chart.yaml", "apiVersion: v2\nname: web\nversion: "+chart+"\n", "values.yaml", "",
			"templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: requests-web}\ndata: {version: "+chart+"}\n",
			"templates/hook.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: requests-hook\n  annotations: {helm.sh/hook: \"pre-install,pre-upgrade,post-delete\", helm.sh/hook-weight: \"5\", helm.sh/hook-delete-policy: hook-succeeded}\n",
		)); err != nil {
			t.Fatal(err)
		}
	}
	state := func(version string, layers ...layer.Layer) *profile.Desired {
		t.Helper()
		web := layer.Layer{Name: "web", InstallOrder: 5, Source: layer.Source{Helm: &layer.Helm{Chart: "web", Version: version}}}
		p := &profile.Profile{Name: "apps", Version: "1.0.0", Type: profile.AddOn, Layers: append(layers, web)}
		d, err := profile.Resolve(l.ctx, client, nil, p)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	plans := func(d *profile.Desired) func() (*reconcile.Plan, error) {
		return func() (*reconcile.Plan, error) { return l.engine.Plan(l.ctx, l.target, d) }
	}
	first, second := plain("first", service("requests-a")+"---\n"+configMap("requests-a")), plain("second", configMap("requests-b"))
	second.InstallOrder = 2
	install := l.forecast(plans(state("1.0.0", first, second)))
	if h := install.Hooks; len(h) != 1 || h[0].Event != "pre-install" || h[0].Weight != 5 || h[0].Release != "web" || h[0].Object.Name != "requests-hook" || h[0].Object.Namespace != "default" {
		t.Errorf("hooks are %+v", h)
	}
	if text := install.String(); !strings.Contains(text, "second (apps@1.0.0)") || !strings.Contains(text, "pre-install of release web, weight 5") {
		t.Errorf("the plan is\n%s", text)
	}
	if idle := l.forecast(plans(state("1.0.0", first, second))); idle.Requests != (reconcile.Cost{}) {
		t.Errorf("with nothing to do, the plan says %+v", idle.Requests)
	}
	first.Manifests.Inline[0].Content = strings.Replace(first.Manifests.Inline[0].Content, "port: 80", "port: 81", 1)
	update := l.forecast(plans(state("1.1.0", first, second)))
	if update.Count(reconcile.Update) != 2 || len(update.Hooks) != 1 || update.Hooks[0].Event != "pre-upgrade" {
		t.Errorf("the plan is\n%s", update)
	}
	l.forecast(plans(state("1.1.0", first)))

	deletion := func() (*reconcile.Plan, error) { return l.engine.PlanDelete(l.ctx, l.target) }
	one, err := deletion()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := deletion(); err != nil || again.Digest() != one.Digest() {
		t.Errorf("two plans of one world have the digests %s and %s (%v)", one.Digest(), again.Digest(), err)
	}
	all := l.forecast(deletion)
	if all.Count(reconcile.Delete) != 3 || len(all.Hooks) != 1 || all.Hooks[0].Event != "post-delete" || all.Desired != "" {
		t.Errorf("the plan is\n%s", all)
	}
}

func configMap(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: default}\n"
}

// Deletions are approved and budgeted like everything else, and leave out what
// stays.
func TestE2EDeletionApproved(t *testing.T) {
	l := newLife(t, "farewell")
	claim := "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: farewell, namespace: default}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n"
	one := plain("app", configMap("farewell")+claim)
	one.Namespace = "farewell-app"
	if _, err := l.engine.Reconcile(l.ctx, l.target, desiredOf(t, one)); err != nil { // nobody binds the claim
		t.Fatal(err)
	}
	plan, err := l.engine.PlanDelete(l.ctx, l.target)
	if err != nil || plan.Count(reconcile.Delete) != 2 || plan.Count(reconcile.Keep) != 1 {
		t.Fatalf("PlanDelete = %v, %v; want two to go and the claim to stay", plan, err)
	}
	if last := plan.Steps[len(plan.Steps)-1]; last.Object.Kind != "Namespace" {
		t.Errorf("last to go is %v, want the namespace", last.Object)
	}
	l.rec.take()
	l.engine.Budget = reconcile.Budget{Namespaces: []string{"default"}}
	_, err = l.engine.Delete(l.ctx, l.target)
	if e := asError[*reconcile.BudgetError](t, err); len(e.Objects) != 1 || e.Objects[0].Name != "farewell" || e.Objects[0].Kind != "ConfigMap" {
		t.Errorf("the budget says %v", err)
	}
	l.engine.Budget = reconcile.Budget{}
	no := errors.New("no")
	l.engine.Approve = func(_ context.Context, _ reconcile.Target, p *reconcile.Plan) error {
		if p.Digest() != plan.Digest() {
			t.Errorf("another plan is to be approved:\n%s", p)
		}
		return no
	}
	if _, err := l.engine.DeleteAndWait(l.ctx, l.target); !errors.Is(err, no) {
		t.Errorf("without approval, deleting gives %v", err)
	}
	if _, writes := l.rec.take(); len(writes) > 0 {
		t.Errorf("writes are %v, want none", writes)
	}
	l.engine.Approve = nil
	if err := l.kube.CoreV1().ConfigMaps("default").Delete(l.ctx, "farewell", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.engine.Prune.PersistentVolumeClaims = true
	_, err = l.engine.Apply(l.ctx, l.target, plan)
	asError[*reconcile.StaleError](t, err)
	l.removes()
}
