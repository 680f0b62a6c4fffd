package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// sources is what is known of the sources of a package.
type sources struct {
	dir    string
	types  map[string]*ast.TypeSpec
	docs   map[string]string   // of types
	consts map[string]string   // of text
	enums  map[string][]string // the values of a type of text
}

// load parses the package in dir, without its tests, once.
func (g *generator) load(dir string) (*sources, error) {
	if s := g.packages[dir]; s != nil {
		return s, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	s := &sources{dir: dir, types: map[string]*ast.TypeSpec{}, docs: map[string]string{}, consts: map[string]string{}, enums: map[string][]string{}}
	g.packages[dir] = s
	for _, e := range entries {
		if path.Ext(e.Name()) != ".go" || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path.Join(dir, e.Name()), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if d, ok := d.(*ast.GenDecl); ok {
				s.declaration(d)
			}
		}
	}
	if len(s.types) == 0 {
		return nil, fmt.Errorf("%s has no types", dir)
	}
	return s, nil
}

func (s *sources) declaration(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s.types[spec.Name.Name] = spec
			s.docs[spec.Name.Name] = spec.Doc.Text() + d.Doc.Text()
		case *ast.ValueSpec:
			if d.Tok == token.CONST {
				s.constants(spec)
			}
		}
	}
}

func (s *sources) constants(spec *ast.ValueSpec) {
	for i, e := range spec.Values {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			continue
		}
		value, err := strconv.Unquote(lit.Value)
		if err != nil {
			continue
		}
		s.consts[spec.Names[i].Name] = value
		if t, ok := spec.Type.(*ast.Ident); ok {
			s.enums[t.Name] = append(s.enums[t.Name], value)
		}
	}
}

var link = regexp.MustCompile(`\[\*?([\w.]+)\]`)

// description makes one line of a comment.
func description(comment string) string {
	return link.ReplaceAllString(strings.Join(strings.Fields(comment), " "), "$1")
}
