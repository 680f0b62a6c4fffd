package profile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// profileFile is the name of the file with the profile in its artifact.
const profileFile = "profile.yaml"

// A Reference names a profile in a registry. Its fields are those of
// [layer.Pack].
type Reference struct {
	Registry string         `json:"registry,omitempty"`
	Name     string         `json:"name"`
	Version  string         `json:"version,omitempty"`
	Strategy layer.Strategy `json:"strategy,omitempty"`
}

// Ref returns r as a reference of format [layer.FormatProfile].
func (r Reference) Ref() layer.Ref {
	return layer.Ref{Format: layer.FormatProfile, Registry: r.Registry, Name: r.Name, Version: r.Version, Strategy: r.Strategy}
}

// A Fetcher returns the files of a pinned artifact. *registry.Client is a
// Fetcher. Fetch may be called concurrently.
type Fetcher interface {
	Fetch(ctx context.Context, pin layer.Pin) (fs.FS, error)
}

// ResolveProfiles returns s with profiles in the place of its references. They
// are pinned as lock has them, as in [Stack.Resolve], fetched by digest from
// the file profile.yaml, and composed with the others. The lock of what the
// stack resolves to pins them. Errors of r and f are wrapped; those of profiles
// are as in [Parse] and [Compose]; all are joined.
func (s *Stack) ResolveProfiles(ctx context.Context, r Resolver, f Fetcher, lock *Lock) (*Stack, error) {
	found, errs := make([]*Profile, len(s.References)), make([]error, len(s.References))
	slots := make(chan struct{}, maxLookups)
	var wg sync.WaitGroup
	for i, ref := range s.References {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if errs[i] = ctx.Err(); errs[i] == nil {
				found[i], errs[i] = fetchProfile(ctx, ref.Ref(), source{r, f, lock})
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	composed, err := Compose(append(found, s.Profiles...)...)
	if err != nil {
		return nil, err
	}
	result := *s
	result.Profiles, result.References, result.memo = composed.Profiles, nil, composed.memo
	return &result, nil
}

// A source is where profiles are found.
type source struct {
	Resolver
	Fetcher
	lock *Lock
}

func fetchProfile(ctx context.Context, ref layer.Ref, from source) (*Profile, error) {
	pin, ok := from.lock.profilePin(ref)
	if !ok {
		if from.Resolver == nil {
			return nil, &Error{Problem: fmt.Sprintf("the lock does not pin %s; resolve with a registry", ref), Err: ErrLock}
		}
		var err error
		if pin, err = from.Resolve(ctx, ref); err != nil {
			return nil, fmt.Errorf("%s: %w", ref, err)
		}
	}
	if from.Fetcher == nil {
		return nil, &Error{Problem: fmt.Sprintf("%s cannot be fetched without a registry", ref), Err: ErrLock}
	}
	files, err := from.Fetch(ctx, pin)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	p, err := loadFS(files, profileFile, fmt.Sprintf("%s@%s/%s", ref.Name, pin.Resolved, profileFile))
	if err != nil {
		return nil, err
	}
	if want := (ID{ref.Name, version.FromTag(cmp.Or(pin.Resolved, p.Version))}); p.ID() != want {
		return nil, p.errorf(ErrInvalid, "metadata.name", "the artifact %s holds %s, not %s", pin, p.ID(), want)
	}
	p.pin = pin
	return p, nil
}
