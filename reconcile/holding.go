package reconcile

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/inventory"
)

// lease is how long others keep off after a run was last heard of.
const lease = 30 * time.Second

// A BusyError says that another process is changing the installation. It helps
// to try again.
type BusyError struct {
	Holder string    // its [Reconciler.Identity]
	Until  time.Time // when it is taken for dead if nothing is heard of it
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("%q is changing the installation; if it is gone, others go on after %s", e.Holder, e.Until.Format(time.RFC3339))
}

// Retryable reports that it helps to try again.
func (e *BusyError) Retryable() bool { return true }

// hold writes inv, and with it that we are at work, which others respect. It
// fails if others are, or if somebody wrote it since it was read.
func (s *session) hold(ctx context.Context, inv *inventory.Inventory) error {
	now := seconds(time.Now())
	if err := s.free(inv, now); err != nil {
		return err
	}
	inv.Holder = inventory.Holder{Name: s.identity, Until: now.Add(lease)}
	if err := s.keeper.Save(ctx, inv); err != nil {
		return err
	}
	begun := inv.Begun
	s.held, s.begun = inv.Clone(), &begun
	return nil
}

// A SupersededError says that, since a call of [Reconciler.Converge] or its like
// began, or during a [Reconciler.Watch], another process or call has begun to
// bring the target to another state, or to delete everything. The call leaves the target to it, as the two would undo
// each other's work without end. It is terminal.
type SupersededError struct {
	Began, Now digest.Digest // the states; empty is that of nothing being there
}

func (e *SupersededError) Error() string {
	name := func(d digest.Digest) string {
		if d == "" {
			return "nothing"
		}
		return "the state " + d.String()
	}
	return fmt.Sprintf("another process or call is bringing the target to %s, and this one, which began %s, leaves it to that; let only one of them work on the target", name(e.Now), name(e.Began))
}

// Is reports whether target is [ErrTerminal].
func (e *SupersededError) Is(target error) bool { return target == ErrTerminal }

// superseded returns a [*SupersededError] if the inventory, as it was read, says
// that another process has begun another state than this call did.
func (s *session) superseded(inv *inventory.Inventory) error {
	if s.yields && s.begun != nil && *s.begun != inv.Begun {
		return &SupersededError{*s.begun, inv.Begun}
	}
	return nil
}

// journal writes what was done since [session.hold], so that it stays done
// whatever comes, and that we are still at work.
func (s *session) journal(ctx context.Context, inv *inventory.Inventory) error {
	if s.held == nil || reflect.DeepEqual(s.held, inv) {
		return nil
	}
	return s.hold(ctx, inv)
}

// keepOff is [session.hold], unless we are at work already.
func (s *session) keepOff(ctx context.Context, inv *inventory.Inventory) error {
	if s.held != nil {
		return nil
	}
	return s.hold(ctx, inv)
}

// checkpoint is [session.journal] for work of which others must not do any at
// the same time: if we are not yet at work, it says so.
func (s *session) checkpoint(ctx context.Context, inv *inventory.Inventory) error {
	if s.held == nil {
		return s.hold(ctx, inv)
	}
	return s.journal(ctx, inv)
}

// release writes inv, and that nobody is at work.
func (s *session) release(ctx context.Context, inv *inventory.Inventory) error {
	if err := s.free(inv, time.Now()); err != nil {
		return err
	}
	inv.Holder, s.held = inventory.Holder{}, nil
	return s.keeper.Save(ctx, inv)
}

// free returns a [*BusyError] if another process is at work.
func (s *session) free(inv *inventory.Inventory, now time.Time) error {
	if h := inv.Holder; h.Name != "" && h.Name != s.identity && now.Before(h.Until) {
		return &BusyError{h.Name, h.Until}
	}
	return nil
}
