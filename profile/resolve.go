package profile

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/redact"
	"github.com/strata-go/strata/layer"
)

// maxLookups bounds how many sources are looked up at once.
const maxLookups = 16

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
	if err := s.validate(); err != nil {
		return nil, err
	}
	variables, sensitive, err := s.variables()
	if err != nil {
		return nil, err
	}
	layers := s.layers()
	// Found here, an unknown macro costs no lookup.
	if _, err := s.bind(layers, variables, "0.0.0"); err != nil {
		return nil, err
	}
	pins, err := pinAll(ctx, r, lock, layers)
	if err != nil {
		return nil, err
	}
	kube := ""
	for i, l := range layers {
		if l.Kind == layer.Kubernetes {
			kube = pins[i].Resolved
		}
	}
	bound, err := s.bind(layers, variables, kube)
	if err != nil {
		return nil, err
	}
	d := &Desired{redactor: redact.New(sensitive)}
	for _, p := range s.Profiles {
		d.profiles = append(d.profiles, p.ID())
	}
	for i, l := range layers {
		d.layers = append(d.layers, PinnedLayer{Layer: bound[i], Profile: l.from.ID(), Pin: pins[i], scope: s.scope(l.from, variables, kube)})
	}
	return d, nil
}

// bind returns the layers with the macros in what the profiles say replaced.
func (s *Stack) bind(layers []placed, variables map[string]string, kube string) ([]layer.Layer, error) {
	bound := make([]layer.Layer, len(layers))
	var errs []error
	for i, l := range layers {
		lookup := s.scope(l.from, variables, kube).lookup
		text := func(field, doc string) string {
			out, err := macro.Bind([]byte(doc), lookup)
			if err != nil {
				errs = append(errs, l.from.errorf(ErrMacro, "", "layer %q, %s: %v", l.Name, field, err))
			}
			return string(out)
		}
		bound[i] = l.Layer
		bound[i].Values = text("values", l.Values)
		if m := l.Manifests; m != nil {
			inline := make([]layer.Manifest, len(m.Inline))
			for j, manifest := range m.Inline {
				inline[j] = layer.Manifest{Name: manifest.Name, Content: text("manifest "+manifest.Name, manifest.Content)}
			}
			bound[i].Manifests = &layer.Manifests{Inline: inline}
		}
	}
	return bound, errors.Join(errs...)
}

// pinAll pins the sources of layers; those without one get the zero Pin.
func pinAll(ctx context.Context, r Resolver, lock *Lock, layers []placed) ([]layer.Pin, error) {
	pins, errs := make([]layer.Pin, len(layers)), make([]error, len(layers))
	slots := make(chan struct{}, maxLookups)
	var wg sync.WaitGroup
	for i, l := range layers {
		ref := l.Ref()
		if ref == (layer.Ref{}) {
			continue
		}
		if pin, ok := lock.pin(l.Name, ref); ok {
			pins[i] = pin
			continue
		}
		if r == nil {
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
			if pins[i], err = r.Resolve(ctx, ref); err != nil {
				errs[i] = fmt.Errorf("profile %s: layer %q: %w", l.from.ID(), l.Name, err)
			}
		})
	}
	wg.Wait()
	return pins, errors.Join(errs...)
}
