package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/profile"
)

// PlanRollback says what Rollback would do. It changes nothing on the cluster;
// [Reconciler.Apply] carries it out.
func (r *Reconciler) PlanRollback(ctx context.Context, t Target, to digest.Digest) (*Plan, error) {
	var p *Plan
	err := r.with(ctx, t, "PlanRollback", func(ctx context.Context, s *session) error {
		d, err := s.earlier(ctx, to)
		if err == nil {
			p, err = s.plan(ctx, d)
		}
		return err
	})
	return p, err
}

// Rollback makes one pass back to an earlier state in which all was ready: one
// of [Reconciler.History]. It looks no version up: it gets the content of that
// state by digest. Charts run their hooks for a rollback, not for an upgrade.
//
// Without a digest it goes to the last good state before the current one; if
// the current one never became ready, to the last that did. While such a
// rollback is under way, the next call goes on with it.
//
// Errors are those of [Reconciler.Reconcile] and, before which nothing is
// written, an [*UnknownStateError], and a [*RollbackError] with all that cannot
// go back.
func (r *Reconciler) Rollback(ctx context.Context, t Target, to digest.Digest) (*Result, error) {
	return r.once(ctx, t, "Rollback", func(ctx context.Context, s *session, result *Result) error { return s.backwards(ctx, to)(result) })
}

// RollbackAndWait makes passes as Rollback does until the target is ready, an
// error comes that another pass does not cure, or ctx is done.
func (r *Reconciler) RollbackAndWait(ctx context.Context, t Target, to digest.Digest) (*Result, error) {
	result := new(Result)
	err := r.with(ctx, t, "RollbackAndWait", func(ctx context.Context, s *session) error { return s.converge(ctx, result, s.backwards(ctx, to)) })
	return result, err
}

// backwards returns passes to an earlier state, which the first of them finds.
func (s *session) backwards(ctx context.Context, to digest.Digest) func(*Result) error {
	var d *profile.Desired
	return func(pass *Result) (err error) {
		if d == nil {
			if d, err = s.earlier(ctx, to); err != nil {
				pass.Cost = Cost(s.client.Cost())
				return err
			}
		}
		return s.pass(ctx, d, pass)
	}
}

// earlier makes an earlier state again, and s a session that goes back to it.
func (s *session) earlier(ctx context.Context, to digest.Digest) (*profile.Desired, error) {
	inv, err := s.keeper.Load(ctx)
	if err != nil {
		return nil, err
	}
	state, err := choose(inv, to)
	if err != nil {
		return nil, err
	}
	record, err := s.history().Load(ctx, state)
	if errors.Is(err, inventory.ErrNoRecord) {
		return nil, unknownState(state.Desired, inv.States, err)
	}
	if err != nil {
		return nil, err
	}
	d, err := profile.Restore(ctx, record.Snapshot)
	if err != nil {
		return nil, terminal{fmt.Errorf("making the state %s again: %w", state.Desired, err)}
	}
	s.back = state.Desired
	return d, nil
}

// choose returns the state to go back to: the newest with the digest.
func choose(inv *inventory.Inventory, to digest.Digest) (inventory.State, error) {
	states := inv.States
	if to == "" {
		to = inv.Back
	}
	if n := len(states); to == "" && n > 0 && inv.Current(states[n-1]) {
		states = states[:n-1]
	}
	for _, state := range slices.Backward(states) {
		if to == "" || state.Desired == to {
			return state, nil
		}
	}
	return inventory.State{}, unknownState(to, inv.States, nil)
}

// An UnknownStateError says that an installation has no such earlier state to
// go back to. It is terminal.
type UnknownStateError struct {
	State digest.Digest   // empty if any earlier state would do
	Known []digest.Digest // newest first
	Err   error           // what became of the record of the state; nil if there was none
}

func unknownState(to digest.Digest, known []inventory.State, err error) *UnknownStateError {
	e := &UnknownStateError{State: to, Err: err}
	for _, s := range slices.Backward(known) {
		if !slices.Contains(e.Known, s.Desired) {
			e.Known = append(e.Known, s.Desired)
		}
	}
	return e
}

func (e *UnknownStateError) Error() string {
	switch {
	case len(e.Known) == 0:
		return "the installation was never ready in full, so there is no state to go back to"
	case e.State == "":
		return "there is no good state before the current one to go back to"
	}
	var known []string
	for _, d := range e.Known {
		known = append(known, d.String())
	}
	if e.Err != nil {
		return fmt.Sprintf("nobody can go back to %s any more: %v; the good states are %s", e.State, e.Err, strings.Join(known, ", "))
	}
	return fmt.Sprintf("there is no good state %s to go back to; there are %s", e.State, strings.Join(known, ", "))
}

// Unwrap returns Err.
func (e *UnknownStateError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrTerminal].
func (e *UnknownStateError) Is(target error) bool { return target == ErrTerminal }

// either returns the event that a chart sees when it is changed.
func (s *session) either(upgrade, rollback helm.Event) helm.Event {
	if s.back != "" {
		return rollback
	}
	return upgrade
}
