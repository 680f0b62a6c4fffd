package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// stopping cancels a context when a request of a number comes.
type stopping struct {
	left   atomic.Int64
	cancel context.CancelFunc
	passes bool         // that request is sent
	over   atomic.Bool  // it is cancelled
	after  atomic.Int64 // requests since that do not know
}

func (s *stopping) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if s.over.Load() && r.Context().Err() == nil {
			s.after.Add(1)
		}
		if s.left.Add(-1) == -1 {
			s.cancel()
			s.over.Store(true)
			if !s.passes {
				return nil, r.Context().Err()
			}
		}
		return next.RoundTrip(r)
	})
}

// The context of each method is cancelled at each of its requests: no request
// comes after, and nothing is left running when it returns. STRATA_TEST_LONG
// takes every request, else some are skipped at random.
func TestCancelledAtEachRequest(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds: run without -short")
	}
	seed := seedOf(t)
	random := rand.New(rand.NewPCG(seed, 0))
	var cluster reconciletest.Simulation
	w := newCrashWorld(t.Context(), t, cluster.Config(), "stopped")
	cancels := 0
	for n, more := 0, true; more && !t.Failed(); n += stride(random, 8) {
		more = false
		for _, m := range w.moments() {
			for name, method := range methods(m.layers) {
				if w.stops(fmt.Sprintf("%s, %s at request %d", m.what, name, n), n, method) {
					more = true
					cancels++
				}
			}
			w.finish(m, fmt.Sprintf("%s, cancelled at request %d", m.what, n))
		}
	}
	t.Logf("seed %d: %d calls cancelled", seed, cancels)
}

type method func(context.Context, *reconcile.Reconciler, reconcile.Target) error

func methods(layers []layer.Layer) map[string]method {
	all := map[string]method{
		"Status": func(ctx context.Context, r *reconcile.Reconciler, t reconcile.Target) error {
			_, err := r.Status(ctx, t)
			return err
		},
	}
	if layers == nil {
		all["DeleteAndWait"] = func(ctx context.Context, r *reconcile.Reconciler, t reconcile.Target) error {
			_, err := r.DeleteAndWait(ctx, t)
			return err
		}
		return all
	}
	all["Plan"] = func(ctx context.Context, r *reconcile.Reconciler, t reconcile.Target) error {
		d, err := stackOf(ctx, layers)
		if err == nil {
			_, err = r.Plan(ctx, t, d)
		}
		return err
	}
	all["Reconcile"] = func(ctx context.Context, r *reconcile.Reconciler, t reconcile.Target) error {
		d, err := stackOf(ctx, layers)
		if err == nil {
			_, err = r.Reconcile(ctx, t, d)
		}
		return err
	}
	all["Converge"] = func(ctx context.Context, r *reconcile.Reconciler, t reconcile.Target) error {
		return bring(ctx, r, t, layers)
	}
	return all
}

// stops cancels a method at a request, and reports whether there was one of that
// number.
func (w *crashWorld) stops(what string, n int, do method) bool {
	w.Helper()
	running := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	s := &stopping{cancel: cancel, passes: n%2 == 0}
	s.left.Store(int64(n))
	config := rest.CopyConfig(w.config)
	config.Wrap(s.wrap)
	err := do(ctx, &reconcile.Reconciler{Fetcher: charts, Identity: "crash"}, reconcile.Target{Config: config, Name: w.name, Namespace: w.name})
	if !s.over.Load() {
		if err != nil {
			w.Errorf("%s: %v", what, err)
		}
		return false
	}
	// The last request of all may have been that one, and have been answered.
	if err != nil && !errors.Is(err, context.Canceled) || err == nil && !s.passes {
		w.Errorf("%s: the error is %v", what, err)
	}
	if s.after.Load() > 0 {
		w.Errorf("%s: %d requests come after", what, s.after.Load())
	}
	if err := goleak.Find(running); err != nil {
		w.Errorf("%s: %v", what, err)
	}
	return true
}
