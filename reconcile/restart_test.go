package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// The API server, and all behind it, is killed in the middle of an install, an
// upgrade and a delete, and comes back. The engine waits for it, or says that it
// cannot be reached, and one more call gets there. STRATA_TEST_SEED repeats a
// choice, STRATA_TEST_LONG takes more moments.
func TestE2EServerKilled(t *testing.T) {
	needsControlPlane(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cluster, err := reconciletest.StartControlPlane(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	}()
	seed, rounds := seedOf(t), 1
	if os.Getenv("STRATA_TEST_LONG") != "" {
		rounds = 5
	}
	random := rand.New(rand.NewPCG(seed, 0))
	w := newCrashWorld(ctx, t, cluster.Config, "restarted")
	kills, waited := 0, 0
	for range rounds {
		for _, m := range w.moments() {
			n := random.IntN(35)
			killed, err := w.outlives(cluster, m, n)
			if killed {
				kills++
			}
			what := fmt.Sprintf("%s, the server killed at request %d", m.what, n)
			if err == nil {
				waited++
				w.check(m, what)
			} else if !errors.Is(err, reconcile.ErrUnreachable) {
				t.Errorf("%s: %v", what, err)
			}
			w.finish(m, what)
		}
	}
	t.Logf("seed %d: %d kills, of which %d calls waited for the end", seed, kills, waited)
	w.watchOutlives(cluster)
}

// watchOutlives has the cluster die under a Watch, which goes on when it is back.
func (w *crashWorld) watchOutlives(cluster *reconciletest.Cluster) {
	w.Helper()
	desired, err := stackOf(w.ctx, []layer.Layer{plain("settings", configMapsIn(w.name, "watched"))})
	w.must(err)
	target := w.target(w.config)
	engine := &reconcile.Reconciler{Fetcher: charts, Identity: "crash"}
	_, err = engine.Converge(w.ctx, target, desired)
	w.must(err)
	ctx, cancel := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- engine.Watch(ctx, target, desired) }()
	maps := w.kube.CoreV1().ConfigMaps(w.name)
	for range 2 {
		// It is made again by the Watch, and so is known to be watched.
		w.must(maps.Delete(w.ctx, "watched", metav1.DeleteOptions{}))
		for made := false; !made; {
			select {
			case err := <-ended:
				w.Fatalf("Watch = %v", err)
			case <-w.ctx.Done():
				w.Fatal("what was deleted was not made again")
			case <-time.After(20 * time.Millisecond):
				_, err := maps.Get(w.ctx, "watched", metav1.GetOptions{})
				made = err == nil
			}
		}
		w.must(cluster.Kill())
		w.must(cluster.Restart(w.ctx))
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		w.Errorf("Watch = %v, want that it was cancelled", err)
	}
	_, err = engine.DeleteAndWait(w.ctx, target)
	w.must(err)
}

// outlives brings a moment about on a cluster that is killed at a request, and
// started again.
func (w *crashWorld) outlives(cluster *reconciletest.Cluster, m moment, n int) (killed bool, err error) {
	w.Helper()
	back := make(chan error, 1)
	faults := new(reconciletest.Faults)
	faults.Play(reconciletest.Rule{Skip: n, Fault: func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if err := cluster.Kill(); err != nil {
			return nil, err
		}
		killed = true
		go func() { back <- cluster.Restart(w.ctx) }()
		return next.RoundTrip(r)
	}})
	config := rest.CopyConfig(w.config)
	config.Wrap(faults.Wrap)
	err = bring(w.ctx, &reconcile.Reconciler{Fetcher: charts, Identity: "crash"}, w.target(config), m.layers)
	if killed {
		w.must(<-back)
	}
	return killed, err
}
