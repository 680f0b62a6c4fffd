package reconcile

import (
	"fmt"
	"time"
)

// A Result is what a pass did and found. It is valid beside an error.
type Result struct {
	// Ready says that the target is at the desired state, and everything on it
	// is ready.
	Ready bool
	// RetryAfter is when to make the next pass, beside an error as well. It is zero
	// if the target is ready and nobody fights over it, or if another pass would
	// not help: then the error is an [ErrTerminal].
	RetryAfter time.Duration
	// Steps are those that were carried out.
	Steps []Step
	// Waiting says what is not yet ready, or not yet gone.
	Waiting []Waiting
	// Drift is what others had changed of what was applied. It was repaired, or
	// stays so where its Mode or a fight says so: a target is ready beside that.
	Drift []Drift
	// Kept are objects that are no longer wanted and were left on the cluster.
	Kept []Kept
	// Warnings are those of the plan.
	Warnings []string
	// Cost is what was asked of the API server.
	Cost Cost
}

// Count returns how many steps of the action were carried out.
func (r *Result) Count(a Action) int { return count(r.Steps, a) }

// Waiting is an object that is not yet ready or, if it is to be deleted, not
// yet gone.
type Waiting struct {
	Layer   string
	Object  ObjectRef
	Message string

	sight
	pods    podSet  // of a workload
	rollout rollout // of a workload, when its pods were last looked at
	gone    bool    // it shall go, not become ready

	deadline time.Time // after which it has failed; zero is never
	beside   string    // the end of the message of what shall go, which the object does not show
	settled  bool      // there is nothing more to wait for
}

// String returns what is waited for, and why it is not there yet.
func (w Waiting) String() string { return inLayer(w.Layer, fmt.Sprintf("%s: %s", w.Object, w.Message)) }

func inLayer(layer, text string) string {
	if layer == "" {
		return text
	}
	return fmt.Sprintf("layer %q: %s", layer, text)
}

// Kept is an object that was left on the cluster, and why.
type Kept struct {
	Object ObjectRef
	Reason string
}

// String returns the object, and why it stays.
func (k Kept) String() string { return fmt.Sprintf("%s: %s", k.Object, k.Reason) }

// Cost is the number of requests to the API server.
type Cost struct {
	Reads  int64 `json:"reads"` // GET, LIST, WATCH, discovery and dry runs
	Writes int64 `json:"writes"`
}
