package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// A modelLayer is a layer of config maps, each with one value.
type modelLayer struct {
	order     int
	namespace string
	values    map[string]string // by the name of the config map
}

// A model is what shall be on the cluster, and the plain truth about what must
// be: no cleverness of the engine is in it.
type model struct {
	*crashWorld
	*rand.Rand
	layers    map[string]*modelLayer
	chart     string // the value of the chart, "" if it is not in the stack
	strangers map[string]bool
	taken     string // the config map of which somebody applies a field
	spaces    []string

	runs, kills, faults int
}

func newModel(w *crashWorld, random *rand.Rand) *model {
	return &model{
		crashWorld: w, Rand: random, layers: map[string]*modelLayer{}, strangers: map[string]bool{},
		spaces: []string{w.name, w.name + "-a", w.name + "-b"},
	}
}

func (m *model) desired() []layer.Layer {
	all := []layer.Layer{}
	for _, name := range slices.Sorted(maps.Keys(m.layers)) {
		l := m.layers[name]
		var docs []string
		for _, o := range slices.Sorted(maps.Keys(l.values)) {
			docs = append(docs, fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %q}\ndata: {value: %q}\n", o, l.values[o]))
		}
		one := plain(name, strings.Join(docs, "---\n"))
		one.InstallOrder, one.Namespace = l.order, l.namespace
		all = append(all, one)
	}
	if m.chart != "" {
		all = append(all, layer.Layer{
			Name: "app", Namespace: m.name + "-app", InstallOrder: 1, Values: "a: " + m.chart + "\n",
			Source: layer.Source{Helm: &layer.Helm{Registry: "shelf", Chart: "small"}},
		})
	}
	return all
}

func pick[T any](m *model, all []T) T { return all[m.IntN(len(all))] }

// edit changes the stack.
func (m *model) edit() string {
	names := slices.Sorted(maps.Keys(m.layers))
	what := m.IntN(8)
	if what == 0 || len(names) < 2 {
		name := fmt.Sprint("layer-", m.IntN(5))
		if m.layers[name] != nil || m.has(name) {
			return "nothing"
		}
		m.layers[name] = &modelLayer{m.IntN(3), pick(m, m.spaces), map[string]string{name: "first"}}
		return "add " + name
	}
	name := pick(m, names)
	l := m.layers[name]
	objects := slices.Sorted(maps.Keys(l.values))
	switch what {
	case 1:
		delete(m.layers, name)
		return "remove " + name
	case 2:
		l.order = m.IntN(3)
		return fmt.Sprint("order ", name, " ", l.order)
	case 3:
		l.namespace = pick(m, m.spaces)
		return "move " + name + " to " + l.namespace
	case 4:
		o := fmt.Sprint(name, "-", m.IntN(3))
		if m.has(o) {
			return "nothing"
		}
		l.values[o] = "new"
		return "add " + o
	case 5:
		o, other := pick(m, objects), pick(m, names)
		if len(objects) == 1 || other == name {
			return "nothing"
		}
		m.layers[other].values[o] = l.values[o]
		delete(l.values, o)
		return "move " + o + " from " + name + " to " + other
	case 6:
		m.chart = pick(m, []string{"", "one", "two", "three"})
		return "chart " + m.chart
	default:
		o := pick(m, objects)
		l.values[o] = fmt.Sprint("value ", m.IntN(1000))
		return "change " + o
	}
}

// has reports whether a layer has a config map of that name.
func (m *model) has(name string) bool {
	for _, l := range m.layers {
		if _, ok := l.values[name]; ok {
			return true
		}
	}
	return false
}

// interfere has somebody else change what is on the cluster.
func (m *model) interfere() string {
	ours, err := m.kube.CoreV1().ConfigMaps("").List(m.ctx, metav1.ListOptions{LabelSelector: m.selector()})
	m.must(err)
	ours.Items = slices.DeleteFunc(ours.Items, func(c corev1.ConfigMap) bool { return strings.HasPrefix(c.Name, "app") })
	if len(ours.Items) == 0 {
		return "nothing"
	}
	victim := pick(m, ours.Items)
	api := m.kube.CoreV1().ConfigMaps(victim.Namespace)
	patch := func(kind types.PatchType, manager, data string, force *bool) {
		_, err := api.Patch(m.ctx, victim.Name, kind, []byte(data), metav1.PatchOptions{FieldManager: manager, Force: force})
		m.must(err)
	}
	yes := true
	what := victim.Namespace + "/" + victim.Name
	switch m.IntN(6) {
	case 0:
		patch(types.MergePatchType, "kubectl-edit", `{"data": {"value": "edited"}}`, nil)
		return "edit " + what
	case 1:
		m.must(api.Delete(m.ctx, victim.Name, metav1.DeleteOptions{}))
		return "delete " + what
	case 2:
		patch(types.JSONPatchType, "kubectl-edit", `[{"op": "remove", "path": "/metadata/labels/applyset.kubernetes.io~1part-of"}]`, nil)
		return "unlabel " + what
	case 3:
		patch(types.MergePatchType, "kubectl-edit", `{"data": {"value": null}}`, nil)
		return "empty " + what
	case 4:
		m.taken = what
		patch(types.ApplyPatchType, "other", `{"apiVersion": "v1", "kind": "ConfigMap", "data": {"value": "taken"}}`, &yes)
		return "take " + what
	default:
		name := fmt.Sprint("stranger-", m.IntN(100))
		_, err := m.kube.CoreV1().ConfigMaps(m.name).Create(m.ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		if !apierrors.IsAlreadyExists(err) {
			m.must(err)
		}
		m.strangers[name] = true
		return "add " + name
	}
}

func (m *model) selector() string {
	return reconcile.Target{Name: m.name, Namespace: m.name}.Selector()
}

// disturb returns a context and a configuration in which something may go wrong.
func (m *model) disturb() (context.Context, *rest.Config) {
	ctx, cancel := context.WithCancel(m.ctx)
	m.Cleanup(cancel)
	config := rest.CopyConfig(m.config)
	faults := new(reconciletest.Faults)
	config.Wrap(faults.Wrap)
	var once sync.Once
	counted := func(count *int, f reconciletest.Fault) reconciletest.Fault {
		return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			once.Do(func() { *count++ })
			return f(r, next)
		}
	}
	switch m.IntN(4) {
	case 0:
		faults.Play(reconciletest.Rule{Skip: m.IntN(60), Times: reconciletest.Always, Fault: counted(&m.kills, reconciletest.Die(cancel))})
	case 1:
		fault := transient[pick(m, slices.Sorted(maps.Keys(transient)))]
		faults.Play(reconciletest.Rule{Skip: m.IntN(60), Times: 1 + m.IntN(3), Fault: counted(&m.faults, fault)})
	}
	return ctx, config
}

// run brings the target to the desired state, with new processes where the last
// one died or gave up.
func (m *model) run() error {
	var err error
	for try := range 5 {
		ctx, config := m.ctx, m.config
		if try < 3 {
			ctx, config = m.disturb()
		}
		m.runs++
		layers := m.desired()
		if len(layers) == 0 {
			layers = nil
		}
		r := &reconcile.Reconciler{Fetcher: charts, Identity: "model", Force: []reconcile.ForceRule{{Manager: "kubectl-edit"}}}
		err = bring(ctx, r, reconcile.Target{Config: config, Name: m.name, Namespace: m.name}, layers)
		if err == nil || errors.Is(err, reconcile.ErrTerminal) && ctx.Err() == nil {
			return err
		}
	}
	return err
}

// round makes some edits, and compares what comes of them with the model.
func (m *model) round() []string {
	var did []string
	for range 1 + m.IntN(3) {
		did = append(did, m.edit())
	}
	if m.IntN(2) == 0 {
		did = append(did, m.interfere())
	}
	err := m.run()
	if _, conflict := errors.AsType[*reconcile.ConflictError](err); conflict && m.taken != "" {
		did = append(did, "give up "+m.taken)
		namespace, name, _ := strings.Cut(m.taken, "/")
		_, err := m.kube.CoreV1().ConfigMaps(namespace).Patch(m.ctx, name, types.ApplyPatchType,
			[]byte(`{"apiVersion": "v1", "kind": "ConfigMap"}`), metav1.PatchOptions{FieldManager: "other"})
		m.must(err)
		m.must(m.run())
	} else if err != nil {
		m.Errorf("%v", err)
	}
	m.taken = ""
	m.compare()
	time.Sleep(24 * time.Hour) // for whoever edits not to be taken for one who fights
	return did
}

// compare compares the cluster with the model.
func (m *model) compare() {
	m.Helper()
	want := map[string]string{}
	spaces := map[string]bool{m.name: true}
	for name, l := range m.layers {
		spaces[l.namespace] = true
		for o, v := range l.values {
			want[l.namespace+"/"+o] = v + " of " + name
		}
	}
	for s := range m.strangers {
		want[m.name+"/"+s] = " of "
	}
	revisions := 0
	if m.chart != "" {
		spaces[m.name+"-app"], revisions = true, 1
		want[m.name+"-app/app"], want[m.name+"-app/app-after"] = " of app", " of app"
	}
	got, deployed := map[string]string{}, 0
	all, err := m.kube.CoreV1().ConfigMaps("").List(m.ctx, metav1.ListOptions{})
	m.must(err)
	for _, c := range all.Items {
		if c.Name == "kube-root-ca.crt" {
			continue
		}
		if ours := c.Labels["applyset.kubernetes.io/part-of"] != ""; ours != (c.Labels["strata.dev/layer"] != "") {
			m.Errorf("%s has the labels %v", c.Name, c.Labels)
		}
		got[c.Namespace+"/"+c.Name] = c.Data["value"] + " of " + c.Labels["strata.dev/layer"]
	}
	if !maps.Equal(got, want) {
		m.Errorf("there are %v, want %v", got, want)
	}
	secrets, err := m.kube.CoreV1().Secrets("").List(m.ctx, metav1.ListOptions{LabelSelector: "owner=helm"})
	m.must(err)
	for _, s := range secrets.Items {
		if s.Labels["status"] == "deployed" {
			deployed++
		} else if s.Labels["status"] != "superseded" && s.Labels["status"] != "failed" {
			m.Errorf("the record %s is %s", s.Name, s.Labels["status"])
		}
	}
	if deployed != revisions || revisions == 0 && len(secrets.Items) > 0 {
		m.Errorf("%d of %d records are deployed, want %d", deployed, len(secrets.Items), revisions)
	}
	for _, ns := range append(m.spaces, m.name+"-app") {
		if _, err := m.kube.CoreV1().Namespaces().Get(m.ctx, ns, metav1.GetOptions{}); (err == nil) != spaces[ns] {
			m.Errorf("the namespace %s: %v; want it there: %v", ns, err, spaces[ns])
		}
	}
	m.compareInventory(want)
}

func (m *model) compareInventory(want map[string]string) {
	m.Helper()
	secret, err := m.kube.CoreV1().Secrets(m.name).Get(m.ctx, "strata-"+m.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && len(m.desired()) == 0 {
		return
	}
	m.must(err)
	inv, err := inventory.Decode(secret.Data["inventory"])
	m.must(err)
	listed := map[string]bool{}
	for _, l := range inv.Layers {
		for _, o := range l.Objects {
			if key := o.Namespace + "/" + o.Name; listed[key] || want[key] == "" || o.UID == "" || o.Applied == "" {
				m.Errorf("the inventory has %s of layer %s, twice: %v", key, l.Name, listed[key])
			}
			listed[o.Namespace+"/"+o.Name] = true
		}
	}
	for key, is := range want {
		if !listed[key] && !strings.HasSuffix(is, " of ") && !strings.HasSuffix(key, "/app-after") {
			m.Errorf("the inventory lacks %s", key)
		}
	}
	if inv.Holder != (inventory.Holder{}) {
		m.Errorf("the inventory is held by %v", inv.Holder)
	}
}

// TestModel edits stacks and clusters at random, with faults and deaths at
// random requests, and compares what comes of it with a model. STRATA_TEST_SEED
// repeats a run, STRATA_TEST_LONG ("10m") makes it last.
func TestModel(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds: run without -short")
	}
	seed, end := seedOf(t), time.Now().Add(20*time.Second)
	if long, err := time.ParseDuration(os.Getenv("STRATA_TEST_LONG")); err == nil {
		end = time.Now().Add(long)
	}
	var rounds, runs, kills, faults int
	for i := uint64(0); time.Now().Before(end) && !t.Failed(); i++ {
		synctest.Test(t, func(t *testing.T) {
			var cluster reconciletest.Simulation
			m := newModel(newCrashWorld(t.Context(), t, cluster.Config(), "model"), rand.New(rand.NewPCG(seed+i, 0)))
			var did []string
			for n := 0; n < 25 && !t.Failed(); n++ {
				did = m.round()
				if os.Getenv("STRATA_TEST_SEED") != "" {
					t.Log(n, did)
				}
				rounds++
			}
			if t.Failed() {
				t.Errorf("seed %d; the last round: %s; the stack: %+v", seed+i, strings.Join(did, "; "), m.layers)
			}
			runs, kills, faults = runs+m.runs, kills+m.kills, faults+m.faults
		})
	}
	t.Logf("seed %d: %d rounds, %d runs, %d kills, %d faults", seed, rounds, runs, kills, faults)
}
