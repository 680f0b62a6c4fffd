package structure_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A listed package is what go list says of it.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

// A graph has every package of the main module, and all that is compiled with them.
type graph map[string]listed

func load(t *testing.T) graph {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Imports", "./...")
	cmd.Dir = root
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &problems)
	}
	g := graph{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return g
		} else if err != nil {
			t.Fatal(err)
		}
		g[p.ImportPath] = p
	}
}

// from returns the packages that are compiled with the one named, itself
// included, each with the one that imports it on the shortest way there.
func (g graph) from(name string) map[string]string {
	by := map[string]string{name: ""}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		for _, imported := range g[queue[0]].Imports {
			if _, seen := by[imported]; !seen {
				by[imported] = queue[0]
				queue = append(queue, imported)
			}
		}
	}
	return by
}

// way returns how a package got into what from returned.
func way(by map[string]string, name string) string {
	way := name
	for name = by[name]; name != ""; name = by[name] {
		way = name + "\n\t→ " + way
	}
	return way
}

// within says whether an import path is one of the roots, or below it.
func within(path string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return path == root || strings.HasPrefix(path, root+"/")
	})
}

// Imports go one way: layer ← pack ← registry ← reconcile, and pack ← profile ←
// reconcile. What is below reconcile compiles neither Kubernetes nor Helm, so
// that unit tests of profiles build in seconds.
func TestDirectionOfImports(t *testing.T) {
	t.Parallel()
	g := load(t)
	heavy := []string{"helm.sh/helm", "k8s.io/client-go", "k8s.io/apimachinery", "k8s.io/api"}
	for name, forbidden := range map[string][]string{
		"layer":                 {"pack", "profile", "registry", "reconcile", "internal"},
		"pack":                  {"profile", "registry", "reconcile"},
		"profile":               {"registry", "reconcile"},
		"profile/profiletest":   {"registry", "reconcile"},
		"registry":              {"profile", "reconcile"},
		"registry/registrytest": {"profile", "reconcile"},
	} {
		roots := slices.Clone(heavy)
		for _, folder := range forbidden {
			roots = append(roots, module+"/"+folder)
		}
		by := g.from(module + "/" + name)
		for _, compiled := range slices.Sorted(maps.Keys(by)) {
			if within(compiled, roots...) && !within(by[compiled], roots...) {
				t.Errorf("%s may not compile %s: cut this way, with an interface or by moving what both need to layer or internal/\n\t%s",
					name, compiled, way(by, compiled))
			}
		}
	}
}

// Helm 3 ends in 2027. As no public package imports it, no exported signature
// can hold one of its types.
func TestOnlyOnePackageImportsHelm(t *testing.T) {
	t.Parallel()
	for _, p := range load(t) {
		if !within(p.ImportPath, module) || within(p.ImportPath, module+"/internal/helm") {
			continue
		}
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, "helm.sh/") {
				t.Errorf("%s imports %s: put what it needs into internal/helm, without a type of Helm in its exported names", p.ImportPath, imported)
			}
		}
	}
}

// What the examples and the test control plane need is no concern of those who
// import the library.
func TestModulesAreSeparate(t *testing.T) {
	t.Parallel()
	for name := range load(t) {
		if within(name, module+"/examples", module+"/internal/controlplane") {
			t.Errorf("%s is in the main module: its folder needs its go.mod back", name)
		}
		if within(name, "k8s.io/kubernetes", "go.etcd.io/etcd/server/v3") {
			t.Errorf("the main module compiles %s: only internal/controlplane may, which is a module of its own", name)
		}
	}
	for _, s := range sources(t) {
		for _, spec := range s.Imports {
			if name := strings.Trim(spec.Path.Value, `"`); within(s.path, "examples") && within(name, module+"/internal") {
				t.Errorf("%s:%d: an example imports %s, which its readers cannot: use or extend the public packages", s.path, s.line(spec.Pos()), name)
			}
		}
	}
}

// Who wants neither traces nor metrics nor a page does not compile them.
func TestReconcileCompilesNoTelemetry(t *testing.T) {
	t.Parallel()
	by := load(t).from(module + "/reconcile")
	for _, name := range slices.Sorted(maps.Keys(by)) {
		if within(name, "go.opentelemetry.io", "github.com/prometheus", module+"/reconcile/otel", module+"/reconcile/prometheus", module+"/reconcile/statuspage") {
			t.Errorf("reconcile compiles %s: put what needs it into a package of its own below it\n\t%s", name, way(by, name))
		}
	}
}

// A new dependency is a decision, so it is seen here.
func TestDependencyBudgets(t *testing.T) {
	t.Parallel()
	g := load(t)
	for name, budget := range map[string]int{"layer": 6, "profile": 45, "pack": 45, "registry": 80} {
		if _, ok := g[module+"/"+name]; !ok {
			t.Errorf("there is no package %s: its budget is not held", name)
		}
		var counted []string
		for compiled := range g.from(module + "/" + name) {
			if p := g[compiled]; !p.Standard && compiled != "C" {
				counted = append(counted, compiled)
			}
		}
		t.Logf("%s compiles %d packages that are not in the standard library; its budget is %d", name, len(counted), budget)
		if len(counted) > budget {
			slices.Sort(counted)
			t.Errorf("%s compiles %d packages that are not in the standard library, %d are its budget: do without the newest of\n\t%s",
				name, len(counted), budget, strings.Join(counted, "\n\t"))
		}
	}
}
