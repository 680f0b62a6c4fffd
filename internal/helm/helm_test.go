package helm_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/internal/txtar"
)

// files makes a file system of a text archive.
func files(text string) fstest.MapFS { return txtar.Parse(text).FS("") }

func load(t *testing.T, text string) *helm.Chart {
	t.Helper()
	c, err := helm.LoadChart(files(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render renders for release "r" in namespace "ns".
func render(t *testing.T, text string, values map[string]any) *helm.Rendered {
	t.Helper()
	r, err := load(t, text).Render(t.Context(), helm.Request{ReleaseName: "r", Namespace: "ns", Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// keys returns the keys of objects.
func keys(objects []manifest.Object) []string {
	var names []string
	for _, o := range objects {
		names = append(names, o.Key().String())
	}
	return names
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// data returns the data of the ConfigMap of the given name.
func data(t *testing.T, objects []manifest.Object, name string) map[string]any {
	t.Helper()
	for _, o := range objects {
		if o.GetKind() == "ConfigMap" && o.GetName() == name {
			m, _ := o.Object["data"].(map[string]any)
			return m
		}
	}
	t.Fatalf("no ConfigMap %s in %q", name, keys(objects))
	return nil
}

// packs returns the folder of packs to test with.
func packs(t *testing.T) string {
	t.Helper()
	return realpacks.Dir(t)
}

// packChart reads a chart of a pack.
func packChart(t *testing.T, path string) *helm.Chart {
	t.Helper()
	tgz, err := os.ReadFile(filepath.Join(packs(t), path))
	if err != nil {
		t.Fatal(err)
	}
	c, err := helm.LoadArchive(path, tgz)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
