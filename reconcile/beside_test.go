package reconcile_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// Who looks at a target is not held up by who waits for it.
func TestStatusWhileConverging(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cluster reconciletest.Simulation
		cluster.Behave(reconciletest.Behavior{Kind: "Deployment", After: time.Hour})
		var r reconcile.Reconciler
		target := reconcile.Target{Config: cluster.Config()}
		done := make(chan error)
		go func() {
			_, err := r.Converge(t.Context(), target, manifests(t, slowDeployment))
			done <- err
		}()
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if status, err := r.Status(ctx, target); err != nil || !status.Installed || status.Ready() {
			t.Errorf("the status is %v, %v; want an installation that is not ready", status, err)
		}
		if _, err := r.History(ctx, target); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// An error is terminal, or the result says when to try again: a controller needs
// to know no more.
func TestRetryAfterOrTerminal(t *testing.T) {
	t.Parallel()
	secret := schema.GroupResource{Resource: "secrets"}
	for _, tt := range []struct {
		name     string
		fault    reconciletest.Fault
		desired  *profile.Desired
		terminal bool
	}{
		{"forbidden to read the inventory", reconciletest.Answer(apierrors.NewForbidden(secret, "strata-default", errors.New("no"))), manifests(t, configMapsIn("default", "a")), true},
		{"logged out", reconciletest.Answer(apierrors.NewUnauthorized("who?")), manifests(t, configMapsIn("default", "a")), true},
		{"unreachable", reconciletest.ResetBefore, manifests(t, configMapsIn("default", "a")), false},
		{"no desired state", nil, nil, true},
		{"an empty desired state", nil, new(profile.Desired), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var cluster reconciletest.Simulation
				var faults reconciletest.Faults
				config := cluster.Config()
				config.Wrap(faults.Wrap)
				if tt.fault != nil {
					faults.Play(reconciletest.Rule{Fault: tt.fault, Times: reconciletest.Always})
				}
				result, err := new(reconcile.Reconciler).Reconcile(t.Context(), reconcile.Target{Config: config}, tt.desired)
				if err == nil || errors.Is(err, reconcile.ErrTerminal) != tt.terminal || (result.RetryAfter == 0) != tt.terminal {
					t.Errorf("retry after %v, %v; want it terminal: %v", result.RetryAfter, err, tt.terminal)
				}
			})
		})
	}
}

const slowDeployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: slow}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}"
