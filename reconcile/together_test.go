package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// Two processes work on one target at once, for the same state and for
// different ones, while things take their time to become ready. One comes to its
// end, the other too or leaves the target to it; and the target is at one of the
// two states. STRATA_TEST_SEED
// repeats a choice.
func TestTwoAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds: run without -short")
	}
	seed := seedOf(t)
	rounds, writes := 30, 0
	for i := range rounds {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			var cluster reconciletest.Simulation
			cluster.Behave(reconciletest.Behavior{Kind: "Job", After: time.Duration(random.IntN(90)) * time.Second})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
			defer cancel()
			w := newCrashWorld(ctx, t, cluster.Config(), "together")
			moments := w.moments()
			if i%2 == 0 {
				w.finish(moments[0], "before")
			}
			writes += w.race(random, moments[random.IntN(3)], moments[random.IntN(3)])
		})
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, i)
		}
	}
	t.Logf("seed %d: %d rounds, %d writes", seed, rounds, writes)
}

// race has two processes bring about a moment each, and returns how many writes
// they make together.
func (w *crashWorld) race(random *rand.Rand, moments ...moment) int {
	w.Helper()
	var wg sync.WaitGroup
	errs, faults := make([]error, len(moments)), make([]reconciletest.Faults, len(moments))
	for i, m := range moments {
		pace := time.Duration(1+random.IntN(50)) * time.Millisecond
		faults[i].Play(reconciletest.Rule{Times: reconciletest.Always, Fault: reconciletest.Delay(pace)})
		config := rest.CopyConfig(w.config)
		config.Wrap(faults[i].Wrap)
		target := reconcile.Target{Config: config, Name: w.name, Namespace: w.name}
		wg.Go(func() {
			errs[i] = bring(w.ctx, &reconcile.Reconciler{Fetcher: charts, Identity: fmt.Sprint("process ", i)}, target, m.layers)
		})
	}
	wg.Wait()
	what := fmt.Sprintf("%s and %s at once", moments[0].what, moments[1].what)
	if errs[0] != nil && errs[1] != nil {
		w.Errorf("%s: both gave up: %v", what, errors.Join(errs...))
	}
	writes := 0
	for i, err := range errs {
		if _, yields := errors.AsType[*reconcile.SupersededError](err); err != nil && (!yields || moments[0].what == moments[1].what) {
			w.Errorf("%s: the process for %s: %v", what, moments[i].what, err)
		}
		writes += len(faults[i].Take().Writes())
	}
	// More would be a fight: one of them takes 40, with what it finds to remove.
	if writes > 120 {
		w.Errorf("%s: they make %d writes", what, writes)
	}
	w.check(w.reached(moments), what)
	return writes
}

// reached returns the moment whose state the target seems to be at.
func (w *crashWorld) reached(moments []moment) moment {
	w.Helper()
	for _, m := range moments {
		_, err := w.kube.CoreV1().ConfigMaps(w.name).Get(w.ctx, map[string]string{"install": "z", "upgrade": "v", "delete": "x"}[m.what], metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			w.Fatal(err)
		}
		if there := err == nil; there != (m.layers == nil) {
			m.anyWay = true
			return m
		}
	}
	w.Errorf("the target is at none of the two states")
	return moments[0]
}
