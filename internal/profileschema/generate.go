package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A schema is a JSON Schema, or a part of one.
type schema struct {
	Schema               string             `json:"$schema,omitempty"`
	Title                string             `json:"title,omitempty"`
	Ref                  string             `json:"$ref,omitempty"`
	Description          string             `json:"description,omitempty"`
	Type                 any                `json:"type,omitempty"` // a name, or several
	Const                string             `json:"const,omitempty"`
	Enum                 []string           `json:"enum,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	AdditionalProperties any                `json:"additionalProperties,omitempty"` // false or a schema
	Items                *schema            `json:"items,omitempty"`
	OneOf                []*schema          `json:"oneOf,omitempty"`
	Defs                 map[string]*schema `json:"$defs,omitempty"`
}

// text is what a field of text may be: the decoder takes scalars as they are
// written, so that a version need not be quoted.
func text() *schema { return &schema{Type: []string{"string", "number", "boolean"}} }

// generate returns the schema of the type root of the package in dir.
func generate(dir, root string) ([]byte, error) {
	g := generator{packages: map[string]*sources{}, defs: map[string]*schema{}}
	main, err := g.load(dir)
	if err != nil {
		return nil, err
	}
	s, err := g.structure(main, root)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{"apiVersion": main.consts["APIVersion"], "kind": main.consts[kindOf[root]]} {
		s.Properties[name] = &schema{Const: value, Description: s.Properties[name].Description}
	}
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = main.consts[kindOf[root]]
	s.Defs = g.defs
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err = enc.Encode(s)
	return b.Bytes(), err
}

// kindOf names the constant with the kind that a file of a type says it is.
var kindOf = map[string]string{"document": "Kind", "stackDocument": "StackKind"}

type generator struct {
	packages map[string]*sources // by folder
	defs     map[string]*schema
}

// typeOf returns the schema of a type expression that stands in a package.
func (g *generator) typeOf(in *sources, e ast.Expr) (*schema, error) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return g.typeOf(in, e.X)
	case *ast.ArrayType:
		items, err := g.typeOf(in, e.Elt)
		return &schema{Type: "array", Items: items}, err
	case *ast.MapType:
		values, err := g.typeOf(in, e.Value)
		return &schema{Type: "object", AdditionalProperties: values}, err
	case *ast.SelectorExpr:
		other, err := g.imported(in, e)
		if errors.Is(err, fs.ErrNotExist) {
			return text(), nil // of another module: a digest
		} else if err != nil {
			return nil, err
		}
		return g.named(other, e.Sel.Name)
	case *ast.Ident:
		switch e.Name {
		case "string":
			return text(), nil
		case "bool":
			return &schema{Type: "boolean"}, nil
		case "int", "int32", "int64":
			return &schema{Type: "integer"}, nil
		}
		return g.named(in, e.Name)
	}
	return nil, fmt.Errorf("no schema for a %T", e)
}

// imported returns the package that a qualified name is of.
func (g *generator) imported(in *sources, e *ast.SelectorExpr) (*sources, error) {
	qualifier, ok := e.X.(*ast.Ident)
	if !ok {
		return nil, fmt.Errorf("no schema for %T.%s", e.X, e.Sel.Name)
	}
	return g.load(path.Join(in.dir, "..", qualifier.Name))
}

// named returns a reference to the schema of a struct, or the schema of a
// type of text, with the values that it may have.
func (g *generator) named(in *sources, name string) (*schema, error) {
	spec, ok := in.types[name]
	if !ok {
		return nil, fmt.Errorf("%s has no type %s", in.dir, name)
	}
	if _, isStruct := spec.Type.(*ast.StructType); !isStruct {
		s, err := g.typeOf(in, spec.Type)
		if values := in.enums[name]; err == nil && len(values) > 0 {
			s = &schema{Type: "string", Enum: values}
		}
		return s, err
	}
	if _, done := g.defs[name]; !done {
		g.defs[name] = nil // ends the recursion of types that hold themselves
		s, err := g.structure(in, name)
		if err != nil {
			return nil, err
		}
		g.defs[name] = s
	}
	return &schema{Ref: "#/$defs/" + name}, nil
}

// structure returns the schema of a struct.
func (g *generator) structure(in *sources, name string) (*schema, error) {
	spec, ok := in.types[name]
	if !ok {
		return nil, fmt.Errorf("%s has no type %s", in.dir, name)
	}
	s := &schema{Type: "object", Description: description(in.docs[name]), Properties: map[string]*schema{}, AdditionalProperties: false}
	return s, g.fields(in, spec.Type.(*ast.StructType), s) //nolint:errcheck // named and generate ask for structs only
}

func (g *generator) fields(in *sources, t *ast.StructType, s *schema) error {
	for _, f := range t.Fields.List {
		if f.Tag == nil {
			continue
		}
		tags, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			return err
		}
		name, options, _ := strings.Cut(reflect.StructTag(tags).Get("json"), ",")
		switch {
		case len(f.Names) == 0 && options == "inline":
			err = g.embedded(in, f.Type, s)
		case name != "" && name != "-":
			err = g.field(in, f, property{name, options == "", reflect.StructTag(tags).Get("strict") == "document"}, s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A property is what the tags of a field say.
type property struct {
	name               string
	required, document bool
}

func (g *generator) field(in *sources, f *ast.Field, p property, s *schema) error {
	of, err := g.typeOf(in, f.Type)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	if p.document {
		of = &schema{Type: []string{"string", "object", "null"}}
	}
	of.Description = description(f.Doc.Text())
	if of.Description == "" {
		of.Description = description(f.Comment.Text())
	}
	s.Properties[p.name] = of
	if p.required {
		s.Required = append(s.Required, p.name)
	}
	return nil
}

// embedded adds the fields of a struct that stand among those of another. If
// all of them are pointers, it is a union: one of them must be there.
func (g *generator) embedded(in *sources, e ast.Expr, s *schema) error {
	name, ok := e.(*ast.Ident)
	if !ok {
		return fmt.Errorf("no schema for an embedded %T", e)
	}
	inner, err := g.structure(in, name.Name)
	if err != nil {
		return err
	}
	maps.Copy(s.Properties, inner.Properties)
	s.Required = append(s.Required, inner.Required...)
	fields := in.types[name.Name].Type.(*ast.StructType).Fields.List //nolint:errcheck // structure has seen it
	union := !slices.ContainsFunc(fields, func(f *ast.Field) bool { _, pointer := f.Type.(*ast.StarExpr); return !pointer })
	for _, field := range slices.Sorted(maps.Keys(inner.Properties)) {
		if union {
			s.OneOf = append(s.OneOf, &schema{Required: []string{field}})
		}
	}
	return nil
}
