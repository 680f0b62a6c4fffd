package reconcile

import (
	"context"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// CheckUpdates asks l, such as a *registry.Client, which sources of s have
// newer versions, and fills in the updates of profiles and layers and their
// condition [ConditionUpgradeAvailable]. What l could not say stays unknown;
// the error is that of [profile.Outdated].
func (s *Status) CheckUpdates(ctx context.Context, l profile.Lister) error {
	if s.Lock == nil {
		return nil
	}
	newer, err := profile.Outdated(ctx, l, s.Lock)
	s.Updates = nil
	for _, n := range newer {
		if n.Layer == "" {
			s.Updates = append(s.Updates, n)
		}
	}
	for i := range s.Layers {
		one := &s.Layers[i]
		one.Update = nil
		for _, n := range newer {
			if n.Layer == one.Name && n.Layer != "" && one.Health != Removing {
				one.Update = &n
			}
		}
		one.updated(err)
	}
	return err
}

// updated sets the condition for what is newer, or for the error of looking.
func (l *LayerStatus) updated(err error) {
	c := Condition{Type: ConditionUpgradeAvailable, Status: ConditionFalse, Reason: "UpToDate"}
	switch {
	case l.Update != nil:
		c.Status, c.Reason = ConditionTrue, "NewerVersion"
		c.Message = "the newest version is " + l.newest()
	case l.Format == layer.FormatManifests:
		c.Reason, c.Message = "InProfile", "it changes with its profile"
	case err != nil:
		c.Status, c.Reason, c.Message = ConditionUnknown, "LookupFailed", err.Error()
	}
	for i := range l.Conditions {
		if l.Conditions[i].Type == c.Type {
			l.Conditions[i] = c
		}
	}
}
