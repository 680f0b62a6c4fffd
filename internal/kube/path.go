package kube

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Path leads from an object to one of its fields.
type Path []Step

// A Step leads to a field of a map, or to an item of a list.
type Step struct {
	Name  string // of the field, or of the item if it has one
	Index int    // of the item, where it is now or, if it is gone, shall be
	Item  bool
	Keys  string // what tells the item apart for the API server: its [Tree.Name]
}

// Field returns p and a field of a map below it.
func (p Path) Field(name string) Path { return append(slices.Clip(p), Step{Name: name}) }

// Item returns p and an item of a list below it.
func (p Path) Item(index int, item any) Path {
	return append(slices.Clip(p), Step{Name: itemName(item), Index: index, Item: true})
}

// Keyed returns p and an item of a list below it that has a [Tree.Name].
func (p Path) Keyed(index int, item any, name string) Path {
	return append(slices.Clip(p), Step{itemName(item), index, true, name})
}

// itemName returns the name by which pointers may name an item of a list, or "".
func itemName(item any) string {
	m, _ := item.(map[string]any)
	name, _ := m["name"].(string)
	if _, err := strconv.Atoi(name); err == nil {
		return "" // it would be taken for an index
	}
	return name
}

// String returns p as API servers write it: ".spec.containers[name="a"].image".
func (p Path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case !s.Item:
			b.WriteString("." + s.Name)
		case s.Keys != "":
			b.WriteString("[" + s.Keys + "]")
		case s.Name != "":
			fmt.Fprintf(&b, "[name=%q]", s.Name)
		default:
			fmt.Fprintf(&b, "[%d]", s.Index)
		}
	}
	return b.String()
}

// Pointer returns p as a JSON pointer (RFC 6901), in which items of lists go by
// their names, or else by what tells them apart: /spec/ports/port=80,protocol="TCP".
func (p Path) Pointer() string {
	var b strings.Builder
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for _, s := range p {
		b.WriteString("/" + escape.Replace(s.segment()))
	}
	return b.String()
}

// segment returns s as a pointer has it.
func (s Step) segment() string {
	switch {
	case s.Keys != "" && s.Keys != nameOfKeys(map[string]any{"name": s.Name}):
		return s.Keys
	case !s.Item || s.Name != "":
		return s.Name
	}
	return strconv.Itoa(s.Index)
}

// Under reports whether a JSON pointer names the field or one above it. As in
// managed fields, an index stands for every item of its list.
func (p Path) Under(pointer string) bool {
	above := segments(pointer)
	if len(above) > len(p) {
		return false
	}
	for i, name := range above {
		_, index := strconv.Atoi(name)
		if name != p[i].segment() && name != p[i].Name && (!p[i].Item || index != nil) {
			return false
		}
	}
	return true
}

// Has reports whether the field that a path leads to is in an object.
func Has(object map[string]any, p Path) bool {
	names := make([]string, len(p))
	for i, s := range p {
		names[i] = s.segment()
	}
	_, ok := lookup(object, names)
	return ok
}
