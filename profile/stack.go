package profile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/strata-go/strata/layer"
)

// A Stack is what one cluster runs: profiles composed, with the values that
// the cluster gives. Make it with [Compose], then set Variables and System.
type Stack struct {
	// Profiles are at most one infrastructure or full profile and any number of
	// add-on profiles. A stack of add-ons alone is for a cluster whose
	// infrastructure somebody else keeps.
	Profiles []*Profile
	// Variables are the values of this cluster, by the name of the variable.
	Variables map[string]string
	// System has the values of the macros {{ .spectro.system.* }} that the
	// library cannot know, by what follows "system.": "cluster.name".
	System map[string]string
}

// Compose stacks profiles. It validates each, and reports as [*Error], joined:
// a second infrastructure or full profile, and layers or unequal variables of
// one name, which are an [ErrConflict]. The order of profiles does not matter.
func Compose(profiles ...*Profile) (*Stack, error) {
	s := &Stack{Profiles: slices.Clone(profiles)}
	if err := s.validate(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Stack) validate() error {
	if len(s.Profiles) == 0 {
		return &Error{Problem: "the stack has no profile", Err: ErrInvalid}
	}
	var errs []error
	var base *Profile
	layers, variables := map[string]*Profile{}, map[string]*Profile{}
	for _, p := range s.Profiles {
		errs = append(errs, p.Validate())
		if p.Type != AddOn {
			if base != nil {
				errs = append(errs, p.errorf(ErrConflict, "spec.type", "%s is a second %s profile beside %s; a stack has at most one, the others are of type %s", p.ID(), cmp.Or(p.Type, Full), base.ID(), AddOn))
			}
			base = p
		}
		for i, l := range p.Layers {
			if other := layers[l.Name]; other != nil && other != p {
				errs = append(errs, p.errorf(ErrConflict, fmt.Sprintf("spec.layers[%d].name", i), "layer %q of %s is also a layer of %s; give one of them another name", l.Name, p.ID(), other.ID()))
			}
			layers[l.Name] = p
		}
		for i, v := range p.Variables {
			if other := variables[v.Name]; other != nil && other != p && other.variable(v.Name) != v {
				errs = append(errs, p.errorf(ErrConflict, fmt.Sprintf("spec.variables[%d]", i), "variable %q of %s is defined otherwise by %s; make the definitions equal, or rename one", v.Name, p.ID(), other.ID()))
			}
			variables[v.Name] = p
		}
	}
	return errors.Join(errs...)
}

func (p *Profile) variable(name string) Variable {
	i := slices.IndexFunc(p.Variables, func(v Variable) bool { return v.Name == name })
	if i < 0 {
		return Variable{}
	}
	return p.Variables[i]
}

// A placed layer is a layer with the profile that it comes from.
type placed struct {
	layer.Layer
	from *Profile
}

// layers returns the layers of s in the order in which they are installed:
// kinds from the bottom of the stack up, install orders, names.
func (s *Stack) layers() []placed {
	var all []placed
	for _, p := range s.Profiles {
		for _, l := range p.Layers {
			all = append(all, placed{l, p})
		}
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(a.Kind.Compare(b.Kind), cmp.Compare(a.InstallOrder, b.InstallOrder), cmp.Compare(a.Name, b.Name))
	})
	return all
}
