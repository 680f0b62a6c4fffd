package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/layer"
)

// What errors of this package wrap; test with [errors.Is].
var (
	// ErrTerminal marks errors that another pass does not cure: something must
	// be changed first, in the stack or on the cluster.
	ErrTerminal = errors.New("terminal")
	// ErrUnreachable says that the cluster could not be asked. It may help to
	// try again.
	ErrUnreachable = kube.ErrUnreachable
	// ErrChanged says that another run changed the installation meanwhile. It
	// helps to try again.
	ErrChanged = inventory.ErrChanged
)

// A LayerError is what keeps a layer from the state that it should have. It is
// an [ErrTerminal] unless trying again may help.
type LayerError struct {
	Layer string
	Err   error
}

func (e *LayerError) Error() string { return fmt.Sprintf("layer %q: %v", e.Layer, e.Err) }

// Unwrap returns the cause.
func (e *LayerError) Unwrap() error { return e.Err }

func wrapLayer(layer string, err error) error {
	if err == nil {
		return nil
	}
	return &LayerError{layer, err}
}

// Is reports whether target is [ErrTerminal] and trying again does not help.
func (e *LayerError) Is(target error) bool { return target == ErrTerminal && !retryable(e.Err) }

// A SourceError says where the object is written that the API server refuses.
type SourceError struct {
	Source string // file and line
	Err    error
}

func (e *SourceError) Error() string { return fmt.Sprintf("%s: %v", e.Source, e.Err) }

// Unwrap returns the cause.
func (e *SourceError) Unwrap() error { return e.Err }

// A ConflictError says that other managers own fields of an object that the
// stack wants to set. It is terminal. The object is left as it was.
type ConflictError struct {
	Object ObjectRef
	Fields []FieldConflict
}

// A FieldConflict is a field that another manager owns.
type FieldConflict struct {
	Field   string `json:"field"`   // ".spec.replicas"
	Manager string `json:"manager"` // as in the managed fields of the object
}

func (e *ConflictError) Error() string {
	owned := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		owned[i] = fmt.Sprintf("%s (owned by %q)", f.Field, f.Manager)
	}
	return fmt.Sprintf("%s: fields belong to other managers: %s; take them out of the stack, or make the manager give them up", e.Object, strings.Join(owned, ", "))
}

// Is reports whether target is [ErrTerminal].
func (e *ConflictError) Is(target error) bool { return target == ErrTerminal }

// An ExistsError says that an object, or a Helm release, was there before and
// belongs to somebody else. It is terminal.
type ExistsError struct {
	Object ObjectRef
	Owner  string // who seems to own it: installation, release or field managers
	// Adopt is the least policy, of the layer or of [Reconciler.Adopt], that would
	// take it over.
	Adopt layer.AdoptPolicy
}

func (e *ExistsError) Error() string {
	return fmt.Sprintf("%s exists already and belongs to %s; remove it, rename ours, or take it over with \"adopt: %s\" in the layer", e.Object, e.Owner, e.Adopt)
}

// Is reports whether target is [ErrTerminal].
func (e *ExistsError) Is(target error) bool { return target == ErrTerminal }

// An ImmutableError says that a field of an object cannot be changed while the
// object is there, and that nobody allowed to replace it. It is terminal.
type ImmutableError struct {
	Object ObjectRef
	Source string // file and line
	Err    error  // of the API server, which names the field
}

func (e *ImmutableError) Error() string {
	return fmt.Sprintf("%s: %s cannot be changed so: %v; allow it in Reconciler.Replace, or delete the object", e.Source, e.Object, e.Err)
}

// Unwrap returns the cause.
func (e *ImmutableError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrTerminal].
func (e *ImmutableError) Is(target error) bool { return target == ErrTerminal }

// A DuplicateError says that two places of the stack hold one object.
// It is terminal.
type DuplicateError struct {
	Object        ObjectRef
	First, Second string // where: layer and file
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%s is in %s and in %s; remove one of them", e.Object, e.First, e.Second)
}

// Is reports whether target is [ErrTerminal].
func (e *DuplicateError) Is(target error) bool { return target == ErrTerminal }

// A NoKindError says that the cluster does not have the kind of an object, and
// that no layer of the stack brings it. It is terminal.
type NoKindError struct {
	Object ObjectRef
	Source string // file and line
	Err    error
}

func (e *NoKindError) Error() string { return fmt.Sprintf("%s: %v", e.Source, e.Err) }

// Unwrap returns the cause.
func (e *NoKindError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrTerminal].
func (e *NoKindError) Is(target error) bool { return target == ErrTerminal }

// A FailedError says that an object was applied and will not become ready.
// It is terminal.
type FailedError struct {
	Object  ObjectRef
	Message string
	// Log is the end of the logs of a Job or a Pod that failed, or says in brackets
	// why they are missing; it holds nothing sensitive. It names the container
	// where the pod has more than one, or where the log is that of before the
	// container was restarted.
	Log string
}

func (e *FailedError) Error() string {
	text := fmt.Sprintf("%s failed: %s", e.Object, e.Message)
	if log := strings.TrimSpace(e.Log); log != "" {
		text += "; its log ends with:\n" + log
	}
	return text
}

// Is reports whether target is [ErrTerminal].
func (e *FailedError) Is(target error) bool { return target == ErrTerminal }

// terminal marks err, which is nobody's type of this package, as terminal.
type terminal struct{ error }

func (e terminal) Unwrap() error        { return e.error }
func (e terminal) Is(target error) bool { return target == ErrTerminal }

// final marks what ends a method and is not cured by trying again, whoever's
// error it is. What the end of ctx brings about says nothing of that.
func final(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrTerminal) || retryable(err) {
		return err
	}
	return terminal{err}
}

// retryable reports whether another try may help with all that err joins.
func retryable(err error) bool {
	switch e := err.(type) { //nolint:errorlint // errors are unwrapped one by one, as each has its say
	case terminal:
		return false
	case interface{ Retryable() bool }: // errors of a registry say it themselves
		return e.Retryable()
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok && !errors.Is(err, ErrUnreachable) {
		for _, e := range joined.Unwrap() {
			if !retryable(e) {
				return false
			}
		}
		return true
	}
	if wrapped := errors.Unwrap(err); wrapped != nil && !errors.Is(err, ErrUnreachable) {
		return retryable(wrapped)
	}
	switch {
	case apierrors.IsUnauthorized(err):
		return false
	case errors.Is(err, ErrUnreachable), errors.Is(err, ErrChanged):
		return true
	}
	// A namespace that is on its way out is soon gone, and can be made again.
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) || apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) ||
		apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err)
}
