package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/values"
	"github.com/strata-go/strata/layer"
)

// A valueDocument is one of the documents that give a layer its values.
type valueDocument struct {
	Origin
	raw     []byte
	prefix  string     // path at which it stands, "charts.web"
	removes []string   // paths that go before the document comes, of a preset
	node    *yaml.Node // nil if it is empty; macros stand there as they are written
}

func newDocument(o Origin, prefix string, raw []byte) (valueDocument, error) {
	n, err := macro.Node(raw)
	if err != nil {
		return valueDocument{}, fmt.Errorf("%s: %w", o.place(), err)
	}
	return valueDocument{Origin: o, raw: raw, prefix: prefix, node: n}, nil
}

// at returns the node at a path. If found is true and the node nil, the
// document removes what others say of the path.
func (d valueDocument) at(path string) (n *yaml.Node, found bool) {
	inner, isBelow := below(path, d.prefix)
	if !isBelow {
		_, above := below(d.prefix, path)
		return d.node, above && d.node != nil
	}
	if d.node != nil {
		if n, found = nodeAt(d.node, inner, 0); found {
			return n, true
		}
	}
	for _, removed := range d.removes {
		if _, gone := below(inner, removed); gone {
			return nil, true
		}
	}
	return nil, false
}

// below returns what remains of path below prefix, and whether it is there.
func below(path, prefix string) (rest string, ok bool) {
	if prefix == "" || path == prefix {
		return strings.TrimPrefix(path, prefix), true
	}
	return strings.CutPrefix(path, prefix+".")
}

// maxMerges bounds how deep maps are merged into maps ("<<").
const maxMerges = 32

// nodeAt returns the node at a dotted path below n. Keys may hold dots: the
// longest that fits counts. Where the path leads through what is no map, it is
// found, and not there.
func nodeAt(n *yaml.Node, path string, merges int) (found *yaml.Node, ok bool) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if path == "" {
		return n, true
	}
	if n.Kind != yaml.MappingNode {
		return nil, true
	}
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == path[:end] {
				return nodeAt(n.Content[i+1], strings.TrimPrefix(path[end:], "."), merges)
			}
		}
	}
	for i := 0; i+1 < len(n.Content) && merges < maxMerges; i += 2 {
		if n.Content[i].Tag != "!!merge" {
			continue
		}
		sources := []*yaml.Node{n.Content[i+1]}
		if sources[0].Kind == yaml.SequenceNode {
			sources = sources[0].Content
		}
		for _, source := range sources {
			if found, ok := nodeAt(source, path, merges+1); ok && found != nil {
				return found, true
			}
		}
	}
	return nil, false
}

// data returns the values of d, bound, in their place.
func (d valueDocument) data(lookup macro.Lookup) (map[string]any, error) {
	bound := d.raw
	if d.Kind != FromChart { // which holds no macros of ours
		var err error
		if bound, err = macro.Bind(d.raw, lookup); err != nil {
			return nil, fmt.Errorf("%s: %w", d.place(), err)
		}
	}
	data, err := values.Parse(d.place(), bound)
	if err != nil || d.prefix == "" {
		return data, err
	}
	keys := strings.Split(d.prefix, ".")
	for _, key := range slices.Backward(keys) {
		data = map[string]any{key: data}
	}
	return data, nil
}

// Which documents are asked for.
type depth int

const (
	withoutCharts depth = iota // as macros see the values
	withCharts
)

// documents returns the documents that give the layer of s its values, from the
// one that counts least to the one that counts most.
func (s scope) documents(d depth) ([]valueDocument, error) {
	l := s.layers[s.layer]
	list, err := s.sourceDocuments(d)
	if err != nil {
		return nil, err
	}
	for _, doc := range s.stackDocuments() {
		parsed, err := newDocument(doc.Origin, "", doc.raw)
		if err != nil {
			return nil, fmt.Errorf("layer %q: %w", l.Name, err)
		}
		list = append(list, parsed)
	}
	return list, nil
}

// stackDocuments returns what the profile and the override of the cluster say.
func (s scope) stackDocuments() []valueDocument {
	l := s.layers[s.layer]
	fromProfile := Origin{Kind: FromProfile, Name: l.from.ID().String(), File: l.from.origin.file}
	if l.override == nil || l.override.Values == "" {
		return []valueDocument{{Origin: fromProfile, raw: []byte(l.Values)}}
	}
	fromOverride := Origin{Kind: FromOverride, Name: l.Name}
	own := l.from.layer(l.Name).Values
	if l.override.Mode == OverrideReplace && !l.override.stale(own) {
		return []valueDocument{{Origin: fromOverride, raw: []byte(l.override.Values)}}
	}
	docs := []valueDocument{{Origin: fromProfile, raw: []byte(own)}, {Origin: fromOverride, raw: []byte(l.override.Values)}}
	if l.override.stale(own) {
		// Both were merged: what comes of that counts, not one of them.
		docs = append(docs, valueDocument{Origin: Origin{Kind: FromMerge, Name: l.Name}, raw: []byte(l.Values)})
	}
	return docs
}

// layer returns the layer of that name.
func (p *Profile) layer(name string) layer.Layer {
	for _, l := range p.Layers {
		if l.Name == name {
			return l
		}
	}
	return layer.Layer{}
}

// merged returns the values that documents give together: maps are merged by
// key, lists are replaced, and a null removes a key.
func (s scope) merged(documents []valueDocument) (map[string]any, error) {
	all := map[string]any{}
	var errs []error
	for _, d := range documents {
		data, err := d.data(s.bind)
		errs = append(errs, err)
		for _, path := range d.removes {
			drop(all, path)
		}
		all = values.Merge(all, data)
	}
	return all, errors.Join(errs...)
}

// drop removes what stands at a path.
func drop(m map[string]any, path string) {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		inner, ok := m[path[:end]]
		if !ok {
			continue
		}
		if end == len(path) {
			delete(m, path)
		} else if inner, ok := inner.(map[string]any); ok {
			drop(inner, path[end+1:])
		}
		return
	}
}

// valueAt returns what stands at a path, and whether it is there.
func valueAt(v any, path string) (any, bool) {
	if path == "" {
		return v, true
	}
	m, _ := v.(map[string]any)
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		if inner, ok := m[path[:end]]; ok {
			return valueAt(inner, strings.TrimPrefix(path[end:], "."))
		}
	}
	return nil, false
}

// MergedValues returns the values that l is rendered with: the defaults of its
// charts, what its pack says, the presets that are on, what the profile says
// and the override of the cluster, each laid over those before: maps are merged
// by key, lists are replaced, a null removes a key. Numbers are float64, as
// charts see them. For a pack they have the structure of its values.yaml.
//
// Without [PinnedLayer.WithContent] it is only what the profile and the
// override say. The values of sensitive variables are in it.
func (l PinnedLayer) MergedValues() (map[string]any, error) {
	if l.scope.environment == nil {
		return values.Parse("values", []byte(l.Values))
	}
	documents, err := l.scope.documents(withCharts)
	if err != nil {
		return nil, err
	}
	return l.scope.merged(documents)
}
