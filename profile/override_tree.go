package profile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/macro"
)

// maxTree bounds how many nodes a document may have once its aliases are
// written out.
const maxTree = 1 << 20

// tokens stand for macros in several documents, the same for the same macro, so
// that documents can be parsed and compared where macros stand unquoted.
type tokens struct {
	stem   string
	macros map[string]string // the token of each text
}

func newTokens(texts ...string) *tokens {
	t := &tokens{stem: "xMACRO", macros: map[string]string{}}
	for slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, t.stem) }) {
		t.stem += "x"
	}
	return t
}

func (t *tokens) protect(text string) string {
	var b strings.Builder
	last := 0
	for _, m := range macro.Scan(text) {
		written := text[m.Start:m.End]
		token, ok := t.macros[written]
		if !ok {
			token = fmt.Sprintf("%s%08dx", t.stem, len(t.macros))
			t.macros[written] = token
		}
		b.WriteString(text[last:m.Start])
		b.WriteString(token)
		last = m.End
	}
	return b.String() + text[last:]
}

func (t *tokens) restore(text string) string {
	var pairs []string
	for written, token := range t.macros {
		pairs = append(pairs, token, written)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// read parses YAML documents that are mappings, or empty, and writes out their
// aliases. Names are theirs, for errors.
func (t *tokens) read(texts []string, names ...string) ([]*yaml.Node, error) {
	trees := make([]*yaml.Node, len(texts))
	var errs []error
	for i, text := range texts {
		var err error
		if trees[i], err = readTree(t.protect(text)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", names[i], err))
		}
	}
	return trees, errors.Join(errs...)
}

// write returns n as YAML, with its macros.
func (t *tokens) write(n *yaml.Node) (string, error) {
	if isMapping(n) && len(n.Content) == 0 {
		return "{}\n", nil
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(n), enc.Close()); err != nil {
		return "", fmt.Errorf("writing YAML: %w", err)
	}
	return t.restore(out.String()), nil
}

func readTree(text string) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("invalid YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", HeadComment: doc.HeadComment, FootComment: doc.FootComment}, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, errors.New("want a mapping at the top")
	}
	root.HeadComment = strings.TrimSpace(doc.HeadComment + "\n\n" + root.HeadComment)
	root.FootComment = strings.TrimSpace(root.FootComment + "\n\n" + doc.FootComment)
	room := maxTree
	return writeOut(root, &room)
}

// writeOut returns n with aliases replaced by copies of what they name, so that
// parts of it can stand in other documents.
func writeOut(n *yaml.Node, room *int) (*yaml.Node, error) {
	if *room--; *room < 0 {
		return nil, fmt.Errorf("has more than %d values once its aliases are written out", maxTree)
	}
	if n.Kind == yaml.AliasNode {
		return writeOut(n.Alias, room)
	}
	out := *n
	out.Anchor = ""
	out.Content = make([]*yaml.Node, len(n.Content))
	for i, c := range n.Content {
		var err error
		if out.Content[i], err = writeOut(c, room); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

func isMapping(n *yaml.Node) bool { return n != nil && n.Kind == yaml.MappingNode }

// find returns the value of a key; nil if n is no mapping or has no such key.
func find(n *yaml.Node, key string) *yaml.Node {
	if !isMapping(n) {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func mappingKeys(n *yaml.Node) []*yaml.Node {
	var keys []*yaml.Node
	for i := 0; i < len(n.Content); i += 2 {
		keys = append(keys, n.Content[i])
	}
	return keys
}

// sameTree reports whether two values are equal, whatever they look like. The
// order of keys does not matter. Both may be missing.
func sameTree(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.ShortTag() != b.ShortTag() || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	if a.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(a.Content); i += 2 {
			if other := find(b, a.Content[i].Value); other == nil || !sameTree(a.Content[i+1], other) {
				return false
			}
		}
		return true
	}
	for i := range a.Content {
		if !sameTree(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// childPath appends a key to a path. Keys with dots are quoted.
func childPath(path, key string) string {
	if strings.ContainsAny(key, `."[] `) || key == "" {
		key = fmt.Sprintf("[%q]", key)
		return path + key
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
