package pack

import (
	"bytes"
	"errors"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/values"
)

// MergeValues lays one values document over another: maps are merged by key,
// and everything else replaces what was there. Comments, the order of keys and
// the layout of base stay, unless they belong to what is replaced; new keys
// come last in their maps. Macros stay as they are written.
//
// It fails, with an [*Error], if one of the documents is no YAML map.
func MergeValues(base, over []byte) ([]byte, error) {
	// Both documents are protected as one, so that no token occurs twice.
	const boundary = "\n\x1e\n" // which YAML cannot hold
	protected, restore := macro.Protect(string(base) + boundary + string(over))
	below, above, _ := strings.Cut(protected, boundary)
	baseData, err := parseValues(valuesFile, below)
	if err != nil {
		return nil, err
	}
	overData, err := parseValues("override", above)
	if err != nil {
		return nil, err
	}
	edited, err := edit(below, values.MergeNulls(baseData, overData), func(e *editor) bool {
		node := rootOf(above)
		return node == nil || e.merge(e.root, node)
	}, func(root *yaml.Node) {
		if node := rootOf(above); node != nil {
			mergeNodes(root, node)
		}
	})
	return []byte(restore(edited)), err
}

// removeValues removes what stands at the dotted paths. Those that are not
// there are no problem.
func removeValues(base []byte, paths []string) ([]byte, error) {
	protected, restore := macro.Protect(string(base))
	for _, path := range paths {
		data, err := parseValues(valuesFile, protected)
		if err != nil {
			return nil, err
		}
		keys := resolve(data, path)
		if keys == nil {
			continue
		}
		drop(data, keys)
		protected, err = edit(protected, data, func(e *editor) bool {
			return e.remove(e.root, keys)
		}, func(root *yaml.Node) { dropNode(root, keys) })
		if err != nil {
			return nil, err
		}
	}
	return []byte(restore(protected)), nil
}

func parseValues(file, text string) (map[string]any, error) {
	data, err := values.Parse(file, []byte(text))
	if e, ok := errors.AsType[*values.ParseError](err); ok {
		return nil, &Error{File: file, Line: e.Line, Column: min(e.Line, 1), Err: errors.New(e.Problem)}
	}
	return data, err
}

// edit changes a document so that it says want. It edits the text, which keeps
// everything else as it is written. If that cannot be done, or does not come
// out as wanted, it changes the tree of nodes and writes it anew, which keeps
// comments and order, but neither indentation nor empty lines.
func edit(text string, want map[string]any, inText func(*editor) bool, inNodes func(root *yaml.Node)) (string, error) {
	if root := rootOf(text); root != nil {
		e := &editor{lines: strings.SplitAfter(text, "\n"), root: root}
		if inText(e) {
			if edited := e.apply(); says(edited, want) {
				return edited, nil
			}
		}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return "", yamlError(valuesFile, err)
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		doc = yaml.Node{Kind: yaml.DocumentNode, HeadComment: comments(text), Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	}
	inNodes(doc.Content[0])
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc); err != nil {
		return "", yamlError(valuesFile, err)
	}
	if !says(out.String(), want) {
		return "", &Error{File: valuesFile, Err: errors.New("cannot be changed: write it without anchors and aliases")}
	}
	return out.String(), nil
}

// comments returns the comments of a document that has nothing else.
func comments(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "#") {
			lines = append(lines, trimmed)
		}
	}
	return strings.Join(lines, "\n")
}

// says reports whether a document says want.
func says(text string, want map[string]any) bool {
	got, err := values.Parse("", []byte(text))
	return err == nil && reflect.DeepEqual(got, want)
}

// rootOf returns the map that a document holds, or nil.
func rootOf(text string) *yaml.Node {
	var doc yaml.Node
	if yaml.Unmarshal([]byte(text), &doc) != nil || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil
	}
	return doc.Content[0]
}

// resolve returns the keys that a dotted path stands for, or nil if it is not
// there. Keys may hold dots themselves.
func resolve(data map[string]any, path string) []string {
	if _, ok := data[path]; ok {
		return []string{path}
	}
	for i := range len(path) {
		if path[i] != '.' {
			continue
		}
		if inner, ok := data[path[:i]].(map[string]any); ok {
			if rest := resolve(inner, path[i+1:]); rest != nil {
				return append([]string{path[:i]}, rest...)
			}
		}
	}
	return nil
}

func drop(data map[string]any, keys []string) {
	for _, key := range keys[:len(keys)-1] {
		data, _ = data[key].(map[string]any)
	}
	delete(data, keys[len(keys)-1])
}

func dropNode(n *yaml.Node, keys []string) {
	i := keyIndex(n, keys[0])
	switch {
	case i < 0:
	case len(keys) > 1:
		dropNode(n.Content[i+1], keys[1:])
	default:
		n.Content = append(n.Content[:i:i], n.Content[i+2:]...)
	}
}

// mergeNodes lays over on base.
func mergeNodes(base, over *yaml.Node) {
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, value := over.Content[i], over.Content[i+1]
		at := keyIndex(base, key.Value)
		switch {
		case at < 0:
			base.Content = append(base.Content, key, value)
		case value.Kind == yaml.MappingNode && base.Content[at+1].Kind == yaml.MappingNode:
			mergeNodes(base.Content[at+1], value)
		default:
			base.Content[at+1] = value
		}
	}
	if len(base.Content) > 0 {
		base.Style &^= yaml.FlowStyle
	}
}

// keyIndex returns the index of a key in the content of a map, or -1.
func keyIndex(n *yaml.Node, key string) int {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return i
			}
		}
	}
	return -1
}
