package prometheus_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/prometheus"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// desired returns a state with a layer for each mode of drift.
func desired(t *testing.T, value string) *profile.Desired {
	t.Helper()
	var layers []layer.Layer
	for _, mode := range []layer.DriftMode{layer.DriftCorrect, layer.DriftReport} {
		content := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: default}\ndata: {a: %q}\n", mode, value)
		layers = append(layers, layer.Layer{
			Name: string(mode), Drift: layer.DriftPolicy{Mode: mode},
			Source: layer.Source{Manifests: &layer.Manifests{Inline: []layer.Manifest{{Name: "objects", Content: content}}}},
		})
	}
	d, err := profile.Resolve(t.Context(), nil, nil, &profile.Profile{Name: "p", Version: "1.0.0", Type: profile.AddOn, Layers: layers})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tested is a simulated cluster with metrics.
type tested struct {
	*testing.T
	clientset *kubernetes.Clientset
	registry  *prom.Registry
	metrics   *prometheus.Collector
	engine    *reconcile.Reconciler
	target    reconcile.Target
}

func newTested(t *testing.T) *tested {
	t.Helper()
	var cluster reconciletest.Simulation
	x := &tested{T: t, registry: prom.NewPedanticRegistry(), metrics: new(prometheus.Collector)}
	x.target = reconcile.Target{Config: cluster.Config(), Cluster: "eu", Name: "shop"}
	x.engine = &reconcile.Reconciler{Observer: x.metrics}
	x.registry.MustRegister(x.metrics)
	var err error
	if x.clientset, err = kubernetes.NewForConfig(cluster.Config()); err != nil {
		t.Fatal(err)
	}
	return x
}

// edit changes both ConfigMaps as somebody else.
func (x *tested) edit() {
	x.Helper()
	for _, name := range []string{"correct", "report"} {
		_, err := x.clientset.CoreV1().ConfigMaps("default").Patch(context.WithoutCancel(x.Context()), name, types.MergePatchType, []byte(`{"data":{"a":"other"}}`), metav1.PatchOptions{FieldManager: "them"})
		if err != nil {
			x.Fatal(err)
		}
	}
}

// want compares metrics, in Prometheus' text without comments.
func (x *tested) want(text string, names ...string) {
	x.Helper()
	families, err := x.registry.Gather()
	if err != nil {
		x.Fatal(err)
	}
	var got []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, name := range names {
				value := m.GetGauge().GetValue() + m.GetCounter().GetValue()
				if f.GetName() != "strata_"+name || value == 0 {
					continue
				}
				line := name
				for _, l := range m.GetLabel() {
					line += " " + l.GetValue()
				}
				got = append(got, fmt.Sprint(line, " ", value))
			}
		}
	}
	if want := strings.TrimSpace(text); strings.Join(got, "\n") != want {
		x.Errorf("the metrics are\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// requests returns how many requests the metrics have, of a code and a verb.
func (x *tested) requests(of string) int64 {
	x.Helper()
	families, err := x.registry.Gather()
	if err != nil {
		x.Fatal(err)
	}
	n := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if l := m.GetLabel(); f.GetName() == "strata_api_requests_total" && strings.HasPrefix(l[1].GetValue()+" "+l[2].GetValue(), of) {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return int64(n)
}

func TestMetrics(t *testing.T) {
	x := newTested(t)
	converge := func(value string) error {
		_, err := x.engine.Converge(t.Context(), x.target, desired(t, value))
		return err
	}
	if err := converge("1"); err != nil {
		t.Fatal(err)
	}
	x.want(`
layer_health eu Ready shop correct 1
layer_health eu Ready shop report 1
objects_total create eu shop correct 1
objects_total create eu shop report 1
passes_total eu shop ready 1
`, "objects_total", "passes_total", "layer_health", "drift_left", "drift_repaired_total")
	x.edit()
	if err := converge("1"); err != nil {
		t.Fatal(err)
	}
	if err := converge("1"); err != nil {
		t.Fatal(err)
	}
	x.want(`
drift_left eu shop report 1
drift_repaired_total eu shop correct 1
layer_health eu Drifted shop report 1
layer_health eu Ready shop correct 1
objects_total create eu shop correct 1
objects_total create eu shop report 1
objects_total repair eu shop correct 1
passes_total eu shop ready 3
`, "objects_total", "passes_total", "layer_health", "drift_left", "drift_repaired_total")
	if n, err := testutil.GatherAndCount(x.registry, "strata_last_success_timestamp_seconds", "strata_pass_duration_seconds"); err != nil || n != 2 {
		t.Errorf("%d series of times, %v; want 2", n, err)
	}
	if _, err := x.engine.DeleteAndWait(t.Context(), x.target); err != nil {
		t.Fatal(err)
	}
	x.want("", "layer_health", "drift_left")
	x.metrics.Forget(x.target.ID())
	x.want("", "layer_health", "objects_total", "passes_total", "drift_repaired_total", "api_requests_total")
}

func TestConflictsAndRequests(t *testing.T) {
	x := newTested(t)
	result, err := x.engine.Converge(t.Context(), x.target, desired(t, "1"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := x.requests(""), result.Cost.Reads+result.Cost.Writes; got != want {
		t.Errorf("the metrics have %d requests, the result has %d", got, want)
	}
	if n := x.requests("201 apply"); n != 2 {
		t.Errorf("the metrics have %d objects applied, want 2", n)
	}
	const theirs = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"correct"},"data":{"a":"theirs"}}`
	force := true
	_, err = x.clientset.CoreV1().ConfigMaps("default").Patch(t.Context(), "correct", types.ApplyPatchType, []byte(theirs), metav1.PatchOptions{FieldManager: "them", Force: &force})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.engine.Reconcile(t.Context(), x.target, desired(t, "2")); err == nil {
		t.Fatal("a conflict is no error")
	}
	x.want(`
conflicts_total eu shop correct 1
layer_health eu Failed shop correct 1
layer_health eu Ready shop report 1
passes_total eu shop failed 1
passes_total eu shop ready 1
`, "conflicts_total", "passes_total", "layer_health")
}
