package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/strata-go/strata/internal/joined"
	"github.com/strata-go/strata/profile"
)

// A RollbackError says all that keeps an installation from going back to an
// earlier state. Nothing was written. It is terminal.
type RollbackError struct {
	State    digest.Digest
	Problems []Irreversible
}

// Irreversible is one thing that cannot go back.
type Irreversible struct {
	Layer  string    // empty if it is about the cluster
	Object ObjectRef // zero if it is about the layer as a whole
	Field  string    // "spec.selector"; empty if it is about all of it
	Why    string    // and what to do; it holds nothing sensitive
	Err    error     // the cause, such as an [*ImmutableError]
}

// String returns "layer: object: field: why".
func (i Irreversible) String() string {
	var parts []string
	if i.Layer != "" {
		parts = append(parts, fmt.Sprintf("layer %q", i.Layer))
	}
	if i.Object != (ObjectRef{}) {
		parts = append(parts, i.Object.String())
	}
	if i.Field != "" {
		parts = append(parts, i.Field)
	}
	return strings.Join(append(parts, i.Why), ": ")
}

// Error returns a line for each problem.
func (e *RollbackError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cannot go back to %s:", e.State)
	for _, p := range e.Problems {
		b.WriteString("\n\t" + p.String())
	}
	return b.String()
}

// Unwrap returns the causes.
func (e *RollbackError) Unwrap() []error {
	var errs []error
	for _, p := range e.Problems {
		errs = append(errs, p.Err)
	}
	return errs
}

// Is reports whether target is [ErrTerminal].
func (e *RollbackError) Is(target error) bool { return target == ErrTerminal }

// irreversible returns what planning to go back to a state met: constraints that
// are not met, and other errors. What trying again does not cure is one
// [*RollbackError]. Without a state to go back to, it returns err.
func (s *session) irreversible(ctx context.Context, state digest.Digest, unmet, err error) error {
	var constraints terminal
	switch {
	case state == "" || ctx.Err() != nil:
		return err
	case errors.As(unmet, &constraints):
		err = errors.Join(constraints.error, err)
	case err == nil: // else unmet is about the same content
		err = unmet
	}
	e := &RollbackError{State: state}
	for _, one := range joined.Errors(err) {
		if !retryable(one) {
			e.Problems = append(e.Problems, problems(one)...)
		}
	}
	if len(e.Problems) == 0 {
		return err
	}
	for i := range e.Problems {
		e.Problems[i].Why = s.events.redact(e.Problems[i].Why)
	}
	return e
}

// problems returns what an error of planning says: one problem, or, if the
// server refuses an object, one for each field.
func problems(err error) []Irreversible {
	p := Irreversible{Why: err.Error(), Err: err}
	if c, ok := errors.AsType[*profile.ConstraintError](err); ok {
		p.Layer, p.Why = c.Layer, c.Problem
		return []Irreversible{p}
	}
	if l, ok := errors.AsType[*LayerError](err); ok {
		p.Layer, p.Why = l.Layer, l.Err.Error()
	}
	if d, ok := errors.AsType[*DefinitionError](err); ok {
		var all []Irreversible
		for _, f := range d.Findings {
			all = append(all, Irreversible{p.Layer, d.Object, f.Path, f.Problem + "; allow it in Reconciler.BreakCRDs", err})
		}
		return all
	}
	advice := ""
	if i, ok := errors.AsType[*ImmutableError](err); ok {
		p.Object, advice = i.Object, "; allow it in Reconciler.Replace, or delete the object"
	} else if m, ok := errors.AsType[*NoKindError](err); ok {
		p.Object = m.Object
	}
	var refused apierrors.APIStatus
	if !errors.As(err, &refused) || refused.Status().Details == nil || len(refused.Status().Details.Causes) == 0 {
		return []Irreversible{p}
	}
	var all []Irreversible
	for _, cause := range refused.Status().Details.Causes {
		p.Field, p.Why = cause.Field, cause.Message+advice
		all = append(all, p)
	}
	return all
}
