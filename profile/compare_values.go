package profile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/layer"
)

// hidden stands for what must not be seen.
const hidden = "(sensitive)"

// A comparison compares values.
type comparison struct {
	hidden []string // texts that must not be seen
}

// shortestHidden is the length of the shortest text that is looked for: a
// shorter one is found in every other word.
const shortestHidden = 3

// hiddenValues returns the defaults of the sensitive variables, longest first,
// as one may hold another.
func hiddenValues(profiles ...*Profile) []string {
	var all []string
	for _, p := range profiles {
		for _, v := range p.Variables {
			if v.Sensitive && len(v.Value()) >= shortestHidden {
				all = append(all, v.Value())
			}
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	return slices.Compact(all)
}

func mask(text string) string {
	if text == "" {
		return ""
	}
	return hidden
}

// fields compares fields that JSON can hold. Those that are empty are not there.
func (c *comparison) fields(a, b map[string]any) []ValueChange {
	var changes []ValueChange
	t := newTokens()
	c.tree("", t, generic(a), generic(b), &changes)
	slices.SortFunc(changes, func(a, b ValueChange) int { return cmp.Compare(a.Path, b.Path) })
	return changes
}

// generic returns v as a tree without what is empty.
func generic(v map[string]any) *yaml.Node {
	data, _ := json.Marshal(v) // holds nothing that JSON cannot
	var n yaml.Node
	if err := yaml.Unmarshal(data, &n); err != nil || len(n.Content) == 0 {
		return nil
	}
	root := n.Content[0]
	var kept []*yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		if value := root.Content[i+1]; value.Tag != "!!null" && (value.Kind != yaml.ScalarNode || value.Value != "") {
			kept = append(kept, root.Content[i], value)
		}
	}
	root.Content = kept
	unquote(root)
	return root
}

// unquote makes YAML of what is JSON, where quotes do not matter.
func unquote(n *yaml.Node) {
	n.Style = 0
	for _, c := range n.Content {
		unquote(c)
	}
}

// values compares two values documents.
func (c *comparison) values(path, a, b string) []ValueChange {
	if a == b {
		return nil
	}
	t := newTokens(a, b)
	docs, err := t.read([]string{a, b}, "a", "b")
	if err != nil { // no valid profile has such a document
		return []ValueChange{{Path: path, New: "not comparable"}}
	}
	var changes []ValueChange
	c.tree(path, t, docs[0], docs[1], &changes)
	if len(changes) == 0 {
		changes = []ValueChange{{Path: path, New: "only comments or layout differ"}}
	}
	return changes
}

// manifests compares lists of manifests, each by the objects that it holds.
func (c *comparison) manifests(path string, a, b []layer.Manifest) []ValueChange {
	was, is := map[string]string{}, map[string]string{}
	var order []string
	for _, m := range a {
		was[m.Name] = m.Content
		order = append(order, m.Name)
	}
	var changes []ValueChange
	var order2 []string
	for _, m := range b {
		is[m.Name] = m.Content
		order2 = append(order2, m.Name)
		if _, had := was[m.Name]; !had {
			changes = append(changes, ValueChange{Path: path + "." + m.Name, New: string(Added)})
		}
	}
	for _, name := range order {
		switch content, has := is[name]; {
		case !has:
			changes = append(changes, ValueChange{Path: path + "." + name, New: string(Removed)})
		case content != was[name]:
			changes = append(changes, c.manifest(path+"."+name, was[name], content)...)
		}
	}
	if len(changes) == 0 && !slices.Equal(order, order2) {
		changes = append(changes, ValueChange{path, "[" + strings.Join(order, ", ") + "]", "[" + strings.Join(order2, ", ") + "]"})
	}
	return changes
}

// manifest compares two manifests, object by object.
func (c *comparison) manifest(path, a, b string) []ValueChange {
	t := newTokens(a, b)
	was, okA := t.objects(a)
	is, okB := t.objects(b)
	if !okA || !okB {
		return []ValueChange{{Path: path, New: "differs, and is no YAML"}}
	}
	all := maps.Clone(was)
	maps.Copy(all, is)
	var changes []ValueChange
	for _, id := range slices.Sorted(maps.Keys(all)) {
		at := fmt.Sprintf("%s[%s]", path, t.restore(id))
		switch {
		case was[id] == nil:
			changes = append(changes, ValueChange{Path: at, New: string(Added)})
		case is[id] == nil:
			changes = append(changes, ValueChange{Path: at, New: string(Removed)})
		default:
			c.tree(at, t, was[id], is[id], &changes)
		}
	}
	if len(changes) == 0 {
		changes = []ValueChange{{Path: path, New: "only comments, layout or order differ"}}
	}
	return changes
}

// objects returns the documents of a manifest by what names their objects.
func (t *tokens) objects(content string) (map[string]*yaml.Node, bool) {
	found := map[string]*yaml.Node{}
	for dec, i := yaml.NewDecoder(strings.NewReader(t.protect(content))), 0; ; i++ {
		var n yaml.Node
		if err := dec.Decode(&n); err != nil {
			return found, err.Error() == "EOF"
		}
		room := maxTree
		root, err := writeOut(n.Content[0], &room)
		if err != nil {
			return nil, false
		}
		meta := find(root, "metadata")
		id := strings.TrimSpace(fmt.Sprintf("%s %s", text(find(root, "kind")), strings.TrimPrefix(text(find(meta, "namespace"))+"/"+text(find(meta, "name")), "/")))
		if found[id] != nil || id == "" {
			id += fmt.Sprintf(" #%d", i+1)
		}
		found[id] = root
	}
}

func text(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}

// tree adds what differs between two values, either of which may be missing.
func (c *comparison) tree(path string, t *tokens, a, b *yaml.Node, changes *[]ValueChange) {
	switch {
	case sameTree(a, b):
	case isMapping(a) && isMapping(b):
		secret := text(find(a, "kind")) == "Secret" || text(find(b, "kind")) == "Secret"
		done := map[string]bool{}
		for _, key := range append(mappingKeys(a), mappingKeys(b)...) {
			if done[key.Value] {
				continue
			}
			done[key.Value] = true
			from := len(*changes)
			c.tree(childPath(path, t.restore(key.Value)), t, find(a, key.Value), find(b, key.Value), changes)
			if secret && (key.Value == "data" || key.Value == "stringData") {
				for i := range (*changes)[from:] {
					change := &(*changes)[from+i]
					change.Old, change.New = mask(change.Old), mask(change.New)
				}
			}
		}
	case a != nil && b != nil && a.Kind == yaml.SequenceNode && b.Kind == yaml.SequenceNode && len(a.Content) == len(b.Content):
		for i := range a.Content {
			c.tree(fmt.Sprintf("%s[%d]", path, i), t, a.Content[i], b.Content[i], changes)
		}
	default:
		*changes = append(*changes, ValueChange{path, c.line(t, a), c.line(t, b)})
	}
}

// line returns a value on one line.
func (c *comparison) line(t *tokens, n *yaml.Node) string {
	if n == nil {
		return ""
	}
	var out bytes.Buffer
	flat := flatten(n, false)
	if err := yaml.NewEncoder(&out).Encode(flat); err != nil {
		return "(" + err.Error() + ")"
	}
	line := strings.Join(strings.Fields(t.restore(out.String())), " ")
	for _, secret := range c.hidden {
		line = strings.ReplaceAll(line, secret, hidden)
	}
	return line
}

// flatten returns n without comments, to stand on one line. Secrets in it are
// hidden.
func flatten(n *yaml.Node, secret bool) *yaml.Node {
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: yaml.FlowStyle}
	if n.Kind == yaml.ScalarNode {
		out.Style = n.Style &^ (yaml.LiteralStyle | yaml.FoldedStyle)
		if strings.Contains(n.Value, "\n") {
			out.Style = yaml.DoubleQuotedStyle
		}
		if secret {
			out.Value, out.Tag, out.Style = hidden, "!!str", 0
		}
		return out
	}
	holds := n.Kind == yaml.MappingNode && text(find(n, "kind")) == "Secret"
	for i, child := range n.Content {
		hide := secret
		if n.Kind == yaml.MappingNode {
			key := n.Content[i-i%2].Value
			hide = i%2 == 1 && (secret || holds && (key == "data" || key == "stringData"))
		}
		out.Content = append(out.Content, flatten(child, hide))
	}
	return out
}
