package pack

import (
	"errors"
	"fmt"

	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// A Member is a pack that is in a stack, or is about to be.
type Member struct {
	Pack    string // name
	Version string
	Kind    layer.Kind // of its layer
}

// A DependencyError says that a stack does not meet a dependency of a pack.
type DependencyError struct {
	Pack       string // whose dependency it is
	Dependency Dependency
	Have       string // version of the other pack; empty if it is not in the stack
	Problem    string
}

// Error returns "pack name: problem".
func (e *DependencyError) Error() string {
	return fmt.Sprintf("pack %s: %s", e.Pack, e.Problem)
}

// CheckStack checks the dependencies of p against the packs of a stack, in
// which p itself may be too. It reports all problems at once, each as a
// [*DependencyError], joined. Dependencies of type [Upgrade] say nothing about
// a stack, and neither do those without a type.
func (p *Pack) CheckStack(stack []Member) error {
	var errs []error
	for _, d := range p.Constraints.Dependencies {
		var present, elsewhere *Member
		for _, m := range stack {
			if m.Pack == d.Pack && m.Kind.OrDefault() == d.Kind.OrDefault() {
				present = &m
			} else if m.Pack == d.Pack {
				elsewhere = &m
			}
		}
		errs = append(errs, d.meets(p.Name, present, elsewhere))
	}
	return errors.Join(errs...)
}

// meets checks one dependency. present is the other pack in the layer that the
// dependency names, and elsewhere that pack in another one.
func (d Dependency) meets(pack string, present, elsewhere *Member) error {
	fail := func(have, format string, args ...any) error {
		return &DependencyError{pack, d, have, fmt.Sprintf(format, args...)}
	}
	if present == nil {
		switch {
		case d.Type != Required:
			return nil
		case elsewhere != nil:
			return fail(elsewhere.Version, "needs %s as a layer of kind %s, and it is one of kind %s", d.Pack, d.Kind, elsewhere.Kind.OrDefault())
		}
		return fail("", "needs %s%s in the stack: add it", d.Pack, d.bounds())
	}
	within, err := d.admits(present.Version)
	switch {
	case d.Type != Required && d.Type != Optional && d.Type != NotSupported:
		return nil
	case err != nil:
		return fail(present.Version, "%s: %v", d.Pack, err)
	case d.Type == NotSupported && within:
		return fail(present.Version, "does not work with %s%s, and the stack has %s", d.Pack, d.bounds(), present.Version)
	case d.Type != NotSupported && !within:
		return fail(present.Version, "needs %s%s, and the stack has %s", d.Pack, d.bounds(), present.Version)
	}
	return nil
}

// CheckUpgrade checks whether a cluster that has p may get next in its place,
// as far as the dependencies of type [Upgrade] of p bound the versions of that
// name. It reports all problems at once, each as a [*DependencyError], joined.
//
// What such a dependency means is written down nowhere. The packs that have one
// use it as bounds for the version that they are changed to.
func (p *Pack) CheckUpgrade(next Member) error {
	var errs []error
	for _, d := range p.Constraints.Dependencies {
		if d.Type != Upgrade || d.Pack != next.Pack {
			continue
		}
		problem := ""
		if within, err := d.admits(next.Version); err != nil {
			problem = err.Error()
		} else if !within {
			problem = fmt.Sprintf("version %s may be changed to %s%s only, and not to %s", p.Version, d.Pack, d.bounds(), next.Version)
		}
		if problem != "" {
			errs = append(errs, &DependencyError{p.Name, d, next.Version, problem})
		}
	}
	return errors.Join(errs...)
}

// admits reports whether a version is within the bounds. Without any, every
// version is, even one that cannot be compared.
func (d Dependency) admits(text string) (bool, error) {
	if d.MinVersion == "" && d.MaxVersion == "" {
		return true, nil
	}
	have, err := version.Parse(text)
	if err != nil {
		return false, err
	}
	for _, bound := range []struct {
		text string
		sign int // of the comparison that is too far
	}{{d.MinVersion, -1}, {d.MaxVersion, 1}} {
		if bound.text == "" {
			continue
		}
		limit, err := version.Parse(bound.text)
		if err != nil {
			return false, fmt.Errorf("bound: %w", err)
		}
		if version.CompareBound(have, limit)*bound.sign > 0 {
			return false, nil
		}
	}
	return true, nil
}

// bounds returns the bounds for people, with a space before.
func (d Dependency) bounds() string {
	switch {
	case d.MinVersion != "" && d.MaxVersion != "":
		return " from " + d.MinVersion + " to " + d.MaxVersion
	case d.MinVersion != "":
		return " from " + d.MinVersion + " on"
	case d.MaxVersion != "":
		return " up to " + d.MaxVersion
	}
	return ""
}
