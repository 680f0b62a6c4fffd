package reconcile

import (
	"cmp"
	"time"

	"github.com/strata-go/strata/internal/inventory"
)

// A ConditionType is one of the six questions that Palette answers about each
// pack of a cluster.
type ConditionType string

// The types of conditions.
const (
	// ConditionReadyForInstall: everything below the layer is ready.
	ConditionReadyForInstall ConditionType = "ReadyForInstall"
	// ConditionInstalled: all objects of the layer were applied.
	ConditionInstalled ConditionType = "Installed"
	// ConditionReady: all objects are ready, and none has drifted.
	ConditionReady ConditionType = "Ready"
	// ConditionError: the last pass failed on the layer, or an object of it
	// will not become ready.
	ConditionError ConditionType = "Error"
	// ConditionUpgradeAvailable: there are newer versions of the source.
	ConditionUpgradeAvailable ConditionType = "UpgradeAvailable"
	// ConditionWaitingForOtherLayers: a layer below is not ready.
	ConditionWaitingForOtherLayers ConditionType = "WaitingForOtherLayers"
)

// ConditionTypes returns all types, in the order in which a layer has them.
func ConditionTypes() []ConditionType {
	return []ConditionType{
		ConditionReadyForInstall, ConditionInstalled, ConditionReady,
		ConditionError, ConditionUpgradeAvailable, ConditionWaitingForOtherLayers,
	}
}

// A ConditionStatus is the answer of a condition.
type ConditionStatus string

// The answers.
const (
	ConditionTrue    ConditionStatus = "True"
	ConditionFalse   ConditionStatus = "False"
	ConditionUnknown ConditionStatus = "Unknown"
)

// A Condition is one thing that holds of a layer, or does not.
type Condition struct {
	Type   ConditionType   `json:"type"`
	Status ConditionStatus `json:"status"`
	// Reason is one word in CamelCase, for programs; Message is for people.
	Reason  string `json:"reason"`
	Message string `json:"message,omitempty"`
	// LastTransitionTime is when the status became what it is; zero if nobody
	// knows, as with objects that somebody changed.
	LastTransitionTime time.Time `json:"lastTransitionTime,omitzero"`
}

// Condition returns the condition of a type; the zero Condition if t is none of
// [ConditionTypes].
func (l *LayerStatus) Condition(t ConditionType) Condition {
	for _, c := range l.Conditions {
		if c.Type == t {
			return c
		}
	}
	return Condition{}
}

// The reasons of conditions that are not a [Health].
const (
	reasonBegun      = "Begun"
	reasonWaiting    = "LayersBelowNotReady"
	reasonApplied    = "Applied"
	reasonNotApplied = "NotAllApplied"
	reasonRetrying   = "Retrying"
	reasonNone       = "NoError"
	reasonNotChecked = "NotChecked"
)

// conditions returns the conditions of a layer whose health is known.
func conditions(l *LayerStatus, entry *inventory.Layer) []Condition {
	had := !entry.Began.IsZero() || !entry.Ready.IsZero() || entry.Dropped
	turn := Condition{Type: ConditionReadyForInstall, Status: ConditionTrue, Reason: reasonBegun, LastTransitionTime: entry.Began}
	waiting := Condition{Type: ConditionWaitingForOtherLayers, Status: ConditionFalse, Reason: reasonBegun, LastTransitionTime: entry.Began}
	if !had {
		turn.Status, turn.Reason, turn.Message = ConditionFalse, reasonWaiting, l.Message
		waiting.Status, waiting.Reason, waiting.Message = ConditionTrue, reasonWaiting, l.Message
	}
	installed := Condition{Type: ConditionInstalled, Status: ConditionTrue, Reason: reasonApplied, LastTransitionTime: entry.Applied}
	if entry.Inputs == "" {
		installed.Status, installed.Reason, installed.LastTransitionTime = ConditionFalse, reasonNotApplied, entry.Began
	}
	ready := Condition{Type: ConditionReady, Status: ConditionTrue, Reason: string(Ready), LastTransitionTime: entry.Ready}
	if l.Health != Ready {
		ready.Status, ready.Reason, ready.Message = ConditionFalse, string(l.Health), l.Message
		if ready.LastTransitionTime = entry.Began; !entry.Ready.IsZero() {
			ready.LastTransitionTime = time.Time{} // it was ready, and since when it is not is not recorded
		}
	}
	update := Condition{Type: ConditionUpgradeAvailable, Status: ConditionUnknown, Reason: reasonNotChecked}
	return []Condition{turn, installed, ready, failing(l, entry), update, waiting}
}

// failing returns the condition that says whether something is wrong.
func failing(l *LayerStatus, entry *inventory.Layer) Condition {
	c := Condition{Type: ConditionError, Status: ConditionFalse, Reason: reasonNone}
	switch f := entry.Failure; {
	case f.Message != "":
		c.Status, c.Reason, c.Message, c.LastTransitionTime = ConditionTrue, reasonRetrying, f.Message, f.Since
		if f.Terminal {
			c.Reason = string(Failed)
		}
	case l.Health == Failed:
		c.Status, c.Reason, c.Message = ConditionTrue, string(Failed), l.Message
	default:
		c.LastTransitionTime = cmp.Or(entry.Ready, entry.Began)
	}
	return c
}
