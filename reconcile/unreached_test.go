package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// A cluster that goes away in the middle is one problem and not one for each
// object; when it is back, the next pass goes on.
func TestUnreachableInTheMiddle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cluster reconciletest.Simulation
		var faults reconciletest.Faults
		config := cluster.Config()
		config.Wrap(faults.Wrap)
		faults.Play(reconciletest.Rule{Method: "PATCH", Skip: 10, Times: reconciletest.Always, Fault: reconciletest.ResetBefore})
		var names []string
		for i := range 40 {
			names = append(names, fmt.Sprint("a", i))
		}
		target := reconcile.Target{Config: config}
		desired := manifests(t, configMapsIn("default", names...))
		result, err := reconcile.Reconcile(t.Context(), target, desired)
		if !errors.Is(err, reconcile.ErrUnreachable) || errors.Is(err, reconcile.ErrTerminal) || result.RetryAfter == 0 {
			t.Fatalf("retry after %v, %v; want that the cluster is unreachable, and to try again", result.RetryAfter, err)
		}
		if lines := strings.Count(err.Error(), "\n") + 1; lines > 2 || !strings.Contains(err.Error(), "29 more objects") {
			t.Errorf("the error has %d lines:\n%v", lines, err)
		}
		target.Config = cluster.Config()
		if result, err = reconcile.Reconcile(t.Context(), target, desired); err != nil || !result.Ready || result.Count(reconcile.Create) != 30 {
			t.Errorf("then: %v, %v", result.Steps, err)
		}
	})
}
