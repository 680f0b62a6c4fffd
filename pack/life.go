package pack

import (
	"strings"
	"time"
)

// A State is where a pack stands in its life. The zero State is [Active].
type State string

// The states, in the order in which a pack goes through them.
const (
	Active     State = ""           // nothing is said
	Deprecated State = "deprecated" // there is something better; all works
	Disabled   State = "disabled"   // not for new profiles; those that have it go on, also on new clusters
	Deleted    State = "deleted"    // not for new clusters either; those that run it go on
)

// State returns the state that the annotations of p give.
func (p *Pack) State() State {
	switch state := State(strings.ToLower(strings.TrimSpace(p.Annotations["system_state"]))); {
	case state == Deleted:
		return Deleted
	case state == Disabled, strings.EqualFold(p.Annotations["disabled"], "true"):
		return Disabled
	case state == Deprecated:
		return Deprecated
	}
	return Active
}

// Selectable reports whether a new profile may take a pack of that state.
func (s State) Selectable() bool { return s == Active || s == Deprecated }

// Deployable reports whether a cluster that does not have it may get a pack of
// that state.
func (s State) Deployable() bool { return s != Deleted }

// Ended reports whether the end of life of p was before the day of now, in
// UTC: on its last day a pack still lives. A pack whose EndOfLife is empty, or
// is no date, lives.
func (p *Pack) Ended(now time.Time) bool {
	end, err := time.Parse(time.DateOnly, p.EndOfLife)
	return err == nil && !now.Before(end.AddDate(0, 0, 1))
}
