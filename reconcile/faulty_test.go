package reconcile_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

var anything = schema.GroupResource{Resource: "things"}

// transient are faults that pass.
var transient = map[string]reconciletest.Fault{
	"time-out":     reconciletest.TimeOut,
	"refused":      reconciletest.Refuse,
	"reset before": reconciletest.ResetBefore,
	"reset after":  reconciletest.ResetAfter,
	"409":          reconciletest.Answer(apierrors.NewConflict(anything, "a", errors.New("it was changed"))),
	"429":          reconciletest.Answer(apierrors.NewTooManyRequests("too much", 1)),
	"500":          reconciletest.Answer(apierrors.NewInternalError(errors.New("a fault"))),
	"503":          reconciletest.Answer(apierrors.NewServiceUnavailable("starting")),
	"504":          reconciletest.Answer(apierrors.NewTimeoutError("too slow", 1)),
}

// Each request of an install, an upgrade and a delete fails once, in each way.
// The engine gets over it by itself, but for the very first request: a server
// that was never heard of is not waited for, and one more call gets there.
// STRATA_TEST_LONG takes every request, else some are skipped at random, and
// STRATA_TEST_SEED repeats a choice.
func TestEveryRequestFailsOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds: run without -short")
	}
	var faults atomic.Int64
	seed := seedOf(t)
	t.Run("all", func(t *testing.T) {
		for name, fault := range transient {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var cluster reconciletest.Simulation
					w := newCrashWorld(t.Context(), t, cluster.Config(), "faulty")
					random := rand.New(rand.NewPCG(seed, uint64(len(name))))
					for n := 0; w.meets(fault, n, &faults) && !t.Failed(); n += stride(random, 40) {
					}
				})
			})
		}
	})
	t.Logf("seed %d: %d faults", seed, faults.Load())
}

// meets has the request of a number of each moment meet a fault. It reports
// whether there is one of that number.
func (w *crashWorld) meets(fault reconciletest.Fault, n int, count *atomic.Int64) bool {
	any := false
	for _, m := range w.moments() {
		faults := new(reconciletest.Faults)
		faults.Play(reconciletest.Rule{Skip: n, Fault: fault})
		config := rest.CopyConfig(w.config)
		config.Wrap(faults.Wrap)
		target := reconcile.Target{Config: config, Name: w.name, Namespace: w.name}
		bringing := func() error {
			return bring(w.ctx, &reconcile.Reconciler{Fetcher: charts, Identity: "faulty"}, target, m.layers)
		}
		err := bringing()
		if n == 0 && errors.Is(err, reconcile.ErrUnreachable) {
			err = bringing()
		}
		what := fmt.Sprintf("%s, request %d", m.what, n)
		for i, r := range faults.Take() {
			if r.Faulty {
				any = true
				count.Add(1)
				what += fmt.Sprintf(" (%d: %s)", i, r)
			}
		}
		if err != nil {
			w.Errorf("%s: %v", what, err)
		}
		w.check(m, what)
	}
	return any
}
