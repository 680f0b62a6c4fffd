package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// exampleCluster stands for your cluster: its Config would come from
// clientcmd.BuildConfigFromFlags, or from rest.InClusterConfig.
func exampleCluster() *rest.Config { return new(reconciletest.Simulation).Config() }

// settings returns the state of a profile with one config map.
func settings(version, colour string) *profile.Desired {
	p, err := profile.Parse([]byte(`
apiVersion: strata.dev/v1alpha1
kind: ClusterProfile
metadata: {name: apps}
spec:
  version: ` + version + `
  type: add-on
  layers:
  - name: settings
    namespace: web
    manifests:
      inline:
      - name: colour
        content: |
          apiVersion: v1
          kind: ConfigMap
          metadata: {name: colour}
          data: {colour: ` + colour + `}
`))
	if err != nil {
		log.Fatal(err)
	}
	d, err := profile.Resolve(context.Background(), nil, nil, p) // manifests need no registry
	if err != nil {
		log.Fatal(err)
	}
	return d
}

// A controller makes a pass, says in conditions how it went, and comes back when
// the result says so. An error is terminal or has a RetryAfter; after a terminal
// one it waits for something to change.
func ExampleReconciler_Reconcile() {
	r := new(reconcile.Reconciler) // one for all targets
	reconcileOne := func(ctx context.Context, t reconcile.Target, d *profile.Desired) (reason string, again time.Duration) {
		result, err := r.Reconcile(ctx, t, d)
		switch {
		case err == nil && result.Ready:
			reason = "Ready"
		case err == nil:
			reason = "Waiting" // result.Waiting says for what
		case ctx.Err() != nil:
			reason = "Interrupted"
		case !errors.Is(err, reconcile.ErrTerminal):
			reason = "Retrying" // the error says why; busy, unreachable, ...
		default:
			reason = "Stalled"
			if e, ok := errors.AsType[*reconcile.ExistsError](err); ok {
				reason = "BelongsToOthers: " + e.Object.String()
			} else if e, ok := errors.AsType[*reconcile.LayerError](err); ok {
				reason = "LayerFailed: " + e.Layer
			}
		}
		return reason, result.RetryAfter
	}

	target := reconcile.Target{Config: exampleCluster(), Cluster: "eu-1", Name: "apps"}
	fmt.Println(reconcileOne(context.Background(), target, settings("1.0.0", "red")))
	target.Name = "others" // would have the same object
	fmt.Println(reconcileOne(context.Background(), target, settings("1.0.0", "red")))
	// Output:
	// Ready 0s
	// BelongsToOthers: ConfigMap web/colour 0s
}

// A pull request shows a plan, and what is merged is carried out if it is still
// that plan.
func ExampleReconciler_Apply() {
	ctx := context.Background()
	target := reconcile.Target{Config: exampleCluster()}
	r := new(reconcile.Reconciler)
	if _, err := r.Converge(ctx, target, settings("1.0.0", "red")); err != nil {
		log.Fatal(err)
	}
	desired := settings("1.1.0", "blue")
	plan, err := r.Plan(ctx, target, desired)
	if err != nil {
		log.Fatal(err)
	}
	approved := plan.Digest()
	fmt.Println("empty:", plan.Empty()) // a command would exit with another code
	for _, step := range plan.Steps {
		fmt.Println(step, step.Changes[0].Old, "to", step.Changes[0].New)
	}

	// Later, in another process.
	if plan, err = r.Plan(ctx, target, desired); err != nil {
		log.Fatal(err)
	}
	if plan.Digest() != approved {
		log.Fatal("the plan has changed: have it approved again")
	}
	if _, err := r.Apply(ctx, target, plan); err != nil { // a *StaleError if it changes just now
		log.Fatal(err)
	}
	result, err := r.Converge(ctx, target, desired) // waits until all is ready
	fmt.Println("ready:", result.Ready, err)
	// Output:
	// empty: false
	// layer "settings": update ConfigMap web/colour: the stack wants it otherwise "red" to "blue"
	// ready: true <nil>
}

// A service keeps many targets with one Reconciler. Each has a goroutine, which
// ends with its context; to bring a target to another state, end its Watch and
// call it with that.
func ExampleReconciler_Watch() {
	ready := make(chan reconcile.TargetID, 10)
	r := &reconcile.Reconciler{OnEvent: func(e reconcile.Event) {
		if e.Type == reconcile.LayerReady {
			ready <- e.Target
		}
	}}
	keep := func(ctx context.Context, t reconcile.Target, d *profile.Desired) (stop func()) {
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ctx.Err() == nil {
				// It ends by itself only where the first passes fail.
				err := r.Watch(ctx, t, d)
				if errors.Is(err, reconcile.ErrTerminal) {
					log.Print(t.ID(), ": ", err) // until somebody changes something
					return
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Minute): // it could not be reached
				}
			}
		}()
		return func() { cancel(); <-done }
	}

	target := reconcile.Target{Config: exampleCluster(), Cluster: "eu-1"}
	stop := keep(context.Background(), target, settings("1.0.0", "red"))
	fmt.Println(<-ready, "is ready")
	stop()
	stop = keep(context.Background(), target, settings("1.1.0", "blue"))
	fmt.Println(<-ready, "is ready")
	stop()
	// A status can be had at any time, of any target.
	status, err := r.Status(context.Background(), target)
	fmt.Println(status.Profiles, err)
	// Output:
	// eu-1 is ready
	// eu-1 is ready
	// [apps@1.1.0] <nil>
}

// What became ready once is a way back.
func ExampleReconciler_Rollback() {
	ctx := context.Background()
	target := reconcile.Target{Config: exampleCluster()}
	r := new(reconcile.Reconciler)
	for _, d := range []*profile.Desired{settings("1.0.0", "red"), settings("1.1.0", "blue")} {
		if _, err := r.Converge(ctx, target, d); err != nil {
			log.Fatal(err)
		}
	}
	states, err := r.History(ctx, target)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range states {
		fmt.Println(s.Profiles, s.Current)
	}
	if _, err := r.RollbackAndWait(ctx, target, ""); err != nil { // to the one before
		log.Fatal(err)
	}
	status, err := r.Status(ctx, target)
	fmt.Println("now", status.Profiles, err)
	// Output:
	// [apps@1.1.0] true
	// [apps@1.0.0] false
	// now [apps@1.0.0] <nil>
}
