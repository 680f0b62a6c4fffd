package pack

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// An editor changes the text of a YAML document in the block style, entry by
// entry. Its methods return false where they do not know how.
type editor struct {
	lines []string // with their line breaks
	root  *yaml.Node
	edits []lineEdit
}

// A lineEdit replaces lines[from:to].
type lineEdit struct {
	from, to int
	with     string
	depth    int // of what is changed; at one place, the deepest comes first
}

// apply returns the edited text.
func (e *editor) apply() string {
	slices.SortStableFunc(e.edits, func(a, b lineEdit) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(b.depth, a.depth))
	})
	var b strings.Builder
	at := 0
	for _, edit := range e.edits {
		if edit.from < at {
			return "" // they overlap
		}
		b.WriteString(strings.Join(e.lines[at:edit.from], ""))
		if edit.with != "" && b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
			b.WriteByte('\n')
		}
		b.WriteString(edit.with)
		at = edit.to
	}
	b.WriteString(strings.Join(e.lines[at:], ""))
	return b.String()
}

// remove removes the entry that the keys lead to.
func (e *editor) remove(n *yaml.Node, keys []string) bool {
	i := keyIndex(n, keys[0])
	if i < 0 || !e.block(n) {
		return false
	}
	if len(keys) > 1 {
		return e.remove(n.Content[i+1], keys[1:])
	}
	if len(n.Content) == 2 && n != e.root {
		return false // without entries it would be null, and no map
	}
	from, to := e.entry(n, i)
	e.edits = append(e.edits, lineEdit{from: from, to: to})
	return true
}

// merge lays over on the map n.
func (e *editor) merge(n, over *yaml.Node) bool {
	if !e.block(n) || over.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, value := over.Content[i], over.Content[i+1]
		at := keyIndex(n, key.Value)
		ok := false
		switch {
		case at < 0:
			ok = e.insert(n, key, value)
		case value.Kind == yaml.MappingNode && e.block(n.Content[at+1]):
			ok = e.merge(n.Content[at+1], value)
		default:
			ok = e.replace(n, at, value)
		}
		if !ok {
			return false
		}
	}
	return true
}

// insert adds an entry at the end of the map n.
func (e *editor) insert(n, key, value *yaml.Node) bool {
	_, end := e.entry(n, len(n.Content)-2)
	return e.write(n, lineEdit{from: end, to: end}, []*yaml.Node{copyOf(key, key.HeadComment), value})
}

// replace replaces the value of an entry. The comment beside a scalar stays.
func (e *editor) replace(n *yaml.Node, at int, value *yaml.Node) bool {
	old := n.Content[at+1]
	if bothMaps := old.Kind == yaml.MappingNode && value.Kind == yaml.MappingNode; bothMaps && len(old.Content) > 0 {
		return false // written as { }
	}
	if old.Anchor != "" || old.Kind == yaml.AliasNode {
		return false
	}
	if value.LineComment == "" && old.Kind == yaml.ScalarNode && value.Kind == yaml.ScalarNode {
		commented := *value
		commented.LineComment = old.LineComment
		value = &commented
	}
	from, to := e.entry(n, at)
	return e.write(n, lineEdit{from: from, to: to}, []*yaml.Node{copyOf(n.Content[at], ""), value})
}

// copyOf returns a key with no other comment than the one above it.
func copyOf(key *yaml.Node, above string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: key.Tag, Value: key.Value, Style: key.Style, HeadComment: above}
}

// write adds an edit that writes an entry with the indentation of the map n.
func (e *editor) write(n *yaml.Node, edit lineEdit, entry []*yaml.Node) bool {
	edit.depth = n.Content[0].Column - 1
	var ok bool
	edit.with, ok = written(entry, strings.Repeat(" ", edit.depth))
	e.edits = append(e.edits, edit)
	return ok
}

// written returns an entry as text.
func written(entry []*yaml.Node, indent string) (string, bool) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if encoder.Encode(&yaml.Node{Kind: yaml.MappingNode, Content: entry}) != nil {
		return "", false
	}
	var b strings.Builder
	for line := range strings.Lines(out.String()) {
		if line != "\n" {
			b.WriteString(indent)
		}
		b.WriteString(line)
	}
	return b.String(), true
}

// block reports whether n is a map with entries, each of which begins a line.
func (e *editor) block(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode || n.Style&yaml.FlowStyle != 0 || len(n.Content) == 0 {
		return false
	}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Line < 1 || key.Line > len(e.lines) || key.Column-1 > len(e.lines[key.Line-1]) || key.Column < 1 ||
			strings.Trim(e.lines[key.Line-1][:key.Column-1], " ") != "" {
			return false
		}
	}
	return true
}

// entry returns the lines of an entry of a map: from its key to before the
// comments and empty lines that lead to what follows.
func (e *editor) entry(n *yaml.Node, i int) (from, to int) {
	key, value := n.Content[i], n.Content[i+1]
	indent := key.Column - 1
	from = key.Line - 1
	to = from + 1
	for next := to; next < len(e.lines); next++ {
		line := strings.TrimRight(e.lines[next], " \t\r\n")
		text := strings.TrimLeft(line, " ")
		deep := len(line)-len(text) > indent
		item := value.Kind == yaml.SequenceNode && len(line)-len(text) == indent && (text == "-" || strings.HasPrefix(text, "- "))
		switch {
		case text == "" || !deep && strings.HasPrefix(text, "#"):
		case deep || item:
			to = next + 1
		default:
			return from, to
		}
	}
	return from, to
}
