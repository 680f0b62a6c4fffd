package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// crashWorld is a small stack in its versions.
type crashWorld struct {
	*life
	first, second *profile.Desired
}

func newCrashWorld(t *testing.T) crashWorld {
	l := newLife(t, "crash")
	// Not ours, so that it need not be made and deleted each time.
	if _, err := l.kube.CoreV1().Namespaces().Create(l.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: l.target.Namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.server.Client().PushChart(l.ctx, l.server.URL, files(
		"Chart.yaml", "apiVersion: v2\nname: small\nversion: 1.0.0\n",
		"templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: crash-chart}\ndata: {a: {{ .Values.a }}}\n",
		"values.yaml", "a: one\n",
	)); err != nil {
		t.Fatal(err)
	}
	world := func(layers ...layer.Layer) *profile.Desired {
		d, err := profile.Resolve(l.ctx, l.server.Client(), nil, &profile.Profile{Name: "crash", Version: "1.0.0", Type: profile.AddOn, Layers: layers})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	chart := layer.Layer{Name: "chart", Namespace: "default", InstallOrder: 1, Source: layer.Source{Helm: &layer.Helm{Chart: "small"}}}
	upgraded := chart
	upgraded.Values = "a: two\n"
	return crashWorld{
		life:   l,
		first:  world(plain("base", objects("x", "y")), chart, plain("old", objects("z"))),
		second: world(plain("base", objects("x", "y", "w")), upgraded, plain("new", objects("v"))),
	}
}

func objects(names ...string) string {
	var docs []string
	for _, n := range names {
		docs = append(docs, fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: crash-%s, namespace: default}\n", n))
	}
	return strings.Join(docs, "---\n")
}

// fresh returns a new process: a Reconciler of the same identity, that dies
// after some requests.
func (w crashWorld) fresh(requests int) (context.Context, *reconcile.Reconciler, reconcile.Target) {
	ctx, cancel := context.WithCancel(w.ctx)
	w.Cleanup(cancel)
	faults := new(reconciletest.Faults)
	faults.Play(reconciletest.Rule{Skip: requests, Times: reconciletest.Always, Fault: reconciletest.Die(cancel)})
	target := w.target
	target.Config = rest.CopyConfig(shared.Config)
	target.Config.Wrap(faults.Wrap)
	return ctx, &reconcile.Reconciler{Fetcher: w.engine.Fetcher, Identity: "crash"}, target
}

const forever = 1 << 30

// owned returns the names of all config maps and release records with our label.
func (w crashWorld) owned() []string {
	w.Helper()
	var names []string
	for _, resource := range []string{"configmaps", "secrets"} {
		list, err := w.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: resource}).List(w.ctx, metav1.ListOptions{LabelSelector: w.target.Selector()})
		if err != nil {
			w.Fatal(err)
		}
		for _, o := range list.Items {
			names = append(names, o.GetName())
		}
	}
	slices.Sort(names)
	return names
}

// dies runs do in processes that die after one request, after two, and so on,
// until one survives. After each, one more run without a death must lead to the
// same state, and then reset to the state before.
func (w crashWorld) dies(what string, do, reset func(context.Context, *reconcile.Reconciler, reconcile.Target) error, want []string) {
	w.Helper()
	for n := 0; ; n++ {
		died := do(w.fresh(n))
		if died != nil && !errors.Is(died, context.Canceled) {
			w.Fatalf("%s, dead after %d requests: %v", what, n, died)
		}
		if err := do(w.fresh(forever)); err != nil {
			w.Fatalf("%s, after a death at request %d: %v", what, n, err)
		}
		if got := w.owned(); !slices.Equal(got, want) {
			w.Fatalf("%s, after a death at request %d: there are %v, want %v", what, n, got, want)
		}
		if err := reset(w.fresh(forever)); err != nil {
			w.Fatal(err)
		}
		if died == nil {
			w.Logf("%s: survived %d deaths", what, n)
			return
		}
	}
}

func TestE2ECrash(t *testing.T) {
	w := newCrashWorld(t)
	converge := func(d *profile.Desired) func(context.Context, *reconcile.Reconciler, reconcile.Target) error {
		return func(ctx context.Context, r *reconcile.Reconciler, target reconcile.Target) error {
			_, err := r.Converge(ctx, target, d)
			return err
		}
	}
	remove := func(ctx context.Context, r *reconcile.Reconciler, target reconcile.Target) error {
		_, err := r.DeleteAndWait(ctx, target)
		return err
	}
	first := []string{"crash-chart", "crash-x", "crash-y", "crash-z", "sh.helm.release.v1.chart.v1"}
	w.dies("install", converge(w.first), remove, first)

	if err := converge(w.first)(w.fresh(forever)); err != nil {
		t.Fatal(err)
	}
	second := []string{"crash-chart", "crash-v", "crash-w", "crash-x", "crash-y", "sh.helm.release.v1.chart.v1", "sh.helm.release.v1.chart.v2"}
	back := func(ctx context.Context, r *reconcile.Reconciler, target reconcile.Target) error {
		if err := remove(ctx, r, target); err != nil {
			return err
		}
		return converge(w.first)(ctx, r, target)
	}
	w.dies("upgrade", converge(w.second), back, second)
	w.dies("delete", remove, converge(w.first), nil)
}
