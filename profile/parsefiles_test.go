package profile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/profile"
)

func TestLoadManifestFiles(t *testing.T) {
	t.Parallel()
	const text = "apiVersion: strata.dev/v1alpha1\nkind: ClusterProfile\nmetadata: {name: x}\nspec:\n  version: 1.0.0\n  type: add-on\n  layers:\n  - name: all\n    manifests:\n      inline: [{name: first, content: 'a: 0'}]\n      files: [%s]\n"
	folder := t.TempDir()
	for name, content := range map[string]string{
		"profiles/crds/b.yaml": "b: 1\n", "profiles/crds/a.yml": "a: 1\n", "profiles/crds/README.md": "no", "profiles/crds/deep/c.yaml": "c: 1\n",
		"profiles/one.yaml": "one: 1\n", "profiles/two.yaml": "two: {{ .spectro.system.cluster.name }}\n", "outside.yaml": "out: 1\n",
	} {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../outside.yaml", filepath.Join(folder, "profiles", "link.yaml")); err != nil {
		t.Log(err) // not everyone may on Windows; the case below fails otherwise
	}
	for i, tt := range []struct{ files, want, problem string }{
		{"one.yaml", "first one", ""},
		{"./two.yaml, one.yaml", "first two one", ""},
		{"crds", "first crds-a crds-b", ""},
		{"crds/*.yaml, crds/deep", "first crds-b crds-deep-c", ""},
		{"'[ot]*.yaml'", "first one two", ""},
		{"none.yaml", "", `.yaml:11:15: spec.layers[0].manifests.files[0]: "none.yaml": there is no such file`},
		{"'*.json'", "", "there is no such file"},
		{"../outside.yaml", "", "leads out of the folder of the profile"},
		{"/etc/passwd", "", "leads out of the folder of the profile"},
		{"link.yaml", "", "link.yaml"},
		{"one.yaml, one.yaml", "", `"one" is also the name of`},
		{"'['", "", "syntax error in pattern"},
	} {
		t.Run(tt.files, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(folder, "profiles", fmt.Sprintf("p%d.yaml", i))
			if err := os.WriteFile(name, fmt.Appendf(nil, text, tt.files), 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := profile.Load(name)
			if tt.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tt.problem) {
					t.Errorf("error = %v, want %s", err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, m := range p.Layers[0].Manifests.Inline {
				names = append(names, m.Name)
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("the manifests are %s, want %s", got, tt.want)
			}
		})
	}
}

func TestLoadFS(t *testing.T) {
	t.Parallel()
	const text = "apiVersion: strata.dev/v1alpha1\nkind: ClusterProfile\nmetadata: {name: x}\nspec:\n  version: 1.0.0\n  type: add-on\n  layers:\n  - {name: all, manifests: {files: [m.yaml]}}\n"
	fsys := fstest.MapFS{
		"profiles/p.yaml": {Data: []byte(text)},
		"profiles/m.yaml": {Data: []byte("a: 1\n")},
		"huge.yaml":       {Data: make([]byte, 16<<20+1)},
	}
	p, err := profile.LoadFS(fsys, "profiles/p.yaml")
	if err != nil || p.Layers[0].Manifests.Inline[0].Content != "a: 1\n" {
		t.Errorf("LoadFS gives %+v, %v", p, err)
	}
	if _, err := profile.LoadFS(fsys, "none.yaml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
	if _, err := profile.LoadFS(fsys, "huge.yaml"); !errors.Is(err, profile.ErrSyntax) {
		t.Errorf("a huge file gives %v", err)
	}
	if _, err := profile.Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
	if _, err := profile.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "use Load") {
		t.Errorf("files without a folder give %v", err)
	}
}
