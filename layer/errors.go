package layer

import "errors"

// What resolvers and fetchers report, wrapped; test with [errors.Is].
var (
	// ErrNotFound says that a registry answered, and has no such content.
	ErrNotFound = errors.New("not found")
	// ErrNoVersion says that the content exists, but in no version that
	// satisfies the constraint.
	ErrNoVersion = errors.New("no version satisfies the constraint")
	// ErrDigest says that content is not what its digest promises.
	ErrDigest = errors.New("content does not match its digest")
	// ErrSignature says that content is not signed as the caller's policy wants
	// it, or that nobody could tell.
	ErrSignature = errors.New("signature not verified")
	// ErrUnavailable says that a registry could not be asked. It may help to
	// try again.
	ErrUnavailable = errors.New("registry unavailable")
)
