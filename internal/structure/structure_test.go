// Package structure holds no code: its tests hold the shape of the module. They
// look at the direction of imports, at what the packages bring in, and at the
// size and documentation of the sources.
package structure_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

const (
	module = "github.com/strata-go/strata"
	root   = "../.."
)

// A source is one Go file of the checkout.
type source struct {
	*ast.File
	path string // from the root, with slashes
	fset *token.FileSet
}

func (s source) folder() string { return path.Dir(s.path) }
func (s source) isTest() bool   { return strings.HasSuffix(s.path, "_test.go") }

// isPublic says whether users import the package: the packages and their test kits.
func (s source) isPublic() bool {
	return !s.isTest() && !within(s.path, "internal", "examples")
}

func (s source) line(p token.Pos) int { return s.fset.Position(p).Line }

// lines returns how many lines the node has.
func (s source) lines(n ast.Node) int { return s.line(n.End()) - s.line(n.Pos()) + 1 }

// sources parses every Go file of the checkout, of all its modules.
func sources(t *testing.T) []source {
	t.Helper()
	tree := os.DirFS(root)
	var all []source
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		all = append(all, source{file, name, fset})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
