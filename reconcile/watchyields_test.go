package reconcile_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// Who watches for a state that is no longer wanted does not bring it back: it
// ends, whether another process went over to another state or this one did.
func TestWatchYields(t *testing.T) {
	t.Parallel()
	state := func(version, text string) *profile.Desired {
		p := &profile.Profile{Name: "apps", Version: version, Type: profile.AddOn, Layers: []layer.Layer{plain("one", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {text: "+text+"}\n")}}
		d, err := profile.Resolve(t.Context(), nil, nil, p)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	var same reconcile.Reconciler
	for _, other := range []*reconcile.Reconciler{&same, {Identity: "other"}} {
		synctest.Test(t, func(t *testing.T) {
			var cluster reconciletest.Simulation
			target := reconcile.Target{Config: cluster.Config()}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if _, err := same.Converge(ctx, target, state("1.0.0", "one")); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- same.Watch(ctx, target, state("1.0.0", "one")) }() // it finds all ready
			time.Sleep(time.Second)
			if _, err := other.Converge(ctx, target, state("2.0.0", "two")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			client := kubernetes.NewForConfigOrDie(target.Config).CoreV1().ConfigMaps("default")
			if _, err := client.Patch(ctx, "a", types.MergePatchType, []byte(`{"data":{"text":"three"}}`), metav1.PatchOptions{FieldManager: "somebody"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			cancel() // what goes on, ends
			asError[*reconcile.SupersededError](t, <-ended)
			status, err := same.Status(t.Context(), target)
			if err != nil || status.Profiles[0].Version != "2.0.0" {
				t.Errorf("the target is at %v, %v; want 2.0.0, as was begun last", status, err)
			}
		})
	}
}
