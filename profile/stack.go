package profile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/strata-go/strata/layer"
)

// A Stack is what one cluster runs: profiles composed, with the values that
// the cluster gives. Make it with [Compose], then set the other fields.
type Stack struct {
	// Profiles are at most one infrastructure or full profile and any number of
	// add-on profiles. A stack of add-ons alone is for a cluster whose
	// infrastructure somebody else keeps. Their order does not matter.
	Profiles []*Profile
	// References name further profiles, in registries. [Stack.ResolveProfiles]
	// makes profiles of them.
	References []Reference
	// Overrides change layers on this cluster only, at most one each.
	Overrides []Override
	// Variables are the values of this cluster, by the name of the variable.
	Variables map[string]string
	// System has the values of the macros {{ .spectro.system.* }} that the
	// library cannot know, by what follows "system.": "cluster.name".
	System map[string]string
	// Macros have the values of the macros {{ .spectro.macro.* }}.
	Macros Macros
	// LockKey is the key of the hashes with which locks tell that the value of
	// a sensitive variable has changed. Keep it as secret as those values. If
	// empty, locks have no hashes of them.
	LockKey []byte

	memo *memo
}

// Compose stacks profiles. It validates each, and reports as [*Error], joined,
// what does not go together, most of it an [ErrConflict] that names both sides:
// a second infrastructure or full profile, profiles for different clouds, and
// profiles, layers, releases, objects of manifests, or unequal variables of one
// name. The order of profiles does not matter.
func Compose(profiles ...*Profile) (*Stack, error) {
	s := &Stack{Profiles: slices.Clone(profiles), memo: new(memo)}
	slices.SortStableFunc(s.Profiles, compareProfiles)
	if err := s.validate(); err != nil {
		return nil, err
	}
	return s, nil
}

// compareProfiles puts the infrastructure first and sorts the others by name.
func compareProfiles(a, b *Profile) int {
	rank := func(p *Profile) int {
		if p.Type == AddOn {
			return 1
		}
		return 0
	}
	return cmp.Or(rank(a)-rank(b), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
}

// sorted returns the profiles in the order of [Compose].
func (s *Stack) sorted() []*Profile {
	return slices.SortedStableFunc(slices.Values(s.Profiles), compareProfiles)
}

// validate checks the profiles, each and together.
func (s *Stack) validate() error {
	if len(s.References) > 0 {
		return &Error{Problem: fmt.Sprintf("the stack refers to %s, which is not fetched; call ResolveProfiles first", s.References[0].Ref()), Err: ErrInvalid}
	}
	if len(s.Profiles) == 0 {
		return &Error{Problem: "the stack has no profile", Err: ErrInvalid}
	}
	var errs []error
	for _, p := range s.sorted() {
		errs = append(errs, p.validate(s.memo))
	}
	c := collisions{stack: s}
	c.profiles()
	c.layers()
	c.variables()
	if errs = append(errs, c.errs...); errors.Join(errs...) == nil {
		c.releases()
		c.objects()
		errs = c.errs
	}
	return errors.Join(errs...)
}

// A placed layer is a layer with the profile that it comes from.
type placed struct {
	layer.Layer // with the override applied
	from        *Profile
	override    *Override // nil if there is none
}

// layers returns the layers of s in the order in which they are installed:
// kinds from the bottom of the stack up, install orders, names. The errors are
// those of the overrides.
func (s *Stack) layers() ([]placed, error) {
	var all []placed
	for _, p := range s.sorted() {
		for _, l := range p.Layers {
			all = append(all, placed{Layer: l, from: p})
		}
	}
	slices.SortFunc(all, func(a, b placed) int { return compareLayers(a.Layer, b.Layer) })
	return all, s.override(all)
}
