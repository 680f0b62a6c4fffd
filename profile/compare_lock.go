package profile

import (
	"cmp"
	"slices"

	"github.com/strata-go/strata/layer"
)

// CompareLocks returns what differs between two locks. What the older of two
// formats does not record does not differ.
func CompareLocks(a, b *Lock) *Difference {
	c := lockComparison{old: a.bare() || b.bare()}
	d := &Difference{Profiles: c.profiles(a, b)}
	was := map[string]LockedLayer{}
	core := map[layer.Kind]string{}
	for _, l := range a.Layers {
		was[l.Layer] = l
		if l.Kind.Core() {
			core[l.Kind] = l.Layer
		}
	}
	for _, l := range b.Layers {
		before, ok := was[l.Layer]
		if taken, swapped := core[l.Kind]; !ok && swapped {
			before, ok = was[taken]
		}
		switch {
		case ok:
			d.add(c.layer(before, l))
			delete(was, before.Layer)
		case !c.old || l.Format != layer.FormatManifests:
			d.add(LayerChange{Layer: l.Layer, Kind: l.Kind.OrDefault(), Types: []ChangeType{Added}, To: lockedText(l), Repave: repaves(l.Kind, []ChangeType{Added}, nil)})
		}
	}
	for _, l := range a.Layers {
		if _, left := was[l.Layer]; left && (!c.old || l.Format != layer.FormatManifests) {
			d.add(LayerChange{Layer: l.Layer, Kind: l.Kind.OrDefault(), Types: []ChangeType{Removed}, From: lockedText(l), Repave: repaves(l.Kind, []ChangeType{Removed}, nil)})
		}
	}
	if !c.old {
		d.Variables = c.variables(a, b)
	}
	return d
}

// bare reports whether l is of the time when locks had pins alone.
func (l *Lock) bare() bool {
	return len(l.Layers) > 0 && !slices.ContainsFunc(l.Layers, func(l LockedLayer) bool { return l.Kind != "" })
}

type lockComparison struct {
	old bool // one of the locks has pins alone
}

// profiles compares the profiles. An infrastructure that took the place of
// another is removed and added.
func (c lockComparison) profiles(a, b *Lock) []Change {
	var changes []Change
	for p := range paired(a.Profiles, b.Profiles, func(p LockedProfile) string { return p.Name }) {
		before, after := p.before, p.after
		change := Change{Profile: p.name, From: before.Version, To: after.Version, Type: Changed}
		switch {
		case !p.had:
			change.Type = Added
		case !p.has:
			change.Type = Removed
		case before.Version != after.Version:
			change.Type = direction(before.Version, after.Version)
		case before.Digest == after.Digest || before.Digest == "" || after.Digest == "":
			continue
		}
		changes = append(changes, change)
	}
	return changes
}

// layer compares two layers of which one took the place of the other.
func (c lockComparison) layer(a, b LockedLayer) LayerChange {
	change := LayerChange{Layer: b.Layer, Kind: cmp.Or(b.Kind, a.Kind).OrDefault(), From: lockedText(a), To: lockedText(b)}
	manifests := a.Format == layer.FormatManifests && b.Format == layer.FormatManifests
	switch {
	case a.Layer != b.Layer || a.Format != b.Format || a.Name != b.Name:
		change.Types = append(change.Types, Swapped)
	case a.Resolved != b.Resolved:
		change.Types = append(change.Types, directionOf(a.Resolved, b.Resolved))
	case a.Digest != b.Digest && !manifests:
		change.Types = append(change.Types, Repinned)
	}
	if !c.old && (a.InstallOrder != b.InstallOrder || a.Kind != b.Kind) {
		change.Types = append(change.Types, Moved)
	}
	field := func(path, old, now string) {
		if old != now {
			change.Fields = append(change.Fields, ValueChange{path, old, now})
		}
	}
	field("registry", a.Registry, b.Registry)
	field("repository", a.Repository, b.Repository)
	field("version", a.Version, b.Version)
	field("strategy", string(cmp.Or(a.Strategy, layer.Newest)), string(cmp.Or(b.Strategy, layer.Newest)))
	if manifests {
		field("manifests", a.Digest.String(), b.Digest.String())
	}
	if a.Values != "" && b.Values != "" {
		field("values", a.Values.String(), b.Values.String())
	}
	change.markChanged()
	change.Repave = lockRepaves(change)
	return change
}

// lockRepaves says why nodes are replaced. A lock does not say which values
// changed, so all are taken for values that nodes see.
func lockRepaves(change LayerChange) string {
	if reason := repaves(change.Kind, change.Types, nil); reason != "" || !onNodes(change.Kind) {
		return reason
	}
	if slices.ContainsFunc(change.Fields, func(f ValueChange) bool { return f.Path == "values" }) {
		return "its values differ; a comparison of the profiles says whether nodes see them"
	}
	return ""
}

func (c lockComparison) variables(a, b *Lock) []VariableChange {
	var changes []VariableChange
	for p := range paired(a.Variables, b.Variables, func(v LockedVariable) string { return v.Name }) {
		before, after := p.before, p.after
		change := VariableChange{Variable: p.name, Type: Changed}
		switch {
		case !p.had:
			change.Type = Added
		case !p.has:
			change.Type = Removed
		case before.Sensitive == after.Sensitive && before.Value == after.Value && (before.Hash == after.Hash || before.Hash == "" || after.Hash == ""):
			continue
		default:
			change.Fields = []ValueChange{{"value", before.shown(), after.shown()}}
		}
		changes = append(changes, change)
	}
	return changes
}

func (v LockedVariable) shown() string {
	if v.Sensitive {
		return hidden
	}
	return v.Value
}

func lockedText(l LockedLayer) string {
	if l.Format == layer.FormatManifests {
		return string(l.Format)
	}
	return string(l.Format) + " " + l.Name + "@" + l.Resolved
}
