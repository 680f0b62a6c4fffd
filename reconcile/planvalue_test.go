package reconcile_test

import (
	"context"
	"errors"
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

// A plan for one cluster is not carried out on another, though everything would be
// to do there as well.
func TestPlanOfAnotherTarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var staging, production reconciletest.Simulation
		d := desiredOf(t, plain("one", configMapsIn("default", "a")))
		r := reconcile.Reconciler{}
		target := reconcile.Target{Config: staging.Config(), Cluster: "staging"}
		plan, err := r.Plan(t.Context(), target, d)
		if err != nil {
			t.Fatal(err)
		}
		result, err := r.Apply(t.Context(), reconcile.Target{Config: production.Config(), Cluster: "production"}, plan)
		e := asError[*reconcile.WrongTargetError](t, err)
		if e.Plan.Cluster != "staging" || e.Target.Cluster != "production" || !errors.Is(err, reconcile.ErrTerminal) || result.Cost.Reads+result.Cost.Writes > 0 {
			t.Errorf("Apply = %+v, %v", result, err)
		}
		if result, err := r.Apply(t.Context(), target, plan); err != nil || !result.Ready {
			t.Errorf("where it was made for, Apply = %+v, %v", result, err)
		}
	})
}
