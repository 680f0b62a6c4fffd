package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
)

// What errors of a [Client] wrap, besides those of package layer.
var (
	// ErrUnauthorized says that a registry refuses, with the credential that
	// it was given or without one.
	ErrUnauthorized = errors.New("not authorized")
	// ErrOffline says that a registry would have to be asked, which
	// [Client.Offline] forbids. It is a [layer.ErrUnavailable].
	ErrOffline = fmt.Errorf("the client is offline: %w", layer.ErrUnavailable)
	// ErrAmbiguous says that a reference names no registry, and that several
	// registries have what it names.
	ErrAmbiguous = errors.New("in more than one registry")
	// ErrExists says that the version to be pushed is there already, with other
	// content.
	ErrExists = errors.New("the version exists with other content")
)

// An Error is an operation of a [Client] that went wrong. It shows no
// credentials, and nothing of a URL that may be one.
type Error struct {
	Op     string        // "versions", "resolve", "fetch", "push", "export" or "import"
	Ref    layer.Ref     // what was asked for; zero if it was not one thing
	Digest digest.Digest // of the artifact, if it was known
	Err    error         // wraps, for instance, [layer.ErrNotFound]
}

// Error returns "op ref (digest): problem".
func (e *Error) Error() string {
	if e.Ref == (layer.Ref{}) {
		return e.Op + ": " + e.Err.Error()
	}
	subject := e.Ref.String()
	if e.Digest != "" {
		subject += " (" + e.Digest.String() + ")"
	}
	return e.Op + " " + subject + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same call may work when made again later.
func (e *Error) Retryable() bool {
	if errors.Is(e.Err, ErrOffline) || errors.Is(e.Err, context.Canceled) {
		return false
	}
	return errors.Is(e.Err, layer.ErrUnavailable) || errors.Is(e.Err, context.DeadlineExceeded)
}

// fail makes the error of an operation.
func fail(op string, ref layer.Ref, d digest.Digest, err error) error {
	ref.Registry = scrubURL(ref.Registry)
	return &Error{Op: op, Ref: ref, Digest: d, Err: err}
}
