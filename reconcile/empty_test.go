package reconcile_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// A new version of a profile that gives the same objects is something to do: who
// asks whether a plan is empty would else never bring it to the cluster.
func TestPlanOfVersionOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cluster reconciletest.Simulation
		asked := 0
		r := reconcile.Reconciler{Approve: func(context.Context, reconcile.Target, *reconcile.Plan) error { asked++; return nil }}
		target := reconcile.Target{Config: cluster.Config()}
		for i, version := range []string{"1.0.0", "1.1.0"} {
			p := &profile.Profile{Name: "apps", Version: version, Type: profile.AddOn, Layers: []layer.Layer{plain("one", configMapsIn("default", "a"))}}
			d, err := profile.Resolve(t.Context(), nil, nil, p)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := r.Plan(t.Context(), target, d)
			if err != nil || plan.Empty() {
				t.Errorf("the plan to %s is empty: %v, %v", version, plan, err)
			}
			for _, text := range []string{plan.String(), plan.Markdown()} {
				if i > 0 && !strings.Contains(text, "profile apps upgraded: 1.0.0 → 1.1.0") {
					t.Errorf("the plan does not say what becomes otherwise:\n%s", text)
				}
			}
			if result, err := r.Apply(t.Context(), target, plan); err != nil || !result.Ready {
				t.Fatalf("%+v, %v", result, err)
			}
			if plan, err = r.Plan(t.Context(), target, d); err != nil || !plan.Empty() {
				t.Errorf("then the plan is not empty: %v, %v", plan, err)
			}
			status, err := r.Status(t.Context(), target)
			if err != nil || status.Profiles[0].Version != version {
				t.Errorf("the status is %v, %v", status, err)
			}
			if _, err := r.Reconcile(t.Context(), target, d); err != nil || asked > 0 {
				t.Errorf("asked %d times about nothing, %v", asked, err)
			}
		}
	})
}
