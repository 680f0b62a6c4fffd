package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// A vigil is a target on a simulated cluster that is being watched. Its time is
// that of the bubble.
type vigil struct {
	*testing.T
	cluster reconciletest.Simulation
	faults  reconciletest.Faults
	line    line
	kube    *kubernetes.Clientset
	target  reconcile.Target

	mu     sync.Mutex
	events []reconcile.Event
	passes int
}

// Begin counts the passes.
func (v *vigil) Begin(ctx context.Context, s reconcile.Span) (context.Context, func(reconcile.Outcome)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s.Type == reconcile.SpanPass {
		v.passes++
	}
	return ctx, func(reconcile.Outcome) {}
}

// keeping runs do while a target is watched.
func keeping(t *testing.T, d *profile.Desired, do func(*vigil)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := &vigil{T: t}
		config := v.cluster.Config()
		var err error
		if v.kube, err = kubernetes.NewForConfig(config); err != nil {
			t.Fatal(err)
		}
		watched := rest.CopyConfig(config)
		watched.Wrap(v.faults.Wrap)
		watched.Wrap(func(next http.RoundTripper) http.RoundTripper {
			v.line.next = next
			return &v.line
		})
		v.target = reconcile.Target{Config: watched}
		engine := &reconcile.Reconciler{Observer: v, OnEvent: func(e reconcile.Event) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.events = append(v.events, e)
		}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- engine.Watch(ctx, v.target, d) }()
		v.settle()
		do(v)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch = %v, want that it was cancelled", err)
		}
	})
}

// settle waits until nothing happens that takes no more than a second, and
// forgets all that was counted.
func (v *vigil) settle() {
	time.Sleep(time.Second)
	synctest.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.faults.Take()
	v.events, v.passes = nil, 0
}

func (v *vigil) edit(name, value string) {
	v.Helper()
	body := fmt.Sprintf(`{"data": {"a": %q}}`, value)
	if _, err := v.kube.CoreV1().ConfigMaps("default").Patch(v.Context(), name, types.MergePatchType, []byte(body), metav1.PatchOptions{FieldManager: "them"}); err != nil {
		v.Fatal(err)
	}
}

func (v *vigil) value(name string) string {
	v.Helper()
	cm, err := v.kube.CoreV1().ConfigMaps("default").Get(v.Context(), name, metav1.GetOptions{})
	if err != nil {
		v.Fatal(err)
	}
	return cm.Data["a"]
}

// valuesOf returns a desired state of n config maps with a value.
func valuesOf(t *testing.T, n int) *profile.Desired {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d, namespace: default}\ndata: {a: ours}\n", i)
	}
	return manifests(t, b.String())
}

// withDeployment returns a desired state of a config map with a value, and a
// deployment.
func withDeployment(t *testing.T) *profile.Desired {
	t.Helper()
	return manifests(t, `
{apiVersion: v1, kind: ConfigMap, metadata: {name: c0, namespace: default}, data: {a: ours}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}}
`)
}

// The server has forgotten the version from which a watch goes on: what happened
// meanwhile is found by a list, and the watch goes on from there.
func TestWatchIsForgotten(t *testing.T) {
	keeping(t, valuesOf(t, 3), func(v *vigil) {
		v.line.cut(true)
		v.edit("c0", "x")
		if err := v.kube.CoreV1().ConfigMaps("default").Delete(v.Context(), "c1", metav1.DeleteOptions{}); err != nil {
			v.Fatal(err)
		}
		v.cluster.Forget()
		v.line.cut(false)
		time.Sleep(10 * time.Second)
		if v.value("c0") != "ours" || v.value("c1") != "ours" {
			v.Error("what happened while nobody watched is not repaired")
		}
		v.settle()
		v.edit("c2", "x")
		v.settle()
		if v.value("c2") != "ours" {
			v.Error("the watch does not go on")
		}
		time.Sleep(time.Hour)
		if all := v.faults.Take(); len(all) > 4 { // a watch lasts half an hour
			v.Errorf("while nothing happens, there are the requests %v", all)
		}
	})
}

// hold has somebody else be at work on the target for a time.
func (v *vigil) hold(d time.Duration) {
	v.Helper()
	secrets := v.kube.CoreV1().Secrets(reconcile.DefaultNamespace)
	secret, err := secrets.Get(v.Context(), "strata-default", metav1.GetOptions{})
	if err != nil {
		v.Fatal(err)
	}
	inv, err := inventory.Decode(secret.Data["inventory"])
	if err != nil {
		v.Fatal(err)
	}
	inv.Holder = inventory.Holder{Name: "somebody else", Until: time.Now().Add(d)}
	if secret.Data["inventory"], err = inv.Encode(); err != nil {
		v.Fatal(err)
	}
	if _, err := secrets.Update(v.Context(), secret, metav1.UpdateOptions{}); err != nil {
		v.Fatal(err)
	}
}

// While somebody else is at work nothing is repaired, and little asked; when he
// is taken for dead it is.
func TestWatchWaitsForTheLease(t *testing.T) {
	keeping(t, valuesOf(t, 3), func(v *vigil) {
		v.hold(30 * time.Second)
		v.edit("c0", "x")
		time.Sleep(29 * time.Second)
		if v.value("c0") != "x" {
			v.Error("it is repaired while somebody else is at work")
		}
		all := v.faults.Take()
		if len(all.Writes()) > 0 || len(all) > 60 {
			v.Errorf("while somebody else is at work there are %d requests, %d writes", len(all), len(all.Writes()))
		}
		time.Sleep(12 * time.Second)
		if v.value("c0") != "ours" {
			v.Error("it is not repaired when nobody is at work any more")
		}
	})
}

// flip changes a config map whenever it is as we want it, until stop is closed.
func (v *vigil) flip(stop <-chan struct{}, name string, repaired func()) {
	for {
		w, err := v.kube.CoreV1().ConfigMaps("default").Watch(v.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + name})
		if err != nil {
			return
		}
		for open := true; open; {
			select {
			case _, open = <-w.ResultChan():
			case <-stop:
				w.Stop()
				return
			}
			if v.value(name) == "ours" {
				repaired()
				v.edit(name, "x")
			}
		}
	}
}

// Another controller changes a field back whenever it is repaired. That is found,
// it is named, and kept off from for longer and longer; and whatever else drifts
// is repaired at once.
func TestWatchOfAFight(t *testing.T) {
	keeping(t, valuesOf(t, 3), func(v *vigil) {
		var repairs []time.Time
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			v.flip(stop, "c0", func() { repairs = append(repairs, time.Now()) })
		}()
		begun := time.Now()
		for range 24 {
			time.Sleep(time.Hour)
			v.edit("c1", time.Now().String())
			time.Sleep(time.Second)
			if v.value("c1") != "ours" {
				v.Fatalf("beside a fight nothing else is repaired")
			}
		}
		close(stop)
		<-done
		v.mu.Lock()
		defer v.mu.Unlock()
		fights := 0
		for _, e := range v.events {
			if e.Type == reconcile.FightFound && e.Drift.Manager == "them" && e.Drift.Field == ".data.a" && e.Object.Name == "c0" {
				fights++
			}
		}
		if fights == 0 {
			v.Error("no event names the fight")
		}
		if len(repairs) < 25 || len(repairs) > 40 {
			v.Errorf("in %s it is repaired %d times, want that it is kept off from for longer and longer, up to an hour", time.Since(begun), len(repairs))
		}
		for i := 3; i < len(repairs); i++ {
			if was, is := repairs[i-1].Sub(repairs[i-2]), repairs[i].Sub(repairs[i-1]); is < was && was < time.Hour {
				v.Errorf("after %s it is kept off from for only %s", was, is)
			}
		}
	})
}

// What is to be done at a time is done then, also if meanwhile somebody writes to
// other objects again and again.
func TestWatchIsNotPutOff(t *testing.T) {
	keeping(t, withDeployment(t), func(v *vigil) {
		for range 3 { // the third time it is a fight, and left for half a minute
			v.edit("c0", "x")
			time.Sleep(time.Second)
		}
		if v.value("c0") != "x" {
			v.Fatal("it is no fight")
		}
		for i := range 6 {
			body := fmt.Sprintf(`{"metadata": {"annotations": {"beat": "%d"}}}`, i)
			if _, err := v.kube.AppsV1().Deployments("default").Patch(v.Context(), "web", types.MergePatchType, []byte(body), metav1.PatchOptions{}); err != nil {
				v.Fatal(err)
			}
			time.Sleep(10 * time.Second)
		}
		if v.value("c0") != "ours" {
			v.Error("after the truce it is not repaired")
		}
	})
}

// So it is also while an object is not ready, which may be for ever.
func TestWatchOfAFightBesideTheUnready(t *testing.T) {
	keeping(t, withDeployment(t), func(v *vigil) {
		v.cluster.Behave(reconciletest.Behavior{Kind: "Deployment", Never: true})
		if err := v.kube.AppsV1().Deployments("default").Delete(v.Context(), "web", metav1.DeleteOptions{}); err != nil {
			v.Fatal(err)
		}
		v.settle()
		for range 3 {
			v.edit("c0", "x")
			time.Sleep(time.Second)
		}
		if v.value("c0") != "x" {
			v.Fatal("it is no fight")
		}
		time.Sleep(time.Minute)
		if v.value("c0") != "ours" {
			v.Error("after the truce it is not repaired")
		}
	})
}

// Very many objects change at once: few passes repair them, each is written once,
// and nothing else is.
func TestWatchOfABurst(t *testing.T) {
	const all, changed = 300, 200
	keeping(t, valuesOf(t, all), func(v *vigil) {
		for i := range changed {
			v.edit(fmt.Sprint("c", i), "x")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		written := map[string]int{}
		for _, w := range v.faults.Take().Writes() {
			if name := w.Path[strings.LastIndex(w.Path, "/")+1:]; strings.Contains(w.Path, "/configmaps/") {
				written[name]++
			}
		}
		for i := range all {
			want := 0
			if i < changed {
				want = 1
			}
			if name := fmt.Sprint("c", i); written[name] != want || v.value(name) != "ours" {
				v.Errorf("%s is written %d times, and is %s", name, written[name], v.value(name))
			}
		}
		if v.passes > changed/10 {
			v.Errorf("it takes %d passes", v.passes)
		}
	})
}
