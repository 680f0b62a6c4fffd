package profile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/profile"
)

const stackText = `apiVersion: strata.dev/v1alpha1
kind: ClusterStack
metadata: {name: prod}
spec:
  profiles:
  - file: ../profiles/base.yaml
  - file: ../profiles/apps.yaml
  variables: {replicas: 3, token: abc}
  system: {cluster.name: prod}
  overrides:
  - layer: web
    values:
      replicas: 5 # more
    version: 5.x
`

func TestLoadStack(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	fsys := fstest.MapFS{}
	for name, text := range map[string]string{"profiles/base.yaml": infra, "profiles/apps.yaml": addon, "clusters/prod.yaml": stackText} {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	if err := os.CopyFS(folder, fsys); err != nil {
		t.Fatal(err)
	}
	fromDisk, err := profile.LoadStack(filepath.Join(folder, "clusters", "prod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	fromFS, err := profile.LoadStackFS(fsys, "clusters/prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*profile.Stack{fromDisk, fromFS} {
		if len(s.Profiles) != 2 || s.Variables["replicas"] != "3" || s.System["cluster.name"] != "prod" || len(s.Overrides) != 1 || s.Overrides[0].Values != "replicas: 5 # more\n" {
			t.Errorf("the stack is %+v", s)
		}
		d, err := s.Resolve(t.Context(), world, nil)
		if err != nil {
			t.Fatal(err)
		}
		if web := d.Layers()[len(d.Layers())-1]; !strings.Contains(web.Values, "replicas: 5") || web.Helm.Version != "5.x" {
			t.Errorf("the override is not there: %+v", web.Layer)
		}
	}
}

func TestParseStack(t *testing.T) {
	t.Parallel()
	s, err := profile.ParseStack([]byte("apiVersion: strata.dev/v1alpha1\nkind: ClusterStack\nmetadata: {name: prod}\nspec: {profiles: [{registry: acme, name: base, version: ~1.2, strategy: oldest}]}\n"))
	want := profile.Reference{Registry: "acme", Name: "base", Version: "~1.2", Strategy: "oldest"}
	if err != nil || len(s.References) != 1 || s.References[0] != want {
		t.Errorf("ParseStack gives %+v, %v", s, err)
	}
}

// Each case changes a valid stack in one place.
func TestLoadStackErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, old, new, want string }{
		{"unknown field", "overrides:", "override:", `clusters/prod.yaml:10:3: spec.override: unknown field, did you mean "overrides"?`},
		{"no such file", "base.yaml", "bsae.yaml", "clusters/prod.yaml:6:11: spec.profiles[0].file: open profiles/bsae.yaml: file does not exist"},
		{"wrong profile", "../profiles/base.yaml", "prod.yaml", `clusters/prod.yaml:1:13: apiVersion: is "strata.dev/v1alpha1", kind "ClusterStack"; want`},
		{"outside of everything", "../profiles", "../../profiles", "spec.profiles[0].file: open ../profiles/base.yaml:"},
		{"both", "file: ../profiles/base.yaml", "{file: a, name: b}", "spec.profiles[0]: names a file and a profile in a registry; keep one"},
		{"neither", "file: ../profiles/base.yaml", "version: 1", "spec.profiles[0]: names no profile"},
		{"strategy", "file: ../profiles/base.yaml", "{name: a, strategy: new}", `spec.profiles[0].strategy: is "new"; want newest`},
		{"name", "name: prod", "name: Prod", `metadata.name: is "Prod"; want a DNS label`},
		{"kind", "kind: ClusterStack", "kind: Stack", `kind "Stack"; want apiVersion: strata.dev/v1alpha1, kind: ClusterStack`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(stackText, tt.old) {
				t.Fatalf("the stack has no %q", tt.old)
			}
			_, err := profile.LoadStackFS(fstest.MapFS{
				"profiles/base.yaml": {Data: []byte(infra)}, "profiles/apps.yaml": {Data: []byte(addon)},
				"clusters/prod.yaml": {Data: []byte(strings.Replace(stackText, tt.old, tt.new, 1))},
			}, "clusters/prod.yaml")
			if _, ok := errors.AsType[*profile.Error](err); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v\nwant    %s", err, tt.want)
			}
		})
	}
	_, err := profile.ParseStack([]byte(stackText))
	if err == nil || !strings.Contains(err.Error(), "use LoadStack") {
		t.Errorf("ParseStack of a stack with files gives %v", err)
	}
	if _, err := profile.ParseStack([]byte("apiVersion: strata.dev/v1alpha1\nkind: ClusterStack\nmetadata: {name: a}\nspec: {}\n")); err == nil || !strings.Contains(err.Error(), "spec.profiles: is empty") {
		t.Errorf("a stack without profiles gives %v", err)
	}
}
