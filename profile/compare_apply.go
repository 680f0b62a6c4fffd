package profile

import (
	"maps"
	"reflect"
	"slices"

	"github.com/strata-go/strata/layer"
)

// A patch is what makes one profile of another. Nothing in it is shown, as it
// may hold sensitive values.
type patch struct {
	from, to  *Profile
	layers    []step[layer.Layer]
	variables []step[Variable]
}

// A step is what becomes of one item; nil is none.
type step[T any] struct {
	name     string
	was, now *T
}

func newPatch(a, b *Profile) *patch {
	layerName := func(l layer.Layer) string { return l.Name }
	variableName := func(v Variable) string { return v.Name }
	return &patch{a, b, steps(a.Layers, b.Layers, layerName), steps(a.Variables, b.Variables, variableName)}
}

// steps returns a step for each item of b, in its order, and then for each that
// only a has.
func steps[T any](a, b []T, name func(T) string) []step[T] {
	was := map[string]*T{}
	for i := range a {
		was[name(a[i])] = &a[i]
	}
	var all []step[T]
	for i := range b {
		n := name(b[i])
		all = append(all, step[T]{n, was[n], &b[i]})
		delete(was, n)
	}
	for _, n := range slices.Sorted(maps.Keys(was)) {
		all = append(all, step[T]{n, was[n], nil})
	}
	return all
}

// Apply makes of p what the difference made of the profile that it starts from:
// Compare(a, b).Apply(a) equals b. A layer or variable that differs between the
// two must be in p as it was in the first, else the error names it, an
// [ErrConflict]; others may be there and stay. A difference of locks cannot be
// applied. The result shares values with its sources.
func (d *Difference) Apply(p *Profile) (*Profile, error) {
	if d.patch == nil {
		return nil, &Error{Problem: "a difference of locks cannot be applied to a profile", Err: ErrInvalid}
	}
	a, b := d.patch.from, d.patch.to
	out := *p
	out.Name, out.Version = pick(a.Name, b.Name, p.Name), pick(a.Version, b.Version, p.Version)
	out.Description = pick(a.Description, b.Description, p.Description)
	out.Type, out.CloudType = pick(a.Type, b.Type, p.Type), pick(a.CloudType, b.CloudType, p.CloudType)
	if !maps.Equal(a.Labels, b.Labels) {
		out.Labels = b.Labels
	}
	if !maps.Equal(a.Annotations, b.Annotations) {
		out.Annotations = b.Annotations
	}
	var stuck string
	if out.Layers, stuck = follow(p.Layers, d.patch.layers, func(l layer.Layer) string { return l.Name }); stuck != "" {
		return nil, p.errorf(ErrConflict, "spec.layers", "layer %q is not as it was in %s", stuck, a.ID())
	}
	if out.Variables, stuck = follow(p.Variables, d.patch.variables, func(v Variable) string { return v.Name }); stuck != "" {
		return nil, p.errorf(ErrConflict, "spec.variables", "variable %q is not as it was in %s", stuck, a.ID())
	}
	out.origin, out.pin, out.memo = origin{}, layer.Pin{}, nil
	return &out, nil
}

func pick[T comparable](a, b, other T) T {
	if a == b {
		return other
	}
	return b
}

// follow makes the steps, and returns the name of an item that is in the way.
func follow[T any](items []T, steps []step[T], name func(T) string) (out []T, stuck string) {
	have := map[string]*T{}
	for i := range items {
		have[name(items[i])] = &items[i]
	}
	for _, s := range steps {
		current := have[s.name]
		delete(have, s.name)
		switch {
		case reflect.DeepEqual(s.was, s.now):
			if current != nil {
				out = append(out, *current)
			}
		case !reflect.DeepEqual(s.was, current):
			return nil, s.name
		case s.now != nil:
			out = append(out, *s.now)
		}
	}
	for i := range items {
		if have[name(items[i])] != nil {
			out = append(out, items[i])
		}
	}
	return out, ""
}
