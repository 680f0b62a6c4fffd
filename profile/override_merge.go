package profile

import "go.yaml.in/yaml/v3"

// A ValueConflict is a value that an override and an update of its profile both
// changed, to different ends.
type ValueConflict struct {
	// Path leads to the value: "charts.web.replicas".
	Path string
	// Base is the value before, Mine that of the override, Theirs that of the
	// updated profile, each as YAML on one line. If empty, there is none.
	Base, Mine, Theirs string
}

// MergeOverride merges two changes of a values document: base is the document
// that a profile had, mine what an override made of it, theirs what an update
// of the profile made of it. Maps are merged by key; lists and scalars are taken
// whole. What both changed, and not to the same, is a conflict; then merged is
// empty. Macros may stand anywhere. Comments come from theirs, or with what
// mine changed.
//
// The error says which of the documents is no YAML mapping.
func MergeOverride(base, mine, theirs string) (merged string, conflicts []ValueConflict, err error) {
	t := newTokens(base, mine, theirs)
	docs, err := t.read([]string{base, mine, theirs}, "base", "mine", "theirs")
	if err != nil {
		return "", nil, err
	}
	m := threeWay{tokens: t}
	result := m.mapping("", docs[0], docs[1], docs[2])
	if len(m.conflicts) > 0 {
		return "", m.conflicts, nil
	}
	merged, err = t.write(result)
	return merged, nil, err
}

// mergeValues lays over on base. Nulls stay: they remove keys of what the layer
// itself has.
func mergeValues(base, over string) (string, error) {
	t := newTokens(base, over)
	docs, err := t.read([]string{base, over}, "base", "values")
	if err != nil {
		return "", err
	}
	overlay(docs[0], docs[1])
	return t.write(docs[0])
}

func overlay(base, over *yaml.Node) {
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, value := over.Content[i], over.Content[i+1]
		at := find(base, key.Value)
		switch {
		case at == nil:
			base.Content = append(base.Content, key, value)
		case at.Kind == yaml.MappingNode && value.Kind == yaml.MappingNode:
			overlay(at, value)
		default:
			*at = *value
		}
	}
}

// threeWay merges two changes.
type threeWay struct {
	tokens    *tokens
	conflicts []ValueConflict
}

// mapping merges three mappings into one that looks like theirs. Base may be
// missing.
func (m *threeWay) mapping(path string, base, mine, theirs *yaml.Node) *yaml.Node {
	merged := *theirs
	merged.Content = nil
	keys := append(mappingKeys(theirs), mappingKeys(mine)...)
	done := map[string]bool{}
	for _, key := range keys {
		if done[key.Value] {
			continue
		}
		done[key.Value] = true
		at := childPath(path, key.Value)
		if value := m.value(at, find(base, key.Value), find(mine, key.Value), find(theirs, key.Value)); value != nil {
			merged.Content = append(merged.Content, key, value)
		}
	}
	if len(merged.Content) == 0 {
		merged.Style = yaml.FlowStyle
	}
	return &merged
}

// value merges three values, each nil if it is not there.
func (m *threeWay) value(path string, base, mine, theirs *yaml.Node) *yaml.Node {
	switch {
	case sameTree(base, mine) || sameTree(mine, theirs):
		return theirs
	case sameTree(base, theirs):
		return mine
	case isMapping(mine) && isMapping(theirs) && (base == nil || isMapping(base)):
		return m.mapping(path, base, mine, theirs)
	}
	m.conflicts = append(m.conflicts, ValueConflict{path, m.text(base), m.text(mine), m.text(theirs)})
	return nil
}

func (m *threeWay) text(n *yaml.Node) string { return new(comparison).line(m.tokens, n) }
