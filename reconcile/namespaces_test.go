package reconcile_test

import (
	"testing"
	"testing/synctest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

const teamNamespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team, labels: {who: us}}\n"

// A layer may be installed in a namespace that another one has as an object:
// that is made first, wherever in the stack it stands, and stays that layer's.
func TestNamespaceOfAnotherLayer(t *testing.T) {
	t.Parallel()
	first := plain("first", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
	first.Namespace = "team"
	other := plain("first", configMapsIn("team", "a"))
	for _, tt := range []struct {
		name  string
		first layer.Layer
		order int // of the layer that has the namespace
	}{
		{"installed in it, later", first, 5},
		{"installed in it, together", first, 0},
		{"installed in it, earlier", first, -5},
		{"with an object in it, later", other, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var cluster reconciletest.Simulation
				var r reconcile.Reconciler
				target := reconcile.Target{Config: cluster.Config()}
				owner := plain("owner", teamNamespace+"---\n"+configMapsIn("team", "b"))
				owner.InstallOrder = tt.order
				desired := desiredOf(t, tt.first, owner)
				result, err := r.Reconcile(t.Context(), target, desired)
				if err != nil || !result.Ready || result.Count(reconcile.Create) != 3 {
					t.Fatalf("%+v, %v; want three objects, in one pass", result, err)
				}
				plan, err := r.Plan(t.Context(), target, desired)
				if err != nil || !plan.Empty() {
					t.Errorf("then the plan is %v, %v; want none", plan, err)
				}
				if result, err := r.DeleteAndWait(t.Context(), target); err != nil || result.Count(reconcile.Delete) != 3 {
					t.Errorf("deleting: %+v, %v; want all three gone", result, err)
				}
			})
		})
	}
}
