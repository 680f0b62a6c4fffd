package reconcile

import (
	"fmt"
	"strings"
	"text/tabwriter"

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
	Unchanged Action = "unchanged" // it is as it should be
)

// A Plan says what leads a target from where it is to a desired state. Only
// [Reconciler.Plan] makes one; [Reconciler.Apply] carries it out. It is
// immutable, and shows no sensitive value.
type Plan struct {
	// Target is the name of the installation.
	Target string
	// Desired identifies the state; it is empty if the plan deletes everything.
	Desired digest.Digest
	// Steps are what happens to each object, in order.
	Steps []Step
	// Warnings say what was left out or left unchecked, and what was found and
	// is allowed.
	Warnings []string

	home    string // the namespace of the inventory
	desired *profile.Desired
	made    redact.Redactor      // of secrets that templates made
	before  *inventory.Inventory // as it was read
	back    digest.Digest        // of the earlier state that the plan goes back to, else empty
	layers  []*layerWork         // in the order of the stack
	spaces  []*work              // implicit namespaces
}

// A Step is what happens to one object.
type Step struct {
	Layer  string    `json:"layer"` // "" for the namespaces that layers are installed in
	Action Action    `json:"action"`
	Object ObjectRef `json:"object"`
	// Reason says why, for people.
	Reason string `json:"reason,omitempty"`
	// Changes are the fields that become otherwise, for objects that exist.
	Changes []Change `json:"changes,omitempty"`
	// Drift is what others changed, and who and when.
	Drift []Drift `json:"drift,omitempty"`
}

// A Change is a field that becomes otherwise.
type Change struct {
	Field string `json:"field"` // ".spec.replicas"
	// Old and New are JSON; "" if the field is missing. They are "(sensitive)"
	// for the content of Secrets.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// Empty reports whether the plan changes nothing.
func (p *Plan) Empty() bool {
	for _, s := range p.Steps {
		if s.Action != Unchanged {
			return false
		}
	}
	return true
}

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

// String returns the plan as a table for people, without what stays unchanged.
func (p *Plan) String() string {
	var table strings.Builder
	var shown []Step
	w := tabwriter.NewWriter(&table, 0, 4, 2, ' ', 0)
	for _, s := range p.Steps {
		if s.Action != Unchanged {
			shown = append(shown, s)
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Action, s.Object, s.Layer, s.Reason)
		}
	}
	_ = w.Flush() // a strings.Builder never fails
	if drift := p.Drift(); len(shown)+len(drift) == 0 {
		return fmt.Sprintf("nothing to do: %d objects are as they should be\n", len(p.Steps))
	}
	var b strings.Builder
	for i, line := range strings.SplitAfter(table.String(), "\n")[:len(shown)] {
		b.WriteString(line)
		for _, c := range shown[i].Changes {
			fmt.Fprintf(&b, "          %s: %s -> %s\n", c.Field, orMissing(c.Old), orMissing(c.New))
		}
	}
	for _, d := range p.Drift() {
		fmt.Fprintf(&b, "drift     %s\n", d)
	}
	return b.String()
}

func orMissing(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}
