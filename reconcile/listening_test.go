package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// configMapsOf returns a desired state of n objects in one layer.
func configMapsOf(t *testing.T, n int) *profile.Desired {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%04d, namespace: default}\n", i)
	}
	return manifests(t, b.String())
}

// A listener that is slow gets every event, one after the other, before the
// method returns; and the run is over long before.
func TestSlowListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cluster reconciletest.Simulation
		var seen []reconcile.Event
		busy, began := false, time.Now()
		engine := &reconcile.Reconciler{OnEvent: func(e reconcile.Event) {
			if busy {
				t.Error("two calls overlap")
			}
			busy = true
			time.Sleep(time.Minute)
			seen, busy = append(seen, e), false
		}}
		target := reconcile.Target{Config: cluster.Config()}
		result, err := engine.Converge(t.Context(), target, configMapsOf(t, 20))
		if err != nil || !result.Ready {
			t.Fatalf("Converge = %+v, %v", result, err)
		}
		if len(seen) != 22 || seen[0].Type != reconcile.LayerStarted || seen[21].Type != reconcile.LayerReady {
			t.Errorf("the events are %v, want 20 objects between the start and the end of a layer", seen)
		}
		if time.Since(began) < 22*time.Minute {
			t.Error("the method did not wait for its listener")
		}
		status, err := new(reconcile.Reconciler).Status(t.Context(), target)
		if err != nil || status.Layers[0].EndTime.After(began.Add(time.Minute)) {
			t.Errorf("the layer is ready at %v, %v; it began at %v, and the run may not wait for its listener", status.Layers[0].EndTime, err, began)
		}
	})
}

// A listener that hangs does not hold the run up, nor the method for longer
// than its context.
func TestHangingListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cluster reconciletest.Simulation
		calls, free := 0, make(chan struct{})
		engine := &reconcile.Reconciler{OnEvent: func(reconcile.Event) {
			calls++
			<-free
		}}
		target := reconcile.Target{Config: cluster.Config()}
		ctx, cancel := context.WithCancel(t.Context())
		desired, returned := configMapsOf(t, 20), make(chan error, 1)
		go func() {
			result, err := engine.Converge(ctx, target, desired)
			if !result.Ready {
				t.Errorf("the result is %+v, want it ready", result)
			}
			returned <- err
		}()
		synctest.Wait()
		if status, err := engine.Status(t.Context(), target); err != nil || !status.Ready() {
			t.Errorf("while the listener hangs the status is %v, %v; want the run over and the target free", status, err)
		}
		select {
		case err := <-returned:
			t.Errorf("the method returns %v before its listener does", err)
		default:
		}
		cancel()
		if err := <-returned; err != nil {
			t.Errorf("Converge says %v of a run that was over before its context", err)
		}
		close(free)
		synctest.Wait()
		if calls != 1 {
			t.Errorf("the listener was called %d times, want no call after the method returned", calls)
		}
	})
}

// What does not fit is left out and counted, but never the last word on a layer.
func TestFloodedListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cluster reconciletest.Simulation
		const objects = 1100
		free := make(chan struct{})
		var seen []reconcile.Event
		dropped := 0
		engine := &reconcile.Reconciler{OnEvent: func(e reconcile.Event) {
			<-free
			seen, dropped = append(seen, e), dropped+e.Dropped
		}}
		go func() {
			synctest.Wait() // until the run is over
			close(free)
		}()
		if _, err := engine.Converge(t.Context(), reconcile.Target{Config: cluster.Config()}, configMapsOf(t, objects)); err != nil {
			t.Fatal(err)
		}
		if len(seen) != 1025 || len(seen)+dropped != objects+2 {
			t.Errorf("%d events came and %d were left out, of %d; want one and a full queue", len(seen), dropped, objects+2)
		}
		if first, last := seen[0], seen[len(seen)-1]; first.Type != reconcile.LayerStarted || last.Type != reconcile.LayerReady {
			t.Errorf("the first and the last event are %v and %v", first, last)
		}
	})
}

// The run goes on to its end without a listener that panics, and the caller gets
// the panic.
func TestPanickingListener(t *testing.T) {
	var cluster reconciletest.Simulation
	engine := &reconcile.Reconciler{OnEvent: func(reconcile.Event) { panic("of the listener") }}
	target := reconcile.Target{Config: cluster.Config()}
	func() {
		defer func() {
			if p := fmt.Sprint(recover()); !strings.Contains(p, "OnEvent: of the listener") || !strings.Contains(p, "listening_test.go") {
				t.Errorf("the method panics with %v, want that of the listener, and where it was", p)
			}
		}()
		_, _ = engine.Converge(t.Context(), target, configMapsOf(t, 3))
	}()
	if status, err := engine.Status(t.Context(), target); err != nil || !status.Ready() {
		t.Errorf("afterwards the status is %v, %v; want the run to its end", status, err)
	}
}

// Who only listens learns why nothing happens.
func TestEventOfPlanThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cluster reconciletest.Simulation
		var told []reconcile.Event
		engine := &reconcile.Reconciler{OnEvent: func(e reconcile.Event) { told = append(told, e) }}
		target := reconcile.Target{Config: cluster.Config(), Cluster: "eu"}
		want := func(what, message string) {
			t.Helper()
			if len(told) != 1 || told[0].Type != reconcile.PlanFailed || told[0].Target != target.ID() || !strings.Contains(told[0].Message, message) {
				t.Errorf("%s, the events are %+v", what, told)
			}
			told = nil
		}
		unknown := desiredOf(t, plain("one", "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: default}\n"))
		if result, err := engine.Reconcile(t.Context(), target, unknown); err == nil || result.Cost.Writes > 0 {
			t.Errorf("Reconcile = %+v, %v", result, err)
		}
		want("of a kind that is not there", "Widget")
		engine.Approve = func(context.Context, reconcile.Target, *reconcile.Plan) error { return errors.New("not today") }
		if result, err := engine.Reconcile(t.Context(), target, desiredOf(t, plain("one", configMapsIn("default", "a")))); err == nil || result.Cost.Writes > 0 {
			t.Errorf("Reconcile = %+v, %v", result, err)
		}
		want("not approved", "not today")
	})
}
