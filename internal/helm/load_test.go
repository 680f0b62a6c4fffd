package helm_test

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/internal/helm"
)

const small = `
-- Chart.yaml --
apiVersion: v2
name: small
version: 1.2.3
appVersion: "4.5"
kubeVersion: ">=1.20"
-- values.yaml --
a: 1
-- templates/cm.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: small}
-- templates/cm.yaml~ --
apiVersion: v1
kind: ConfigMap
metadata: {name: backup}
-- templates/.hidden.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: hidden}
-- .helmignore --
*~
`

func TestLoad(t *testing.T) {
	t.Parallel()
	folder := files(small)
	visible := []string{"ConfigMap small"}
	all := []string{"ConfigMap hidden", "ConfigMap small", "ConfigMap backup"}
	tests := []struct {
		name string
		load func() (*helm.Chart, error)
		want []string
	}{
		{"folder", func() (*helm.Chart, error) { return helm.LoadChart(folder) }, visible},
		// As with Helm, .helmignore and its defaults do not count in archives.
		{"unpacked archive", func() (*helm.Chart, error) { return helm.LoadChart(below(folder, "top")) }, all},
		{"archive", func() (*helm.Chart, error) { return helm.LoadArchive("x", pack(t, folder, "top")) }, all},
		{"archive without a folder", func() (*helm.Chart, error) { return helm.LoadArchive("x", pack(t, folder, "")) }, all},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := tt.load()
			if err != nil {
				t.Fatal(err)
			}
			got := []string{c.Name(), c.Version(), c.AppVersion(), c.KubeVersion()}
			equal(t, "metadata", got, []string{"small", "1.2.3", "4.5", ">=1.20"})
			r, err := c.Render(t.Context(), helm.Request{ReleaseName: "r", Namespace: "ns"})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "objects", keys(r.Objects), tt.want)
		})
	}
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, files, want string }{
		{"no chart", "-- a/b.txt --\n", "chart: Chart.yaml: file does not exist at the top or in the only folder there"},
		{"no version", "-- Chart.yaml --\nname: x\n", "chart.metadata.version is required"},
		{"no YAML", "-- Chart.yaml --\n{{\n", "cannot load Chart.yaml"},
		{"values", "-- Chart.yaml --\nname: x\nversion: 1.0.0\n-- values.yaml --\n- a\n", "cannot load values.yaml"},
		{"name with a path", "-- Chart.yaml --\nname: ../x\nversion: 1.0.0\n", `chart.metadata.name "../x" is invalid`},
		{"subchart", "-- Chart.yaml --\nname: x\nversion: 1.0.0\n-- charts/y/values.yaml --\n", "reading subchart charts/y: Chart.yaml file is missing"},
		{"subchart archive", "-- Chart.yaml --\nname: x\nversion: 1.0.0\n-- charts/y.tgz --\njunk\n", "reading subchart charts/y.tgz: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := helm.LoadChart(files(tt.files))
			if e := new(helm.ChartError); !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a ChartError with %q", err, tt.want)
			}
		})
	}
}

// An archive in an archive in an archive ... ends.
func TestLoadNested(t *testing.T) {
	t.Parallel()
	nested := func(depth int) ([]byte, error) {
		tgz := pack(t, files(small), "top")
		for range depth {
			outer := files(small)
			outer["charts/inner.tgz"] = &fstest.MapFile{Data: tgz}
			tgz = pack(t, outer, "top")
		}
		_, err := helm.LoadArchive("nested", tgz)
		return tgz, err
	}
	if _, err := nested(3); err != nil {
		t.Error(err)
	}
	if _, err := nested(20); err == nil || !strings.Contains(err.Error(), "deep in each other") {
		t.Errorf("got %v, want an error for the depth", err)
	}
}

func TestLoadLink(t *testing.T) {
	t.Parallel()
	fsys := files(small)
	fsys["templates/link.yaml"] = &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte("/etc/passwd")}
	if _, err := helm.LoadChart(fsys); err == nil || !strings.Contains(err.Error(), "templates/link.yaml: not a regular file") {
		t.Errorf("got %v, want an error for the link", err)
	}
}

func FuzzLoadArchive(f *testing.F) {
	f.Add(pack(f, files(small), "top"))
	f.Fuzz(func(t *testing.T, tgz []byte) {
		c, err := helm.LoadArchive("fuzz", tgz)
		if (c == nil) != (err != nil) {
			t.Errorf("got %v and %v", c, err)
		}
	})
}

// below moves the files of fsys into a folder.
func below(fsys fstest.MapFS, folder string) fstest.MapFS {
	moved := fstest.MapFS{}
	for name, file := range fsys {
		moved[path.Join(folder, name)] = file
	}
	return moved
}

func pack(t testing.TB, fsys fs.FS, prefix string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := archive.WriteTarGz(&b, fsys, prefix); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
