package profile

import (
	"cmp"
	"slices"

	"github.com/strata-go/strata/layer"
)

// A ChangeType says what became of a layer, a variable or a profile.
type ChangeType string

// The types of changes. A layer may have several.
const (
	Added   ChangeType = "added"
	Removed ChangeType = "removed"
	// Swapped says that the content comes from another pack, chart or package,
	// and in a core layer that another layer took its place.
	Swapped ChangeType = "swapped"
	// Moved says that it is installed at another place of the order.
	Moved      ChangeType = "moved"
	Upgraded   ChangeType = "upgraded"
	Downgraded ChangeType = "downgraded"
	// Repinned says that the same version has another digest.
	Repinned ChangeType = "repinned"
	// Changed says that values or options changed.
	Changed ChangeType = "changed"
)

// A Difference is what differs between two profiles, or two locks. It shows no
// sensitive values: neither those of sensitive variables nor of Secrets.
type Difference struct {
	// From and To are the profiles; zero if locks were compared.
	From ID `json:"from,omitzero"`
	To   ID `json:"to,omitzero"`
	// Fields are those of the profile itself: "type", "labels.team".
	Fields []ValueChange `json:"fields,omitempty"`
	// Profiles are those of a stack that differ, if locks were compared.
	Profiles []Change `json:"profiles,omitempty"`
	// Layers are in the order in which they are installed, with those that are
	// removed at the end.
	Layers []LayerChange `json:"layers,omitempty"`
	// Variables are by name.
	Variables []VariableChange `json:"variables,omitempty"`

	patch *patch // nil if locks were compared
}

// A LayerChange is what differs in one layer.
type LayerChange struct {
	Layer string       `json:"layer"`
	Kind  layer.Kind   `json:"kind"`
	Types []ChangeType `json:"types"`
	// From and To say what the content was and is: "pack ubuntu@22.4.x" in
	// profiles, "pack ubuntu@22.4.1" in locks. From is empty if the layer was
	// added, To if it was removed.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Fields are the values and options that differ, by path:
	// "values.replicas", "namespace", "manifests.crds".
	Fields []ValueChange `json:"fields,omitempty"`
	// Repave says why the change replaces nodes; empty if it does not.
	Repave string `json:"repave,omitempty"`
}

// A VariableChange is what differs in the definition of a variable, or in its
// value, if locks were compared.
type VariableChange struct {
	Variable string        `json:"variable"`
	Type     ChangeType    `json:"type"`
	Fields   []ValueChange `json:"fields,omitempty"`
	// Repave says why the change replaces nodes; empty if it does not.
	Repave string `json:"repave,omitempty"`
}

// A Change is a profile of a stack that differs.
type Change struct {
	Profile string     `json:"profile"`
	Type    ChangeType `json:"type"`
	From    string     `json:"from,omitempty"` // its version
	To      string     `json:"to,omitempty"`
}

// A ValueChange is a value that differs.
type ValueChange struct {
	Path string `json:"path"`
	// Old and New are as YAML, on one line. If empty, there is none.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// Empty reports whether nothing differs.
func (d *Difference) Empty() bool {
	return len(d.Fields)+len(d.Profiles)+len(d.Layers)+len(d.Variables) == 0
}

// Repave returns why nodes must be replaced, by the names of layers and
// variables; it is empty if none need to be. Only changes to the layers of the
// operating system and of Kubernetes replace nodes.
func (d *Difference) Repave() map[string]string {
	reasons := map[string]string{}
	for _, v := range d.Variables {
		if v.Repave != "" {
			reasons[v.Variable] = v.Repave
		}
	}
	for _, l := range d.Layers {
		if l.Repave != "" {
			reasons[l.Layer] = l.Repave
		}
	}
	return reasons
}

// Compare returns what differs between two profiles, most often two versions of
// one. Fields that are empty and fields with the default do not differ.
func Compare(a, b *Profile) *Difference {
	c := comparison{hidden: hiddenValues(a, b)}
	d := &Difference{From: a.ID(), To: b.ID(), Fields: c.fields(a.head(), b.head()), patch: newPatch(a, b)}
	was := byName(a.Layers)
	taken := map[string]string{} // the layers of a whose place others took, by those
	for _, l := range b.Layers {
		if i := slices.IndexFunc(a.Layers, func(o layer.Layer) bool { return o.Kind.Core() && o.Kind == l.Kind }); i >= 0 && l.Kind.Core() {
			taken[l.Name] = a.Layers[i].Name
		}
	}
	for _, l := range sortedLayers(b.Layers) {
		before, ok := was[cmp.Or(taken[l.Name], l.Name)]
		if !ok {
			d.add(LayerChange{Layer: l.Name, Kind: l.Kind.OrDefault(), Types: []ChangeType{Added}, To: sourceText(l), Repave: repaves(l.Kind, []ChangeType{Added}, nil)})
			continue
		}
		d.add(c.layer(before, l))
		delete(was, before.Name)
	}
	for _, l := range sortedLayers(a.Layers) {
		if _, left := was[l.Name]; left {
			d.add(LayerChange{Layer: l.Name, Kind: l.Kind.OrDefault(), Types: []ChangeType{Removed}, From: sourceText(l), Repave: repaves(l.Kind, []ChangeType{Removed}, nil)})
		}
	}
	d.Variables = c.variables(a, b)
	return d
}

// add adds a change, if it is one.
func (d *Difference) add(c LayerChange) {
	if len(c.Types) > 0 {
		d.Layers = append(d.Layers, c)
	}
}

func byName(layers []layer.Layer) map[string]layer.Layer {
	m := make(map[string]layer.Layer, len(layers))
	for _, l := range layers {
		m[l.Name] = l
	}
	return m
}

func sortedLayers(layers []layer.Layer) []layer.Layer {
	return slices.SortedFunc(slices.Values(layers), compareLayers)
}

// compareLayers orders layers as they are installed.
func compareLayers(a, b layer.Layer) int {
	return cmp.Or(a.Kind.Compare(b.Kind), cmp.Compare(a.InstallOrder, b.InstallOrder), cmp.Compare(a.Name, b.Name))
}

// head returns the fields of p besides its variables and layers.
func (p *Profile) head() map[string]any {
	return map[string]any{
		"name": p.Name, "version": p.Version, "description": p.Description, "type": cmp.Or(p.Type, Full), "cloudType": p.Cloud(),
		"labels": p.Labels, "annotations": p.Annotations,
	}
}

// layer compares two layers of which one took the place of the other.
func (c *comparison) layer(a, b layer.Layer) LayerChange {
	change := LayerChange{Layer: b.Name, Kind: b.Kind.OrDefault(), From: sourceText(a), To: sourceText(b)}
	before, after := a.Ref(), b.Ref()
	switch {
	case a.Name != b.Name || a.Format() != b.Format() || before.Name != after.Name:
		change.Types = append(change.Types, Swapped)
	case before.Version != after.Version:
		change.Types = append(change.Types, direction(before.Version, after.Version))
	}
	if a.InstallOrder != b.InstallOrder || a.Kind.OrDefault() != b.Kind.OrDefault() {
		change.Types = append(change.Types, Moved)
	}
	change.Fields = c.fields(options(a), options(b))
	if slices.Contains(change.Types, Changed) {
		change.Fields = append(change.Fields, ValueChange{"version", before.Version, after.Version})
	}
	change.Fields = append(change.Fields, c.values("values", a.Values, b.Values)...)
	change.Fields = append(change.Fields, c.manifests("manifests", inlineOf(a), inlineOf(b))...)
	change.Fields = append(change.Fields, c.manifests("attachedManifests", a.AttachedManifests, b.AttachedManifests)...)
	change.markChanged()
	change.Repave = repaves(b.Kind, change.Types, change.Fields)
	return change
}

// markChanged adds the type [Changed] if fields differ that no other type is
// about.
func (l *LayerChange) markChanged() {
	other := func(f ValueChange) bool { return f.Path != "installOrder" && f.Path != "kind" }
	if slices.ContainsFunc(l.Fields, other) && !slices.Contains(l.Types, Changed) {
		l.Types = append(l.Types, Changed)
	}
}

// options returns what a layer says besides its name, source, version, values
// and manifests.
func options(l layer.Layer) map[string]any {
	ref := l.Ref()
	files := []string(nil)
	if l.Manifests != nil {
		files = l.Manifests.Files
	}
	release := ""
	if l.Helm != nil {
		release = l.Helm.ReleaseName
	}
	order := any(nil)
	if l.InstallOrder != 0 {
		order = l.InstallOrder
	}
	return map[string]any{
		"kind": l.Kind.OrDefault(), "installOrder": order, "registry": ref.Registry, "strategy": cmp.Or(ref.Strategy, layer.Newest),
		"releaseName": release, "files": files, "namespace": l.Namespace, "presets": l.Presets,
		"readiness": l.Readiness, "adopt": l.Adopt, "crds": l.CRDs, "hookTimeout": l.HookTimeout, "test": l.Test, "keep": l.Keep, "drift": l.Drift, "allow": l.Allow,
	}
}

func inlineOf(l layer.Layer) []layer.Manifest {
	if l.Manifests == nil {
		return nil
	}
	return l.Manifests.Inline
}

// sourceText says where the content of a layer comes from.
func sourceText(l layer.Layer) string {
	if ref := l.Ref(); ref != (layer.Ref{}) {
		ref.Registry = ""
		return ref.String()
	}
	return string(l.Format())
}

// direction says whether a constraint leads to newer versions than another. It
// does not know, and says so, of constraints that are only wider or narrower.
func direction(from, to string) ChangeType {
	a := numbers(from)
	b := numbers(to)
	n := min(len(a), len(b))
	switch order := slices.Compare(a[:n], b[:n]); {
	case order < 0:
		return Upgraded
	case order > 0:
		return Downgraded
	}
	return Changed
}
