package profile

import (
	"context"
	"strings"

	"github.com/strata-go/strata/layer"
)

// A Resolver turns a reference into the artifact to use now.
// *registry.Client is a Resolver. Resolve may be called concurrently.
type Resolver interface {
	Resolve(ctx context.Context, ref layer.Ref) (layer.Pin, error)
}

// Resolve composes the profiles and resolves the stack: see [Compose] and
// [Stack.Resolve].
func Resolve(ctx context.Context, r Resolver, lock *Lock, profiles ...*Profile) (*Desired, error) {
	s, err := Compose(profiles...)
	if err != nil {
		return nil, err
	}
	return s.Resolve(ctx, r, lock)
}

// Resolve validates the stack, pins every source and binds the variables.
//
// A source is pinned as lock has it, if the layer's source is still the same;
// else r is asked. Either may be nil; without r a source that is not in the
// lock is an [ErrLock]. Problems of the stack itself are found before r is
// asked, and reported as [*Error], joined. Errors of r are wrapped, joined.
func (s *Stack) Resolve(ctx context.Context, r Resolver, lock *Lock) (*Desired, error) {
	return s.resolve(ctx, pinner{Resolver: r, lock: lock.byLayer()})
}

// An Update says which pins of a lock are looked up anew. The zero Update
// means all.
type Update struct {
	// Layers are the names of the layers. If empty, all.
	Layers []string
	// PatchOnly keeps the major and the minor version that a source has. The
	// resolver must be a [Lister].
	PatchOnly bool
}

// Update resolves the stack as [Stack.Resolve] does, but looks up anew what u
// asks for, though the lock has it.
func (s *Stack) Update(ctx context.Context, r Resolver, lock *Lock, u Update) (*Desired, error) {
	p := pinner{Resolver: r, lock: lock.byLayer(), update: &u}
	if u.PatchOnly {
		var ok bool
		if p.lister, ok = r.(Lister); !ok {
			return nil, &Error{Problem: "the resolver cannot list versions, which an update of patches needs", Err: ErrLock}
		}
	}
	return s.resolve(ctx, p)
}

// Restore resolves the stack to what the lock says, and asks nobody. If the
// stack is not the one that was locked (other profiles, layers, values or
// variables), the error is an [ErrLock] that says what differs. Differences of
// sensitive variables are seen only with the LockKey that the lock was made with.
func (s *Stack) Restore(ctx context.Context, lock *Lock) (*Desired, error) {
	d, err := s.Resolve(ctx, nil, lock)
	if err != nil {
		return nil, err
	}
	if diff := CompareLocks(lock, d.lock); !diff.Empty() {
		return nil, &Error{Problem: "the stack is not the one that was locked: " + strings.Join(diff.headlines(), ", "), Err: ErrLock}
	}
	return d, nil
}

func (s *Stack) resolve(ctx context.Context, p pinner) (*Desired, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	layers, err := s.layers()
	if err != nil {
		return nil, err
	}
	variables, sensitive, err := s.variables()
	if err != nil {
		return nil, err
	}
	env := s.environment(layers, variables, sensitive)
	// Found here, an unknown macro costs no lookup.
	if err := env.check(); err != nil {
		return nil, err
	}
	pins, err := p.all(ctx, layers)
	if err != nil {
		return nil, err
	}
	bound, err := env.bind(pins)
	if err != nil {
		return nil, err
	}
	d := &Desired{layers: bound, redactor: env.secrets, lock: s.lock(layers, pins, variables), stack: s.clone()}
	for _, p := range s.sorted() {
		d.profiles = append(d.profiles, p.ID())
	}
	return d, nil
}
