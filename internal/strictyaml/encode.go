package strictyaml

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A Format says how [Format.Encode] writes. Its zero value works.
type Format struct {
	// Original is a text that the struct was decoded from, at another time or in
	// another form: its comments are kept.
	Original string
	// Protect replaces what is no YAML in a text by plain words, and restore
	// puts it back. If nil, all is YAML.
	Protect func(text string) (protected string, restore func(string) string)
}

// Encode writes the struct that v points to in the one canonical form: block
// style, fields in the order of the struct, keys of maps sorted, what is zero
// left out. Decoding the result gives v again; encoding that gives the same
// bytes. Comments stand before what follows them, or on the line of their
// scalar.
func (f Format) Encode(v any) ([]byte, error) {
	if f.Protect == nil {
		f.Protect = func(text string) (string, func(string) string) { return text, func(s string) string { return s } }
	}
	root := reflect.ValueOf(v).Elem()
	e := encoder{Format: f, comments: f.comments(root.Type())}
	if top := e.take(""); len(top.head) > 0 {
		e.lines(0, top.head)
		e.b.WriteByte('\n')
	}
	if top, empty := e.flat(root); empty {
		e.b.WriteString(top + "\n")
	}
	e.entries("", root, 0)
	e.lines(0, append(e.carried, e.comments.rest...))
	return []byte(e.b.String()), errors.Join(e.errs...)
}

type encoder struct {
	Format
	comments comments
	b        strings.Builder
	carried  []string // comments of what was left out
	lead     string   // what the next line begins with instead of spaces: "- " of a list
	errs     []error
}

// begin begins a line.
func (e *encoder) begin(indent int) {
	pad := strings.Repeat(" ", indent)
	if e.lead != "" {
		pad = pad[:indent-len(e.lead)] + e.lead
		e.lead = ""
	}
	e.b.WriteString(pad)
}

func (e *encoder) lines(indent int, lines []string) {
	for _, line := range lines {
		e.begin(indent)
		e.b.WriteString(line)
		e.b.WriteByte('\n')
	}
}

// entries writes the entries of a struct or map, each on its own line.
func (e *encoder) entries(path string, v reflect.Value, indent int) {
	if v.Kind() == reflect.Map {
		keys := slices.SortedFunc(maps.Keys(keysOf(v)), strings.Compare)
		for _, k := range keys {
			e.entry(join(path, k), k, field{value: keysOf(v)[k]}, indent)
		}
		return
	}
	fs := fieldsOf(v)
	for _, name := range fs.names {
		f, at := fs.byName[name], join(path, name)
		if !f.value.IsZero() {
			e.entry(at, name, f, indent)
			continue
		}
		// Nobody's comment is lost because a zero was written out.
		c := e.take(at)
		e.carried = append(append(e.carried, c.head...), commentLines(c.line)...)
	}
}

func keysOf(v reflect.Value) map[string]reflect.Value {
	all := make(map[string]reflect.Value, v.Len())
	for it := v.MapRange(); it.Next(); {
		all[it.Key().String()] = it.Value()
	}
	return all
}

func (e *encoder) entry(path, key string, f field, indent int) {
	c := e.take(path)
	v := f.value
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	text, flat := e.flat(v)
	if !flat {
		c.head, c.line = append(c.head, commentLines(c.line)...), ""
	}
	if e.lead != "" && len(c.head) > 0 {
		// Comments of the first entry of an item stand before the item.
		lead := e.lead
		e.lead = ""
		e.lines(indent-len(lead), c.head)
		e.lead = lead
	} else {
		e.lines(indent, c.head)
	}
	e.begin(indent)
	e.b.WriteString(e.key(key) + ":")
	switch {
	case flat:
		e.b.WriteString(" " + text)
		if c.line != "" {
			e.b.WriteString(" " + c.line)
		}
		e.b.WriteByte('\n')
	case v.Kind() == reflect.String:
		e.block(path, v.String(), f.tag, indent)
	case v.Kind() == reflect.Slice:
		e.b.WriteByte('\n')
		e.items(path, v, indent)
	default:
		e.b.WriteByte('\n')
		e.entries(path, v, indent+2)
	}
}

func (e *encoder) items(path string, v reflect.Value, indent int) {
	for i := range v.Len() {
		item := v.Index(i)
		at := path + "[" + nameOf(item, i) + "]"
		c := e.take(at)
		text, flat := e.flat(item)
		if !flat {
			c.head, c.line = append(c.head, commentLines(c.line)...), ""
		}
		e.lines(indent, c.head)
		switch {
		case flat:
			e.begin(indent)
			e.b.WriteString(strings.TrimRight("- "+text+" "+c.line, " ") + "\n")
		case item.Kind() == reflect.String:
			e.begin(indent)
			e.b.WriteString("-")
			e.block(at, item.String(), "", indent)
		default:
			e.lead = "- "
			e.entries(at, item, indent+2)
			e.lead = ""
		}
	}
}

// flat returns the text of what is written on the line of its key.
func (e *encoder) flat(v reflect.Value) (text string, ok bool) {
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), true
	case reflect.String:
		return e.scalar(v.String())
	case reflect.Map:
		return "{}", v.Len() == 0
	case reflect.Slice:
		return "[]", v.Len() == 0
	case reflect.Struct:
		fs := fieldsOf(v)
		empty := !slices.ContainsFunc(fs.names, func(n string) bool { return !fs.byName[n].value.IsZero() })
		return "{}", empty
	}
	e.errs = append(e.errs, fmt.Errorf("no encoding for %s", v.Type()))
	return "", true
}

// nameOf is what comments know a list item by: its name, else its number.
func nameOf(item reflect.Value, i int) string {
	if item.Kind() == reflect.Struct {
		if f, ok := fieldsOf(item).byName["name"]; ok && f.value.Kind() == reflect.String && f.value.String() != "" {
			return f.value.String()
		}
	}
	return strconv.Itoa(i)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
