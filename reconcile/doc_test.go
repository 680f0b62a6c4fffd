package reconcile_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// The package comment names every type of error, as who handles errors looks
// there.
func TestErrorsAreDocumented(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
			f, err := parser.ParseFile(fset, e.Name(), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
	}
	p, err := doc.NewFromFiles(fset, files, "reconcile")
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range p.Types {
		if strings.HasSuffix(typ.Name, "Error") && !strings.Contains(p.Doc, typ.Name) {
			t.Errorf("the package comment does not name %s", typ.Name)
		}
	}
}
