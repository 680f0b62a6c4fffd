package profile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/nearest"
	"github.com/strata-go/strata/layer"
)

// An OverrideMode says what the values of an override are.
// The zero OverrideMode means [OverrideMerge].
type OverrideMode string

// The modes.
const (
	// OverrideMerge lays the values over those of the profile: maps are merged
	// by key, lists and scalars replaced, and a null removes the key.
	OverrideMerge OverrideMode = "merge"
	// OverrideReplace takes the values instead of those of the profile.
	OverrideReplace OverrideMode = "replace"
)

// An Override changes one layer on one cluster.
//
// It remembers the values of the profile that it was made against. When an
// update of the profile changes them, the override is not lost, and neither is
// the update: they are merged, as [MergeOverride] does, if Base holds the old
// values and nothing was changed in both; else resolving the stack fails with
// an [*OverrideError].
type Override struct {
	// Layer is the name of the layer.
	Layer string `json:"layer"`
	// Mode says what Values are. If empty, [OverrideMerge].
	Mode OverrideMode `json:"mode,omitempty"`
	// Values are a YAML document. If empty, the values stay, whatever the mode.
	Values string `json:"values,omitempty" strict:"document"`
	// Base are the values of the layer in the profile when the override was
	// made.
	Base string `json:"base,omitempty" strict:"document"`
	// BaseDigest is the [ValuesDigest] of Base, for who does not want to keep
	// Base itself. An override that replaces values needs one of both, unless
	// the profile gives the layer no values; one that merges may do without,
	// and then wins against whatever the profile says.
	BaseDigest digest.Digest `json:"baseDigest,omitempty"`
	// Manifests replace the manifests of the layer of the same names; others
	// are attached to it.
	Manifests []layer.Manifest `json:"manifests,omitempty"`
	// Version is a constraint that replaces that of the source.
	Version string `json:"version,omitempty"`
}

// ValuesDigest identifies the values of a layer, for [Override].BaseDigest.
// Comments, the order of keys and the layout do not matter.
func ValuesDigest(values string) digest.Digest { return (*memo)(nil).document(values).digest }

// An OverrideError says that an update of a profile and an override of a
// cluster do not go together. It is an [ErrConflict]. To solve it, change the
// values of the override and set its Base to the new values of the profile.
type OverrideError struct {
	Profile ID
	Layer   string
	// Conflicts are what both changed. It is empty if the values before the
	// update are not known, as there is only their digest.
	Conflicts []ValueConflict
}

// Error returns "profile: layer: problem", with a line for each conflict. It
// shows paths and no values.
func (e *OverrideError) Error() string {
	at := fmt.Sprintf("profile %s: layer %q: ", e.Profile, e.Layer)
	if len(e.Conflicts) == 0 {
		return at + "the profile has other values than those that the override was made against; review it, then set its base or baseDigest anew"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%sthe override and the update of the profile both change", at)
	for _, c := range e.Conflicts {
		fmt.Fprintf(&b, "\n\t%s", c.Path)
	}
	return b.String()
}

// Unwrap returns [ErrConflict].
func (e *OverrideError) Unwrap() error { return ErrConflict }

// override applies the overrides of s to its layers.
func (s *Stack) override(layers []placed) error {
	var errs []error
	index, names := make(map[string]int, len(layers)), make([]string, len(layers))
	for i, l := range layers {
		index[l.Name], names[i] = i, l.Name
	}
	for i := range s.Overrides {
		o := &s.Overrides[i]
		at, ok := index[o.Layer]
		report := func(sort error, field, format string, args ...any) {
			errs = append(errs, &Error{Path: fmt.Sprintf("overrides[%d]%s", i, field), Problem: fmt.Sprintf(format, args...), Err: sort})
		}
		switch {
		case !ok:
			report(ErrInvalid, ".layer", "the stack has no layer %q%s", o.Layer, nearest.Hint(o.Layer, names))
			continue
		case layers[at].override != nil:
			report(ErrConflict, ".layer", "layer %q has an override already; make one of both", o.Layer)
			continue
		}
		if problem := o.check(layers[at].Layer, s.memo); problem != nil {
			report(problem.Err, problem.Path, "layer %q: %s", o.Layer, problem.Problem)
			continue
		}
		layers[at].override = o
		errs = append(errs, layers[at].apply(o))
	}
	return errors.Join(errs...)
}

// check returns what is wrong with o by itself, for a layer.
func (o *Override) check(l layer.Layer, m *memo) *Error {
	mode := cmp.Or(o.Mode, OverrideMerge)
	for _, doc := range []struct{ field, text string }{{"values", o.Values}, {"base", o.Base}} {
		if problem := m.document(doc.text).problem; problem != "" {
			return &Error{Path: "." + doc.field, Problem: problem, Err: ErrSyntax}
		}
	}
	switch {
	case mode != OverrideMerge && mode != OverrideReplace:
		return &Error{Path: ".mode", Problem: fmt.Sprintf("is %q; want %s or %s", o.Mode, OverrideMerge, OverrideReplace), Err: ErrInvalid}
	case o.Base != "" && o.BaseDigest != "" && ValuesDigest(o.Base) != o.BaseDigest:
		return &Error{Path: ".baseDigest", Problem: "is not the digest of base; keep one of both", Err: ErrInvalid}
	case mode == OverrideReplace && o.Values != "" && o.Base == "" && o.BaseDigest == "" && l.Values != "":
		return &Error{Path: ".base", Problem: "is missing; without it, or baseDigest, an update of the profile would be lost", Err: ErrInvalid}
	case o.Version != "" && l.Ref() == layer.Ref{}:
		return &Error{Path: ".version", Problem: "is set, but the source of the layer has no versions", Err: ErrInvalid}
	}
	seen := map[string]bool{}
	for i, manifest := range o.Manifests {
		if !dnsLabel.MatchString(manifest.Name) || seen[manifest.Name] {
			return &Error{Path: fmt.Sprintf(".manifests[%d].name", i), Problem: fmt.Sprintf("is %q; want a DNS label that no other manifest has", manifest.Name), Err: ErrInvalid}
		}
		seen[manifest.Name] = true
	}
	return nil
}

// apply changes l as o says.
func (l *placed) apply(o *Override) error {
	if o.Version != "" {
		l.Source = withVersion(l.Source, o.Version)
	}
	if len(o.Manifests) > 0 {
		l.Layer = withManifests(l.Layer, o.Manifests)
	}
	if o.Values == "" {
		return nil
	}
	values, err := o.values(l.Values)
	if e, ok := errors.AsType[*OverrideError](err); ok {
		e.Profile, e.Layer = l.from.ID(), l.Name
		return e
	} else if err != nil {
		return l.from.errorf(ErrInvalid, "", "layer %q: laying the override over its values: %v", l.Name, err)
	}
	l.Values = values
	return nil
}

// stale reports whether the profile has other values than those that o was
// made against, as far as o says.
func (o *Override) stale(values string) bool {
	base := cmp.Or(o.BaseDigest, ValuesDigest(o.Base))
	return (o.Base != "" || o.BaseDigest != "") && base != ValuesDigest(values)
}

// values returns what o makes of the values that the profile has now. The error
// is an [*OverrideError] if they changed, and it cannot be made of them.
func (o *Override) values(theirs string) (string, error) {
	merges := o.Mode != OverrideReplace
	switch {
	case !o.stale(theirs) && merges:
		return mergeValues(theirs, o.Values)
	case !o.stale(theirs):
		return o.Values, nil
	case o.Base == "":
		return "", &OverrideError{}
	}
	mine := o.Values
	if merges {
		var err error
		if mine, err = mergeValues(o.Base, o.Values); err != nil {
			return "", err
		}
	}
	merged, conflicts, err := MergeOverride(o.Base, mine, theirs)
	if len(conflicts) > 0 {
		err = &OverrideError{Conflicts: conflicts}
	}
	return merged, err
}

// withVersion returns s with another constraint.
func withVersion(s layer.Source, constraint string) layer.Source {
	switch {
	case s.Pack != nil:
		pack := *s.Pack
		pack.Version, s.Pack = constraint, &pack
	case s.Helm != nil:
		helm := *s.Helm
		helm.Version, s.Helm = constraint, &helm
	case s.Zarf != nil:
		zarf := *s.Zarf
		zarf.Version, s.Zarf = constraint, &zarf
	}
	return s
}

// withManifests returns l with manifests replaced and attached.
func withManifests(l layer.Layer, with []layer.Manifest) layer.Layer {
	var inline []layer.Manifest
	if l.Manifests != nil {
		inline = slices.Clone(l.Manifests.Inline)
		l.Manifests = &layer.Manifests{Inline: inline}
	}
	l.AttachedManifests = slices.Clone(l.AttachedManifests)
	for _, m := range with {
		same := func(o layer.Manifest) bool { return o.Name == m.Name }
		if i := slices.IndexFunc(inline, same); i >= 0 {
			inline[i] = m
		} else if i := slices.IndexFunc(l.AttachedManifests, same); i >= 0 {
			l.AttachedManifests[i] = m
		} else {
			l.AttachedManifests = append(l.AttachedManifests, m)
		}
	}
	return l
}
