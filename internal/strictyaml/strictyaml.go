// Package strictyaml decodes YAML into Go structs and reports every problem
// with its line and column: unknown fields, with the nearest known name,
// fields given twice, values of the wrong type.
//
// It follows the json tags of the structs. Scalars keep their text: a string
// field given as 1.10 is "1.10". A string field tagged `strict:"document"`
// takes a YAML document, as text or written out as a mapping; comments in it
// are kept.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/nearest"
)

// An Error is a problem at one place of a document.
type Error struct {
	Line, Column int    // from 1; zero if unknown
	Path         string // "spec.layers[2].name"; "" is the document
	Problem      string
	Unknown      bool // the problem is that there is no such field
}

func (e *Error) Error() string {
	s := e.Problem
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	if e.Line > 0 {
		s = fmt.Sprintf("%d:%d: %s", e.Line, e.Column, s)
	}
	return s
}

// A Position is a place in a document, counted from 1.
type Position struct{ Line, Column int }

// Positions says where in a document the value of each field stands, by path.
type Positions map[string]Position

// Nearest returns where the field at path stands, or else the nearest field
// around it; it is zero if nothing is known.
func (p Positions) Nearest(path string) Position {
	for {
		if at, ok := p[path]; ok {
			return at
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return Position{}
		}
		path = path[:cut]
	}
}

// Decode decodes data, which holds exactly one document, into the struct that
// into points to. It returns where each field stands, and all problems, each
// an [*Error], joined.
func Decode(data []byte, into any) (Positions, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, &Error{Problem: "document is empty"}
	} else if err != nil {
		return nil, syntaxError(err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntaxError(err)
		}
		return nil, &Error{Problem: "more than one document; put each into a file of its own"}
	}
	d := decoder{positions: Positions{}, data: string(data)}
	d.value("", doc.Content[0], reflect.ValueOf(into).Elem(), "")
	return d.positions, errors.Join(d.errs...)
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

func syntaxError(err error) error {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		return &Error{Line: line, Column: 1, Problem: "invalid YAML: " + m[2]}
	}
	return &Error{Problem: "invalid YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
}

type decoder struct {
	positions Positions
	errs      []error

	data       string
	lines      []string // of data; made when needed
	key, after int      // lines of the key of the value, and of what follows it; zero if nothing does
}

func (d *decoder) problem(path string, n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, &Error{Line: n.Line, Column: n.Column, Path: path, Problem: fmt.Sprintf(format, args...)})
}

func (d *decoder) value(path string, n *yaml.Node, v reflect.Value, tag string) {
	d.positions[path] = Position{n.Line, n.Column}
	if n.Kind == yaml.AliasNode {
		// Aliases of aliases grow without bound, and may hold themselves.
		d.problem(path, n, "is an alias; write the value out")
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		d.value(path, n, p.Elem(), tag)
		v.Set(p)
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Map:
		d.mapping(path, n, v)
	case reflect.Slice:
		d.sequence(path, n, v)
	case reflect.String:
		d.text(path, n, v, tag)
	default:
		d.scalar(path, n, v)
	}
}

func (d *decoder) structure(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.problem(path, n, "is %s, want a mapping", describe(n))
		return
	}
	fields := fieldsOf(v)
	d.keys(path, n, func(key, value *yaml.Node, at string) {
		f, ok := fields.byName[key.Value]
		if !ok {
			known := fmt.Sprintf("unknown field%s (known: %s)", nearest.Hint(key.Value, fields.names), strings.Join(fields.names, ", "))
			d.errs = append(d.errs, &Error{Line: key.Line, Column: key.Column, Path: at, Problem: known, Unknown: true})
			return
		}
		d.value(at, value, f.value, f.tag)
	})
}

func (d *decoder) mapping(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.problem(path, n, "is %s, want a mapping", describe(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	d.keys(path, n, func(key, value *yaml.Node, at string) {
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(at, value, elem, "")
		v.SetMapIndex(reflect.ValueOf(key.Value), elem)
	})
}

// keys visits the entries of a mapping and reports keys that stand there twice.
func (d *decoder) keys(path string, n *yaml.Node, visit func(key, value *yaml.Node, at string)) {
	seen := map[string]int{}
	after := d.after
	defer func() { d.after = after }()
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		d.after = after
		if i+2 < len(n.Content) {
			d.after = n.Content[i+2].Line
		}
		at := key.Value
		if path != "" {
			at = path + "." + key.Value
		}
		if line, ok := seen[key.Value]; ok {
			d.problem(at, key, "is given twice, first on line %d", line)
			continue
		}
		seen[key.Value] = key.Line
		d.key = key.Line
		visit(key, n.Content[i+1], at)
	}
}

func (d *decoder) sequence(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.problem(path, n, "is %s, want a list", describe(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	after := d.after
	defer func() { d.after = after }()
	for i, item := range n.Content {
		d.after = after
		if i+1 < len(n.Content) {
			d.after = n.Content[i+1].Line
		}
		d.value(fmt.Sprintf("%s[%d]", path, i), item, list.Index(i), "")
	}
	v.Set(list)
}

func (d *decoder) text(path string, n *yaml.Node, v reflect.Value, tag string) {
	if n.Kind == yaml.ScalarNode {
		v.SetString(n.Value)
		return
	}
	if tag != "document" {
		d.problem(path, n, "is %s, want text", describe(n))
		return
	}
	if text, ok := d.source(n); ok {
		v.SetString(text)
		return
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(n), enc.Close()); err != nil {
		d.problem(path, n, "%v", err)
	}
	v.SetString(b.String())
}

func (d *decoder) scalar(path string, n *yaml.Node, v reflect.Value) {
	var err error
	switch {
	case n.Kind != yaml.ScalarNode:
		err = errors.New("")
	case v.Kind() == reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(n.Value)
		v.SetBool(b)
	case v.CanInt():
		var i int64
		i, err = strconv.ParseInt(n.Value, 10, v.Type().Bits())
		v.SetInt(i)
	default:
		err = fmt.Errorf("no decoding for %s", v.Type())
	}
	if err != nil {
		d.problem(path, n, "is %s, want %s", describe(n), kindName(v.Kind()))
	}
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return strconv.Quote(n.Value)
}

func kindName(k reflect.Kind) string {
	if k == reflect.Bool {
		return "true or false"
	}
	return "a whole number"
}
