package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
)

// Digest identifies what the plan does: two plans with the same digest do the
// same to the same objects and run the same hooks, for the same desired state.
// The number of requests, which is a forecast, and warnings have no part in it.
func (p *Plan) Digest() digest.Digest {
	d := p.deeds()
	for i := range d.Steps {
		d.Steps[i].Drift = nil // who did it, and when, is no part of what is done
		d.Steps[i].Changes = untimed(d.Steps[i].Changes)
	}
	// Steps and strings are always JSON.
	data, _ := json.Marshal(d)
	return digest.FromBytes(data)
}

// untimed returns changes without when their owners wrote: they may write what
// is no concern of the plan.
func untimed(changes []Change) []Change {
	out := slices.Clone(changes)
	for i := range out {
		out[i].Owners = slices.Clone(out[i].Owners)
		for j := range out[i].Owners {
			out[i].Owners[j].Time = time.Time{}
		}
	}
	return out
}

// deeds are what a plan does, without what stays unchanged.
type deeds struct {
	Target  TargetID      `json:"target"`
	Desired digest.Digest `json:"desired"`
	Steps   []Step        `json:"steps"`
	Hooks   []Hook        `json:"hooks,omitempty"`
}

func (p *Plan) deeds() deeds { return deeds{p.Target, p.Desired, p.changing(), p.Hooks} }

// MarshalJSON returns the plan for other programs to read and to keep: its
// digest, the steps that change something, the hooks and the rest.
func (p *Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Digest digest.Digest `json:"digest"`
		deeds
		Unchanged int      `json:"unchanged"`
		Requests  Cost     `json:"requests"`
		Warnings  []string `json:"warnings,omitempty"`
	}{p.Digest(), p.deeds(), p.Count(Unchanged), p.Requests, p.Warnings})
}

func (p *Plan) changing() []Step {
	steps := []Step{}
	for _, s := range p.Steps {
		if s.Action != Unchanged {
			steps = append(steps, s)
		}
	}
	return steps
}

// A StaleError says that the world has moved since a plan was made. Make a new
// one.
type StaleError struct {
	Object ObjectRef
	Field  string // "" if the object as a whole is otherwise
	Reason string
}

func (e *StaleError) Error() string {
	at := e.Object.String()
	if e.Field != "" {
		at += " " + e.Field
	}
	return fmt.Sprintf("the plan is stale: %s: %s; make a new plan", at, e.Reason)
}

// Is reports whether target is [ErrTerminal].
func (e *StaleError) Is(target error) bool { return target == ErrTerminal }

// A WrongTargetError says that a plan was made for another target than the one
// that it was to be carried out on. It is terminal, and nothing was asked of the
// cluster.
type WrongTargetError struct {
	Plan, Target TargetID
}

func (e *WrongTargetError) Error() string {
	return fmt.Sprintf("the plan is for %s, and not for %s; make a plan for it, or set Target.Cluster to one name if both are the same cluster", e.Plan, e.Target)
}

// Is reports whether target is [ErrTerminal].
func (e *WrongTargetError) Is(target error) bool { return target == ErrTerminal }

// applyApproved carries out a plan that was made before, if it is still what a
// plan would be now.
func (s *session) applyApproved(ctx context.Context, p *Plan, result *Result) (err error) {
	ctx, end := s.beginPass(ctx, result)
	defer func() { end(err) }()
	if p == nil {
		return terminal{errors.New("the plan is nil; make it with Reconciler.Plan")}
	}
	if id := s.target.ID(); p.Target != id {
		return &WrongTargetError{p.Target, id}
	}
	s.back = p.back
	s.approved, s.made = map[string]*layerWork{}, p.made
	for _, l := range p.layers {
		s.approved[l.Name] = l
	}
	plan, carryOut := s.planDeletion, s.applyDeletion
	if p.desired != nil {
		plan, carryOut = func(ctx context.Context) (*Plan, error) { return s.plan(ctx, p.desired) }, s.apply
	}
	now, err := plan(ctx)
	if err != nil {
		return s.unplanned(ctx, result, err)
	}
	if err := stale(p, now); err != nil {
		return err
	}
	return carryOut(ctx, now, result)
}

// stale returns a [*StaleError] for the first difference of two plans.
func stale(then, now *Plan) error {
	if err := staleSteps(then.changing(), now.changing()); err != nil {
		return err
	}
	for i := range max(len(then.Hooks), len(now.Hooks)) {
		switch {
		case i >= len(now.Hooks):
			return &StaleError{Object: then.Hooks[i].Object, Reason: "the plan runs it as a hook, and it has run meanwhile"}
		case i >= len(then.Hooks), then.Hooks[i] != now.Hooks[i]:
			return &StaleError{Object: now.Hooks[i].Object, Reason: fmt.Sprintf("it would run now as a hook (%s), which the plan does not have there", now.Hooks[i].Event)}
		}
	}
	return nil
}

func staleSteps(then, now []Step) error {
	for i := range max(len(then), len(now)) {
		switch {
		case i >= len(now):
			return &StaleError{Object: then[i].Object, Reason: fmt.Sprintf("the plan has to %s it, and there is nothing to do any more", then[i].Action)}
		case i >= len(then):
			return &StaleError{Object: now[i].Object, Reason: fmt.Sprintf("there is now to %s it, which the plan does not", now[i].Action)}
		case then[i].Object != now[i].Object || then[i].Action != now[i].Action:
			return &StaleError{Object: now[i].Object, Reason: fmt.Sprintf("there is now to %s it, where the plan has to %s %s", now[i].Action, then[i].Action, then[i].Object)}
		}
		before, after := untimed(then[i].Changes), untimed(now[i].Changes)
		for j := range max(len(before), len(after)) {
			switch {
			case j >= len(after):
				return &StaleError{now[i].Object, before[j].Field, "it is already as the plan wants it"}
			case j >= len(before), !reflect.DeepEqual(before[j], after[j]):
				c := after[j]
				return &StaleError{now[i].Object, c.Field, fmt.Sprintf("it is %s now%s", orMissing(c.Old), c.owned())}
			}
		}
	}
	return nil
}
