package reconcile

import (
	"errors"
	"fmt"
)

// A SchemaError says that a field of an object is not as the custom resource
// definition of its kind, which the plan makes or has, allows. It is terminal.
type SchemaError struct {
	Object  ObjectRef
	Source  string // file and line of the object
	Field   string // ".spec.size"
	Problem string
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("%s: %s: %s: %s", e.Source, e.Object, e.Field, e.Problem)
}

// Is reports whether target is [ErrTerminal].
func (e *SchemaError) Is(target error) bool { return target == ErrTerminal }

// conforms returns a [*SchemaError] for each field of w that the kind does not
// allow. The cluster cannot be asked: its definition of the kind is missing yet,
// or is an older one.
func (k servedKind) conforms(w *work) error {
	if k.validator == nil {
		return nil
	}
	var errs []error
	for _, p := range k.validator.Check(w.object) {
		errs = append(errs, &SchemaError{ObjectRef(w.ref), w.source, p.Field, p.Problem})
	}
	return errors.Join(errs...)
}
