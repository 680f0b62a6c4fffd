package reconcile_test

import (
	"context"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// simulated runs a test in a world of config maps only.
func simulated(t *testing.T, test func(w *crashWorld, bring func(...layer.Layer))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var cluster reconciletest.Simulation
		w := newCrashWorld(t.Context(), t, cluster.Config(), "moved")
		test(w, func(layers ...layer.Layer) {
			t.Helper()
			w.must(bring(w.ctx, &reconcile.Reconciler{Identity: "crash"}, w.target(w.config), layers))
		})
	})
}

func (w *crashWorld) target(config *rest.Config) reconcile.Target {
	return reconcile.Target{Config: config, Name: w.name, Namespace: w.name}
}

func (w *crashWorld) has(name string, want bool) {
	w.Helper()
	list, err := w.kube.CoreV1().ConfigMaps(w.name).List(w.ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	w.must(err)
	if has := len(list.Items) == 1; has != want {
		w.Errorf("%s is there: %v, want %v", name, has, want)
	}
}

// An object that moved belongs to the layer that has it now, whichever of the
// two comes first: it stays when the other layer goes.
func TestMovedObjectStays(t *testing.T) {
	t.Parallel()
	for _, names := range [][2]string{{"a", "b"}, {"b", "a"}} {
		simulated(t, func(w *crashWorld, bring func(...layer.Layer)) {
			from, to := names[0], names[1]
			bring(plain(from, configMapsIn(w.name, "kept", "moves")), plain(to, configMapsIn(w.name, "own")))
			bring(plain(from, configMapsIn(w.name, "kept")), plain(to, configMapsIn(w.name, "own", "moves")))
			bring(plain(to, configMapsIn(w.name, "own", "moves")))
			w.has("moves", true)
			w.has("kept", false)
		})
	}
}

// A run that dies after it made an object anew leaves one that is ours, though
// its UID is not recorded: it goes when it is no longer wanted.
func TestRemadeObjectIsNotOrphaned(t *testing.T) {
	t.Parallel()
	simulated(t, func(w *crashWorld, bring func(...layer.Layer)) {
		stack := plain("a", configMapsIn(w.name, "kept", "remade"))
		bring(stack)
		w.must(w.kube.CoreV1().ConfigMaps(w.name).Delete(w.ctx, "remade", metav1.DeleteOptions{}))
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel()
		faults := new(reconciletest.Faults)
		dies := reconciletest.Die(cancel)
		faults.Play(reconciletest.Rule{Method: "PATCH", Path: "configmaps/remade"}, reconciletest.Rule{
			Method: "PUT", Path: "secrets/strata-" + w.name, Skip: 1, Times: reconciletest.Always, Fault: dies,
		})
		config := rest.CopyConfig(w.config)
		config.Wrap(faults.Wrap)
		d, err := stackOf(ctx, []layer.Layer{stack})
		w.must(err)
		if _, err := (&reconcile.Reconciler{Identity: "crash"}).Converge(ctx, w.target(config), d); ctx.Err() == nil {
			t.Errorf("it did not die: %v", err)
		}
		w.has("remade", true)
		bring(plain("a", configMapsIn(w.name, "kept")))
		w.has("remade", false)
	})
}
