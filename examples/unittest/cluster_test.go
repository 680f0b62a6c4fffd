package unittest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

const nginx = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: nginx}\nspec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: nginx}]}}}"

// How an installation goes is tested on a cluster of this process, whose clock
// is that of the bubble: ten minutes pass at once.
func TestSlowRollout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := layer.Source{Manifests: &layer.Manifests{Inline: []layer.Manifest{{Name: "nginx", Content: nginx}}}}
		desired, err := profile.Resolve(t.Context(), nil, nil, &profile.Profile{
			Name: "web", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{{Name: "nginx", Namespace: "web", Source: source}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var cluster reconciletest.Simulation
		cluster.Behave(reconciletest.Behavior{Kind: "Deployment", After: 10 * time.Minute})
		result, err := reconcile.Reconcile(t.Context(), reconcile.Target{Config: cluster.Config()}, desired)
		if err != nil || result.Ready || len(result.Waiting) != 1 {
			t.Errorf("at once: %+v, %v; want to wait for the deployment", result, err)
		}
		time.Sleep(10 * time.Minute)
		result, err = reconcile.Reconcile(t.Context(), reconcile.Target{Config: cluster.Config()}, desired)
		if err != nil || !result.Ready {
			t.Errorf("ten minutes later: %+v, %v; want it ready", result, err)
		}
	})
}
