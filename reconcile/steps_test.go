package reconcile_test

import (
	"testing"
	"testing/synctest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// The steps of a result name their profile, as those of the plan do.
func TestStepsNameTheirProfile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cluster reconciletest.Simulation
		var r reconcile.Reconciler
		target := reconcile.Target{Config: cluster.Config()}
		var before profile.ID
		for _, layers := range [][]layer.Layer{
			{plain("one", configMapsIn("default", "a", "b")), plain("two", configMapsIn("default", "c"))},
			{plain("one", configMapsIn("default", "a"))},
		} {
			desired := desiredOf(t, layers...)
			result, err := r.Reconcile(t.Context(), target, desired)
			if err != nil || !result.Ready || len(result.Steps) == 0 {
				t.Fatalf("%+v, %v; want it ready, with steps", result, err)
			}
			for _, step := range result.Steps {
				if want := desired.Profiles()[0]; step.Profile != want && step.Profile != before {
					t.Errorf("%s %s is of the profile %v, want %v", step.Action, step.Object, step.Profile, want)
				}
			}
			before = desired.Profiles()[0]
		}
	})
}
