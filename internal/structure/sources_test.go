package structure_test

import (
	"cmp"
	"go/ast"
	"maps"
	"slices"
	"testing"
)

func TestSizeOfFiles(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		most := 500
		if s.isTest() {
			most = 1000
		}
		if n := s.fset.File(s.Pos()).LineCount(); n > most {
			t.Errorf("%s has %d lines, %d are the most: give each of its ideas a file", s.path, n, most)
		}
	}
}

func TestSizeOfFunctions(t *testing.T) {
	t.Parallel()
	const most = 80
	for _, s := range sources(t) {
		for _, d := range s.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := s.lines(f); n > most {
				t.Errorf("%s:%d: %s has %d lines, %d are the most: name its steps, or move its table out", s.path, s.line(f.Pos()), f.Name.Name, n, most)
			}
		}
	}
}

func TestPackagesAreDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, s := range sources(t) {
		folder := s.folder()
		documented[folder] = documented[folder] || s.Doc != nil
	}
	for _, folder := range slices.Sorted(maps.Keys(documented)) {
		if !documented[folder] {
			t.Errorf("%s has no package comment: say in a doc.go what it is for", folder)
		}
	}
}

// Every exported function, method, type, constant and variable of a package that
// users import is documented. Fields may speak for themselves.
func TestExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if !s.isPublic() {
			continue
		}
		for _, name := range s.undocumented() {
			t.Errorf("%s:%d: %s is exported and has no comment: say what it does, and which errors it returns", s.path, s.line(name.Pos()), name.Name)
		}
	}
}

// understood has the methods whose interface says what they do.
var understood = []string{"Error", "Unwrap", "Is", "String"}

// undocumented returns the exported names of a file that have no comment.
func (s source) undocumented() []*ast.Ident {
	var names []*ast.Ident
	check := func(comment *ast.CommentGroup, list ...*ast.Ident) {
		for _, name := range list {
			if comment == nil && name.IsExported() {
				names = append(names, name)
			}
		}
	}
	for _, d := range s.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type)) && !slices.Contains(understood, d.Name.Name) {
				check(d.Doc, d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					check(cmp.Or(spec.Doc, spec.Comment, d.Doc), spec.Name)
				case *ast.ValueSpec:
					check(cmp.Or(spec.Doc, spec.Comment, d.Doc), spec.Names...)
				}
			}
		}
	}
	return names
}

// receiver returns the name of a receiver's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
