package strictyaml

import (
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A comment is what stands before an entry or item, and on its line.
type comment struct {
	head []string
	line string
}

// comments are those of a text, by path, in which list items go by their names.
type comments struct {
	at   map[string]comment
	rest []string // those that nothing follows
}

// take returns the comments at path, once, after those that were carried there.
func (e *encoder) take(path string) comment {
	c := e.comments.at[path]
	delete(e.comments.at, path)
	if len(e.carried) > 0 {
		c.head = append(e.carried, c.head...)
		e.carried = nil
	}
	return c
}

// comments returns the comments of the original that belong to what a value of
// type t is made of. There are none if it cannot be read.
func (f Format) comments(t reflect.Type) comments {
	c := collector{comments: comments{at: map[string]comment{}}}
	var doc yaml.Node
	text, restore := f.Protect(f.Original)
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) == 0 {
		return c.comments
	}
	c.restore = restore
	c.at[""] = comment{head: c.text(doc.HeadComment)}
	root := doc.Content[0]
	c.waiting = c.text(root.HeadComment)
	c.value("", root, t, "")
	for _, after := range []string{root.LineComment, root.FootComment, doc.FootComment} {
		c.waiting = append(c.waiting, c.text(after)...)
	}
	c.rest = c.waiting
	return c.comments
}

type collector struct {
	comments
	restore func(string) string
	waiting []string // for what follows them
}

func (c *collector) text(comment string) []string { return commentLines(c.restore(comment)) }

func commentLines(comment string) []string {
	var lines []string
	for line := range strings.Lines(comment) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// place puts the comments of the nodes, and those that wait, at path.
func (c *collector) place(path string, nodes ...*yaml.Node) {
	at := comment{head: c.waiting}
	c.waiting = nil
	for i, n := range nodes {
		if i == 0 || n.Kind == yaml.ScalarNode {
			at.head = append(at.head, c.text(n.HeadComment)...)
		}
		if lines := c.text(n.LineComment); len(lines) > 0 {
			at.head = append(at.head, lines[:len(lines)-1]...)
			if at.line != "" {
				at.head = append(at.head, at.line)
			}
			at.line = lines[len(lines)-1]
		}
	}
	if len(at.head) > 0 || at.line != "" {
		c.at[path] = at
	}
}

func (c *collector) value(path string, n *yaml.Node, t reflect.Type, tag string) {
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if tag == "document" && n.Kind != yaml.ScalarNode {
		return // they are part of its text
	}
	switch n.Kind {
	case yaml.MappingNode:
		c.mapping(path, n, t)
	case yaml.SequenceNode:
		c.waiting = append(c.waiting, c.text(n.HeadComment)...)
		for i, item := range n.Content {
			at := path + "[" + c.nameOf(item, i) + "]"
			c.place(at, item)
			c.value(at, item, elem(t), "")
			c.waiting = append(c.waiting, c.text(item.FootComment)...)
		}
	}
}

func (c *collector) mapping(path string, n *yaml.Node, t reflect.Type) {
	var fs fields
	if t != nil && t.Kind() == reflect.Struct {
		fs = fieldsOf(reflect.New(t).Elem())
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := join(path, c.restore(key.Value))
		c.place(at, key, value)
		inner, tag := elem(t), ""
		if f, ok := fs.byName[key.Value]; ok {
			inner, tag = f.value.Type(), f.tag
		}
		if value.Kind == yaml.MappingNode && tag != "document" {
			c.waiting = append(c.waiting, c.text(value.HeadComment)...)
		}
		c.value(at, value, inner, tag)
		c.waiting = append(c.waiting, c.text(key.FootComment)...)
		if tag != "document" || value.Kind == yaml.ScalarNode {
			c.waiting = append(c.waiting, c.text(value.FootComment)...)
		}
	}
}

func (c *collector) nameOf(item *yaml.Node, i int) string {
	for j := 0; item.Kind == yaml.MappingNode && j+1 < len(item.Content); j += 2 {
		if item.Content[j].Value == "name" && item.Content[j+1].Value != "" {
			return c.restore(item.Content[j+1].Value)
		}
	}
	return strconv.Itoa(i)
}

// elem is the type of the elements of a list or map, nil of anything else.
func elem(t reflect.Type) reflect.Type {
	if t == nil || t.Kind() != reflect.Slice && t.Kind() != reflect.Map {
		return nil
	}
	return t.Elem()
}
