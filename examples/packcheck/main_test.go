package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write writes files, of name and content, below a new folder of that name.
func write(t *testing.T, folder string, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), folder)
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// chartOf makes a chart archive with one template.
func chartOf(t *testing.T, name, template string) string {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for file, content := range map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n", "templates/a.yaml": template,
	} {
		header := &tar.Header{Name: name + "/" + file, Mode: 0o644, Size: int64(len(content))}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "

func folder(t *testing.T, template string) string {
	t.Helper()
	return write(t, "web-1.0.0", map[string]string{
		"pack.json": `{"name": "web", "displayName": "Web", "layer": "csi", "version": "1.0.0",
			"charts": ["charts/c.tgz"], "kubeManifests": ["manifests/m.yaml"]}`,
		"values.yaml":      "pack: {namespace: ns}\ncharts: {c: {v: '{{ .spectro.var.v }}-{{ .spectro.system.kubernetes.version | substr 0 4 }}'}}\n",
		"charts/c.tgz":     chartOf(t, "c", template),
		"manifests/m.yaml": config + "m, namespace: other}",
	})
}

func TestJSON(t *testing.T) {
	t.Parallel()
	good, bad := folder(t, config+"{{ .Values.v }}}"), folder(t, "a:\n{{ .Values.x.y }}")
	var out, usage bytes.Buffer
	err := run(t.Context(), []string{"-json", "-kube-version", "1.34.2", "-set", "var.v=a", good, bad, t.TempDir()}, &out, &usage)
	if !errors.Is(err, errProblems) {
		t.Errorf("got %v: %s", err, usage.String())
	}
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(got) != 3 {
		t.Fatalf("%d lines: %s", len(got), out.String())
	}
	want := []string{
		`{"pack":"web-1.0.0","name":"web","version":"1.0.0","layer":"csi","ok":true,"problems":[],` +
			`"charts":[{"name":"c","release":"web-c","namespace":"ns","objects":["ConfigMap//a-1.34"],"hooks":0,"crds":0,"error":""}],` +
			`"manifests":[{"path":"manifests/m.yaml","objects":["ConfigMap/other/m"],"error":""}]}`,
		`{"pack":"web-1.0.0","name":"web","version":"1.0.0","layer":"csi","ok":false,` +
			`"problems":[{"severity":"error","path":"charts/c.tgz/c/templates/a.yaml","line":2,` +
			`"message":".Values.x.y: nil pointer evaluating interface {}.y (.Values.x is not set)"},` +
			`{"severity":"warning","path":"values.yaml","line":2,"message":"charts.c.v: nobody reads it: neither the values nor the templates of chart c have it"}],` +
			`"charts":[{"name":"c","release":"web-c","namespace":"ns","objects":[],"hooks":0,"crds":0,` +
			`"error":"chart c 1.0.0: c/templates/a.yaml:2:10: .Values.x.y: nil pointer evaluating interface {}.y (.Values.x is not set)"}],` +
			`"manifests":[{"path":"manifests/m.yaml","objects":["ConfigMap/other/m"],"error":""}]}`,
	}
	for i, w := range want {
		if got[i] != w {
			t.Errorf("got\n%s\nwant\n%s", got[i], w)
		}
	}
	var l line
	if err := json.Unmarshal([]byte(got[2]), &l); err != nil || l.OK || len(l.Problems) != 1 || l.Charts == nil || l.Manifests == nil {
		t.Errorf("no pack: %s", got[2])
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var out, usage bytes.Buffer
	if err := run(t.Context(), []string{folder(t, config+"{{ .Values.v }}}")}, &out, &usage); err != nil {
		t.Error(err)
	}
	const want = `web-1.0.0: ok
  chart     c                 web-c in ns  1 objects
  manifest  manifests/m.yaml               1 objects

`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"-json"}, {"-set", "x", "."}, {"-unknown", "."}, {filepath.Join(t.TempDir(), "gone")}} {
		var out, usage bytes.Buffer
		if err := run(t.Context(), args, &out, &usage); err == nil || errors.Is(err, errProblems) || out.Len() > 0 {
			t.Errorf("%q: %v, %s", args, err, out.String())
		}
	}
}
