package reconcile

import (
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/redact"
	"github.com/strata-go/strata/profile"
)

// An Action is what happens to an object.
type Action string

// The actions.
const (
	Create    Action = "create"
	Update    Action = "update"    // the stack wants it otherwise than before
	Repair    Action = "repair"    // somebody changed or deleted it
	Adopt     Action = "adopt"     // it was there, and becomes ours
	Transfer  Action = "transfer"  // it moves from another layer of ours
	Replace   Action = "replace"   // a field of it cannot be changed: deleted and made anew
	Delete    Action = "delete"    // it is no longer wanted
	Keep      Action = "keep"      // it is no longer wanted, and stays on the cluster
	Unchanged Action = "unchanged" // it is as it should be
)

// A Plan says what leads a target from where it is to a desired state. Only
// [Reconciler.Plan], [Reconciler.PlanDelete] and [Reconciler.PlanRollback] make
// one; [Reconciler.Apply] carries it out. It is immutable, and shows no sensitive
// value.
type Plan struct {
	// Target is what the plan was made for. It can be carried out nowhere else.
	Target TargetID
	// Desired identifies the state; it is empty if the plan deletes everything.
	Desired digest.Digest
	// Steps are what happens to each object, in order.
	Steps []Step
	// Warnings say what was left out or left unchecked, and what was found and
	// is allowed.
	Warnings []string
	// Hooks are the hooks of charts that run before and after. Those that other
	// hooks make are not known before.
	Hooks []Hook
	// Requests is what carrying the plan out asks of the API server, beside what
	// making it has asked, if nothing has to be waited for and each list fits in
	// one answer. What has to be waited for takes some more for each pass.
	Requests Cost

	mismatches []Mismatch
	home       string // the namespace of the inventory
	desired    *profile.Desired
	made       redact.Redactor       // of secrets that templates made
	before     *inventory.Inventory  // as it was read
	back       digest.Digest         // of the earlier state that the plan goes back to, else empty
	layers     []*layerWork          // in the order of the stack
	spaces     []*work               // implicit namespaces
	leaving    map[string][]recorded // releases of layers that go, by layer
}

// A Step is what happens to one object.
type Step struct {
	Layer   string     `json:"layer"`            // "" for the namespaces that layers are installed in
	Profile profile.ID `json:"profile,omitzero"` // that the layer comes from
	Action  Action     `json:"action"`
	Object  ObjectRef  `json:"object"`
	// Reason says why, for people.
	Reason string `json:"reason,omitempty"`
	// Changes are the fields that become otherwise, for objects that exist.
	Changes []Change `json:"changes,omitempty"`
	// Drift is what others changed, and who and when.
	Drift []Drift `json:"drift,omitempty"`

	gone bool // what is to be deleted was not found
}

// A Change is a field that becomes otherwise.
type Change struct {
	Field string `json:"field"` // ".spec.replicas"
	// Old and New are JSON; "" if the field is missing. They are "(sensitive)"
	// for the content of Secrets.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// Owners are the managers who hold the field now, or something below it.
	// Nobody holds what is missing, or what the server sets by itself.
	Owners []FieldOwner `json:"owners,omitempty"`
}

// A FieldOwner is a manager, as in the managed fields of an object, and when it
// last wrote any field of it.
type FieldOwner struct {
	Manager string    `json:"manager"`
	Time    time.Time `json:"time,omitzero"`
}

// Empty reports whether the plan changes nothing: no object, no hook that runs,
// and no other state. Another version of a profile or chart may give the same
// objects; the plan then brings the status, the history and the Helm releases up
// to it, and is not empty.
func (p *Plan) Empty() bool { return p.still() && len(p.Hooks) == 0 && !p.begins() }

// still reports whether all objects stay as they are.
func (p *Plan) still() bool {
	return !slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Action != Unchanged })
}

// begins reports whether the plan leads to another state than the last that was
// begun.
func (p *Plan) begins() bool { return p.before != nil && p.Desired != p.before.Begun }

// Drift returns what others changed of what we applied: what the plan repairs,
// and what it leaves because it is only reported, or fought about.
func (p *Plan) Drift() []Drift {
	var all []Drift
	for _, s := range p.Steps {
		all = append(all, s.Drift...)
	}
	return all
}

// Count returns how many steps have the action.
func (p *Plan) Count(a Action) int { return count(p.Steps, a) }

func count(steps []Step, a Action) int {
	n := 0
	for _, s := range steps {
		if s.Action == a {
			n++
		}
	}
	return n
}
