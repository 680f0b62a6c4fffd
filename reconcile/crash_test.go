package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/reconcile"
)

// charts are what the stacks of crash tests are made from.
var charts = shelf{
	"small": files(
		"Chart.yaml", "apiVersion: v2\nname: small\nversion: 1.0.0\n",
		"values.yaml", "a: one\nfail: false\n",
		"templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {a: {{ .Values.a }}}\n",
		"templates/setup.yaml", hookFile("setup", "pre-install", "0", "helm.sh/hook-delete-policy: hook-succeeded"),
		"templates/after.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-after, annotations: {helm.sh/hook: 'post-install,post-upgrade', helm.sh/hook-delete-policy: before-hook-creation}}\n",
		"templates/migrate.yaml", hookFile("migrate", "pre-upgrade", "0", ""),
		"templates/bye.yaml", hookFile("bye", "pre-delete", "0", "helm.sh/hook-delete-policy: hook-succeeded"),
	),
}

// A crashWorld is one target with a life of its own: its stack is installed,
// upgraded and deleted again and again.
type crashWorld struct {
	*testing.T
	ctx    context.Context
	config *rest.Config
	kube   *kubernetes.Clientset
	name   string // of the target, and of the namespace of its inventory
}

func newCrashWorld(ctx context.Context, t *testing.T, config *rest.Config, name string) *crashWorld {
	t.Helper()
	config = rest.CopyConfig(config)
	config.QPS = -1
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	// Not ours, so that it need not be made and deleted each time.
	home := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := clientset.CoreV1().Namespaces().Create(ctx, home, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return &crashWorld{t, ctx, config, clientset, name}
}

func configMapsIn(namespace string, names ...string) string {
	var docs []string
	for _, n := range names {
		docs = append(docs, fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %q, namespace: %q}\n", n, namespace))
	}
	return strings.Join(docs, "---\n")
}

// A moment in the life of a crashWorld: what is brought about, and what must be
// there then.
type moment struct {
	what   string
	layers []layer.Layer
	maps   []string // config maps, those of hooks among them
	jobs   []string // of hooks, that stay
	hooks  []string // that run, each once
	record []string // status of each revision
	anyWay bool     // how it came about, jobs and revisions tell, does not matter
}

func (w *crashWorld) moments() []moment {
	app := layer.Layer{Name: "app", Namespace: w.name + "-app", InstallOrder: 1, Source: layer.Source{Helm: &layer.Helm{Registry: "shelf", Chart: "small"}}}
	upgraded := app
	upgraded.Values = "a: two\n"
	return []moment{
		{
			"install", []layer.Layer{plain("base", configMapsIn(w.name, "x", "y")), app, plain("old", configMapsIn(w.name, "z")), plain("more", configMapsIn(w.name, "m"))},
			[]string{"app", "app-after", "m", "x", "y", "z"}, nil, []string{"app-after", "app-setup"}, []string{"deployed"}, false,
		},
		{
			"upgrade", []layer.Layer{plain("base", configMapsIn(w.name, "x", "y", "w")), upgraded, plain("new", configMapsIn(w.name, "v"))},
			[]string{"app", "app-after", "v", "w", "x", "y"}, []string{"app-migrate"}, []string{"app-after", "app-migrate"}, []string{"superseded", "deployed"}, false,
		},
		{what: "delete", hooks: []string{"app-bye"}},
	}
}

func (w *crashWorld) order(s moment) order {
	return order{Kubeconfig: shared.Kubeconfig, Name: w.name, Namespace: w.name, Identity: "crash", Layers: s.layers}
}

// A death says when a process is killed.
type death struct {
	when   when
	number int           // of the request, or of the write
	after  time.Duration // its begin, when there is no number
}

type when string

const (
	beforeWrite   when = "before write"   // it does not reach the server
	afterWrite    when = "after write"    // it is carried out, and the answer is not heard
	beforeRequest when = "before request" // of any kind
	anyTime       when = "any time"       // with many requests on their way at once
)

func (d death) String() string {
	if d.when == anyTime {
		return d.after.String() + " after it began"
	}
	return fmt.Sprintf("%s %d", d.when, d.number)
}

// comes returns a function that reports whether the moment has come.
func (d death) comes() func(announcement) bool {
	n := 0
	return func(a announcement) bool {
		switch {
		case d.when == anyTime && a.Phase == "begin":
			time.Sleep(d.after)
			return true
		case d.when == beforeWrite && a.Phase == "before" && a.Call.write(),
			d.when == afterWrite && a.Phase == "after" && a.Call.write(),
			d.when == beforeRequest && a.Phase == "before":
			n++
			return n > d.number
		}
		return false
	}
}

// dies has a process that brings about a moment killed, and another go on. It
// reports whether the process lived long enough to be killed.
func (w *crashWorld) dies(s moment, d death) bool {
	w.Helper()
	o, comes := w.order(s), d.comes()
	o.Ask = d.when != anyTime
	var said []announcement
	err := o.run(func(a announcement) bool {
		said = append(said, a)
		return comes(a)
	})
	if err != nil && !errors.Is(err, errKilled) {
		w.Fatalf("%s %s, killed %s: %v", w.name, s.what, d, err)
	}
	again := w.finish(s, fmt.Sprintf("%s, killed %s", s.what, d))
	if o.Ask {
		w.nothingTwice(s, said, again)
	}
	return err != nil
}

// finish brings a moment about in a new life of the process, and checks it.
func (w *crashWorld) finish(s moment, what string) []announcement {
	w.Helper()
	var said []announcement
	target := reconcile.Target{Config: gated(w.config, &said), Name: w.name, Namespace: w.name}
	if err := bring(w.ctx, &reconcile.Reconciler{Fetcher: charts, Identity: "crash"}, target, s.layers); err != nil {
		w.Errorf("%s %s: %v", w.name, what, err)
	}
	w.check(s, what)
	return said
}

// nothingTwice checks that a write that the server carried out for the first
// process is not repeated by the second, but for the inventory itself.
func (w *crashWorld) nothingTwice(s moment, first, second []announcement) {
	w.Helper()
	written, hooks := map[call]int{}, map[string]int{}
	for _, a := range slices.Concat(first, second) {
		if a.Phase != "after" || !a.Call.write() || a.Status >= 300 || strings.HasPrefix(a.Call.Name, "strata-"+w.name) {
			continue
		}
		a.Call.Query = ""
		written[a.Call]++
		if a.Call.Method == http.MethodPost {
			hooks[a.Call.Name]++
		}
	}
	for c, n := range written {
		if n > 1 {
			w.Errorf("%s %s: %s %s %s was done %d times", w.name, s.what, c.Method, c.Path, c.Name, n)
		}
	}
	for _, h := range s.hooks {
		if hooks[h] != 1 {
			w.Errorf("%s %s: the hook %s ran %d times", w.name, s.what, h, hooks[h])
		}
	}
}

// check compares everything on the cluster that has to do with the target with
// what a moment leaves.
func (w *crashWorld) check(s moment, what string) {
	w.Helper()
	selector := reconcile.Target{Name: w.name, Namespace: w.name}.Selector()
	inAll, labelled := metav1.ListOptions{}, metav1.ListOptions{LabelSelector: selector}
	var names, jobs, records []string
	for _, options := range []metav1.ListOptions{inAll, labelled} {
		names, jobs, records = nil, nil, nil
		for _, ns := range []string{w.name, w.name + "-app"} {
			maps, err := w.kube.CoreV1().ConfigMaps(ns).List(w.ctx, options)
			w.must(err)
			for _, m := range maps.Items {
				if m.Name != "kube-root-ca.crt" {
					names = append(names, m.Name)
				}
			}
			list, err := w.kube.BatchV1().Jobs(ns).List(w.ctx, options)
			w.must(err)
			for _, j := range list.Items {
				if j.DeletionTimestamp == nil {
					jobs = append(jobs, j.Name)
				}
			}
			secrets, err := w.kube.CoreV1().Secrets(ns).List(w.ctx, options)
			w.must(err)
			for _, secret := range secrets.Items {
				if s.layers == nil || !strings.HasPrefix(secret.Name, "strata-"+w.name) {
					records = append(records, secret.Labels["status"])
				}
			}
		}
		slices.Sort(names)
		if s.anyWay {
			jobs, records = s.jobs, s.record
		}
		if !slices.Equal(names, s.maps) || !slices.Equal(jobs, s.jobs) || !slices.Equal(records, s.record) {
			w.Errorf("%s %s: there are %v, hooks %v, records %v; want %v, %v, %v", w.name, what, names, jobs, records, s.maps, s.jobs, s.record)
		}
	}
	ns, err := w.kube.CoreV1().Namespaces().Get(w.ctx, w.name+"-app", metav1.GetOptions{})
	if there := err == nil && ns.DeletionTimestamp == nil; there != (s.layers != nil) {
		w.Errorf("%s %s: the namespace is there: %v", w.name, what, there)
	}
	w.checkInventory(s, what)
}

func (w *crashWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// checkInventory checks that the inventory lists what is there, and nothing else.
func (w *crashWorld) checkInventory(s moment, what string) {
	w.Helper()
	secret, err := w.kube.CoreV1().Secrets(w.name).Get(w.ctx, "strata-"+w.name, metav1.GetOptions{})
	if s.layers == nil && apierrors.IsNotFound(err) {
		return
	}
	w.must(err)
	inv, err := inventory.Decode(secret.Data["inventory"])
	w.must(err)
	var names []string
	for _, l := range inv.Layers {
		if l.Inputs == "" || l.Ready.IsZero() || l.Dropped {
			w.Errorf("%s %s: the inventory has layer %s not ready", w.name, what, l.Name)
		}
		for _, o := range l.Objects {
			names = append(names, o.Name)
			if o.UID == "" || o.Applied == "" || o.Dropped || !o.Created {
				w.Errorf("%s %s: the inventory has %+v", w.name, what, o)
			}
		}
		for _, o := range l.Leftovers {
			if o.UID != "" && (!s.anyWay || o.Kind != "Job") {
				names = append(names, o.Name)
			}
		}
	}
	slices.Sort(names)
	want := slices.Clone(s.maps)
	if !s.anyWay {
		want = slices.Sorted(slices.Values(slices.Concat(s.maps, s.jobs)))
	}
	if !slices.Equal(names, want) || len(inv.Namespaces) != 1 || !inv.Namespaces[0].Created || inv.Holder != (inventory.Holder{}) {
		w.Errorf("%s %s: the inventory has %v, namespaces %v, holder %v", w.name, what, names, inv.Namespaces, inv.Holder)
	}
}

// deaths are those that one test has its processes die. Before requests that
// only read, each of which finds the cluster as the one before, it takes some.
type deaths struct {
	mu     sync.Mutex
	random *rand.Rand
	list   []death
	over   map[string]bool // where no process lives long enough any more
	kills  int
}

// next returns the next death, or false.
func (d *deaths) next() (death, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.list) == 0 {
		return death{}, false
	}
	one := d.list[0]
	d.list = d.list[1:]
	return one, true
}

// most is more than any run of the crash tests makes requests.
const most = 200

func newDeaths(seed uint64) *deaths {
	d := &deaths{random: rand.New(rand.NewPCG(seed, 0)), over: map[string]bool{}}
	for range 5 {
		d.list = append(d.list, death{when: anyTime, after: time.Duration(d.random.IntN(1500)) * time.Millisecond})
	}
	for n := range most {
		d.list = append(d.list, death{when: beforeWrite, number: n}, death{when: afterWrite, number: n})
	}
	for n := 0; n < most; n += stride(d.random, 25) {
		d.list = append(d.list, death{when: beforeRequest, number: n})
	}
	return d
}

// of has the processes of a world that bring about its moments die so.
func (d *deaths) of(w *crashWorld, one death) {
	for _, m := range w.moments() {
		where := string(one.when) + m.what
		d.mu.Lock()
		over := d.over[where]
		d.mu.Unlock()
		if over {
			w.finish(m, m.what)
			continue
		}
		killed := w.dies(m, one)
		d.mu.Lock()
		if killed {
			d.kills++
		} else if one.when != anyTime {
			d.over[where] = true
		}
		if d.over[string(one.when)+"install"] && d.over[string(one.when)+"upgrade"] && d.over[string(one.when)+"delete"] {
			d.list = slices.DeleteFunc(d.list, func(other death) bool { return other.when == one.when })
		}
		d.mu.Unlock()
	}
}

// TestE2EKilled kills processes, with SIGKILL, at the boundaries of the requests
// of an install, an upgrade and a delete, and at any time. After each, one more
// run must lead to what is wanted, and repeat nothing. STRATA_TEST_SEED repeats
// a choice, STRATA_TEST_LONG takes every boundary.
func TestE2EKilled(t *testing.T) {
	needsControlPlane(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	seed := seedOf(t)
	d := newDeaths(seed)
	var wg sync.WaitGroup
	for i := range 8 {
		w := newCrashWorld(ctx, t, shared.Config, fmt.Sprintf("killed-%d", i))
		wg.Go(func() {
			for !t.Failed() {
				one, ok := d.next()
				if !ok {
					return
				}
				d.of(w, one)
			}
		})
	}
	wg.Wait()
	t.Logf("seed %d: %d kills", seed, d.kills)
}
