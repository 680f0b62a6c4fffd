package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Digest identifies what the plan does: two plans with the same digest do the
// same to the same objects, for the same desired state.
func (p *Plan) Digest() digest.Digest {
	steps := p.changing()
	for i := range steps {
		steps[i].Drift = nil // who did it, and when, is no part of what is done
	}
	// Steps and strings are always JSON.
	data, _ := json.Marshal(planFile{p.Target, p.Desired, steps})
	return digest.FromBytes(data)
}

type planFile struct {
	Target  string        `json:"target"`
	Desired digest.Digest `json:"desired"`
	Steps   []Step        `json:"steps"` // that change something
}

// MarshalJSON returns the plan for other programs to read and to keep: its
// digest, and the steps that change something.
func (p *Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Digest digest.Digest `json:"digest"`
		planFile
		Unchanged int `json:"unchanged"`
	}{p.Digest(), planFile{p.Target, p.Desired, p.changing()}, p.Count(Unchanged)})
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

// Markdown returns the plan as a table for a pull request.
func (p *Plan) Markdown() string {
	steps := p.changing()
	if len(steps) == 0 {
		return fmt.Sprintf("Nothing to do: %d objects are as they should be.\n", len(p.Steps))
	}
	cell := strings.NewReplacer("|", `\|`, "\n", " ").Replace
	var b strings.Builder
	b.WriteString("| action | object | layer | why |\n|---|---|---|---|\n")
	for _, s := range steps {
		var why strings.Builder
		why.WriteString(cell(s.Reason))
		for _, c := range s.Changes {
			fmt.Fprintf(&why, "<br>`%s`: %s → %s", cell(c.Field), cell(orMissing(c.Old)), cell(orMissing(c.New)))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.Action, cell(s.Object.String()), cell(s.Layer), why.String())
	}
	return b.String()
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

// applyApproved carries out a plan that was made before, if it is still what a
// plan would be now.
func (s *session) applyApproved(ctx context.Context, p *Plan, result *Result) error {
	s.back = p.back
	s.approved, s.made = map[string]*layerWork{}, p.made
	for _, l := range p.layers {
		s.approved[l.Name] = l
	}
	now, err := s.plan(ctx, p.desired)
	if err != nil {
		return err
	}
	if err := stale(p.changing(), now.changing()); err != nil {
		return err
	}
	return s.apply(ctx, now, result)
}

// stale returns a [*StaleError] for the first difference of two plans.
func stale(then, now []Step) error {
	for i := range max(len(then), len(now)) {
		switch {
		case i >= len(now):
			return &StaleError{Object: then[i].Object, Reason: fmt.Sprintf("the plan has to %s it, and there is nothing to do any more", then[i].Action)}
		case i >= len(then):
			return &StaleError{Object: now[i].Object, Reason: fmt.Sprintf("there is now to %s it, which the plan does not", now[i].Action)}
		case then[i].Object != now[i].Object || then[i].Action != now[i].Action:
			return &StaleError{Object: now[i].Object, Reason: fmt.Sprintf("there is now to %s it, where the plan has to %s %s", now[i].Action, then[i].Action, then[i].Object)}
		}
		for j := range max(len(then[i].Changes), len(now[i].Changes)) {
			switch {
			case j >= len(now[i].Changes):
				return &StaleError{now[i].Object, then[i].Changes[j].Field, "it is already as the plan wants it"}
			case j >= len(then[i].Changes), !reflect.DeepEqual(then[i].Changes[j], now[i].Changes[j]):
				c := now[i].Changes[j]
				return &StaleError{now[i].Object, c.Field, fmt.Sprintf("it is %s now", orMissing(c.Old))}
			}
		}
	}
	return nil
}
