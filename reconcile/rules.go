package reconcile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/kube"
)

// A ForceRule says which fields of other managers may be taken. What is empty
// matches anything; a rule in which all is empty takes every field.
type ForceRule struct {
	Layer string
	// Kind is "Kind" or "Kind.group".
	Kind, Namespace, Name string
	// Field is a field of the object and all below it: ".spec.replicas".
	Field string
	// Manager is the owner of the field.
	Manager string
}

func (r ForceRule) allows(w *work, c kube.FieldConflict) bool {
	matches := func(rule, value string) bool { return rule == "" || rule == value }
	below := r.Field == "" || c.Field == r.Field || strings.HasPrefix(c.Field, r.Field+".") || strings.HasPrefix(c.Field, r.Field+"[")
	return below && matches(r.Layer, w.layer) && matches(r.Kind, w.ref.GVK().GroupKind().String()) &&
		matches(r.Namespace, w.ref.Namespace) && matches(r.Name, w.ref.Name) && matches(r.Manager, c.Manager)
}

// forced reports whether rules allow to take all the fields.
func forced(rules []ForceRule, w *work, conflicts []kube.FieldConflict) bool {
	for _, c := range conflicts {
		if !slices.ContainsFunc(rules, func(r ForceRule) bool { return r.allows(w, c) }) {
			return false
		}
	}
	return true
}

// A Budget bounds what one plan may do to what is there. The zero Budget sets
// no bounds.
type Budget struct {
	// Deletes and Replaces are how many objects may be deleted, and replaced, at
	// most. If zero, any number; if negative, none.
	Deletes, Replaces int
	// Kinds ("Kind" or "Kind.group") and Namespaces are protected: nothing of
	// them, nor a namespace itself, may be deleted or replaced.
	Kinds, Namespaces []string
}

// A BudgetError says that a plan would do more than the budget allows. It is
// terminal: approve the plan by raising the budget, or change the stack.
type BudgetError struct {
	Problem string
	Objects []ObjectRef // those that the plan would delete or replace
}

func (e *BudgetError) Error() string {
	const shown = 10
	var names []string
	for _, o := range e.Objects[:min(shown, len(e.Objects))] {
		names = append(names, o.String())
	}
	if more := len(e.Objects) - shown; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return e.Problem + ": " + strings.Join(names, ", ")
}

// Is reports whether target is [ErrTerminal].
func (e *BudgetError) Is(target error) bool { return target == ErrTerminal }

// check returns a [*BudgetError], joined, for each bound that steps exceed.
func (b Budget) check(steps []Step) error {
	harm := map[Action][]ObjectRef{}
	var protected []ObjectRef
	for _, s := range steps {
		if s.Action != Delete && s.Action != Replace {
			continue
		}
		harm[s.Action] = append(harm[s.Action], s.Object)
		if b.protects(s.Object) {
			protected = append(protected, s.Object)
		}
	}
	over := func(limit, n int) bool { return limit > 0 && n > limit || limit < 0 && n > 0 }
	var errs []error
	if len(protected) > 0 {
		errs = append(errs, &BudgetError{"the plan deletes or replaces what the budget protects", protected})
	}
	if n := len(harm[Delete]); over(b.Deletes, n) {
		errs = append(errs, &BudgetError{fmt.Sprintf("the plan deletes %d objects, the budget allows %d", n, max(b.Deletes, 0)), harm[Delete]})
	}
	if n := len(harm[Replace]); over(b.Replaces, n) {
		errs = append(errs, &BudgetError{fmt.Sprintf("the plan replaces %d objects, the budget allows %d", n, max(b.Replaces, 0)), harm[Replace]})
	}
	return errors.Join(errs...)
}

// protects reports whether o is of a protected kind, in a protected namespace,
// or such a namespace itself.
func (b Budget) protects(o ObjectRef) bool {
	kind := kube.Ref(o).GVK().GroupKind()
	return slices.Contains(b.Kinds, kind.String()) || slices.Contains(b.Namespaces, o.Namespace) ||
		kind == namespaceKind && slices.Contains(b.Namespaces, o.Name)
}
