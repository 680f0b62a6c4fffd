package profile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/strata-go/strata/internal/nearest"
	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// maxLookups bounds how many sources are looked up at once.
const maxLookups = 16

// A Lister lists the versions that satisfy a reference, newest first; if there
// is none, the error wraps [layer.ErrNoVersion]. *registry.Client is a Lister.
// Versions may be called concurrently.
type Lister interface {
	Versions(ctx context.Context, ref layer.Ref) ([]string, error)
}

// A pinner pins sources.
type pinner struct {
	Resolver                      // nil if nobody can be asked
	lister   Lister               // nil if not needed
	lock     map[string]layer.Pin // by layer
	update   *Update              // nil if what is locked stays
}

// all pins the sources of layers; those without one get the zero Pin.
func (p *pinner) all(ctx context.Context, layers []placed) ([]layer.Pin, error) {
	if err := p.known(layers); err != nil {
		return nil, err
	}
	pins, errs := make([]layer.Pin, len(layers)), make([]error, len(layers))
	slots := make(chan struct{}, maxLookups)
	var wg sync.WaitGroup
	for i, l := range layers {
		ref := l.Ref()
		if ref == (layer.Ref{}) {
			continue
		}
		locked := p.lock[l.Name]
		if locked.Ref != ref {
			locked = layer.Pin{}
		}
		if !locked.Zero() && !p.asked(l.Name) {
			pins[i] = locked
			continue
		}
		if p.Resolver == nil {
			errs[i] = l.from.errorf(ErrLock, "", "layer %q: the lock does not pin %s; resolve with a registry", l.Name, ref)
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if errs[i] = ctx.Err(); errs[i] != nil {
				return
			}
			var err error
			if pins[i], err = p.pin(ctx, ref, locked); err != nil {
				errs[i] = fmt.Errorf("profile %s: layer %q: %w", l.from.ID(), l.Name, err)
			}
		})
	}
	wg.Wait()
	return pins, errors.Join(errs...)
}

// known reports layers to update that are not there.
func (p *pinner) known(layers []placed) error {
	if p.update == nil {
		return nil
	}
	names := make([]string, len(layers))
	for i, l := range layers {
		names[i] = l.Name
	}
	var errs []error
	for _, name := range p.update.Layers {
		if !slices.Contains(names, name) {
			errs = append(errs, &Error{Problem: fmt.Sprintf("the stack has no layer %q to update%s", name, nearest.Hint(name, names)), Err: ErrInvalid})
		}
	}
	return errors.Join(errs...)
}

func (p *pinner) asked(name string) bool {
	return p.update != nil && (len(p.update.Layers) == 0 || slices.Contains(p.update.Layers, name))
}

// pin looks ref up. What is locked is zero if ref is new.
func (p *pinner) pin(ctx context.Context, ref layer.Ref, locked layer.Pin) (layer.Pin, error) {
	// A version with a digest names one artifact.
	if p.lister == nil || locked.Zero() || strings.ContainsAny(ref.Version, "@:") {
		return p.Resolve(ctx, ref)
	}
	versions, err := p.lister.Versions(ctx, ref)
	if err != nil {
		return layer.Pin{}, err
	}
	newest := newestOf(versions, func(v version.Version) bool { return samePart(v, locked.Resolved, 2) })
	if newest == "" {
		return locked, nil
	}
	exact := ref
	exact.Version = newest
	pin, err := p.Resolve(ctx, exact)
	pin.Ref = ref
	return pin, err
}
