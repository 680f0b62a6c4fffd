package render_test

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
)

const packFiles = `
-- pack.json --
{"name": "stack", "displayName": "Stack", "layer": "addon", "addonType": "app", "version": "1.0.0", "cloudTypes": ["all"],
 "charts": ["charts/web.tgz", "charts/db.tgz"], "kubeManifests": ["manifests/made.yaml", "manifests/plain.yaml"]}
-- values.yaml --
pack:
  namespace: "{{ .spectro.var.ns }}"
  additionalNamespaces: "logs,made"
  namespaceLabels: {stack-ns: "a=1,b=2", monitoring: "c=3", made: "label=ours,mine=ours"}
  namespaceAnnotations: {logs: "d=4"}
  releaseNameOverride: {db: database}
charts:
  web: {size: 2, nested: {keep: 1, drop: 1}}
manifests:
  made: {name: "x: y", up: true}
-- manifests/made.yaml --
{{ if .Values.up }}
apiVersion: v1
kind: ConfigMap
metadata: {name: made}
data: {value: {{ .Values.name | quote }}}
{{ end }}
---
apiVersion: v1
kind: Namespace
metadata: {name: made, labels: {mine: theirs}}
-- manifests/plain.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: plain}
data: {value: "{{ .spectro.var.ns }} and {{ foreign }}"}
`

const webChart = `
-- Chart.yaml --
name: web
version: 1.0.0
-- values.yaml --
size: 1
color: red
nested: {drop: 0}
-- templates/a.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {value: '{{ .Values.size }} {{ .Values.color }} {{ .Values.nested | toJson }} {{ .Release.Name }} {{ .Release.Namespace }}'}
`

const dbChart = `
-- Chart.yaml --
name: db
version: 2.0.0
-- templates/a.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: db}
data: {value: '{{ .Release.Name }} {{ .Release.Revision }}'}
`

func stack(t *testing.T) fstest.MapFS {
	t.Helper()
	fsys := files(packFiles)
	fsys["charts/web.tgz"] = &fstest.MapFile{Data: tgz(t, files(webChart))}
	fsys["charts/db.tgz"] = &fstest.MapFile{Data: tgz(t, files(dbChart))}
	return fsys
}

func bind(doc []byte) ([]byte, error) {
	return bytes.ReplaceAll(doc, []byte("{{ .spectro.var.ns }}"), []byte("stack-ns")), nil
}

func packLayer(namespace string) layer.Layer {
	return layer.Layer{Name: "apps", Namespace: namespace, Source: layer.Source{Pack: &layer.Pack{Name: "stack"}}}
}

func TestPack(t *testing.T) {
	t.Parallel()
	out := run(t, render.Input{
		Layer:    packLayer(""),
		Values:   []byte("charts: {web: {color: null, nested: {drop: null, add: 2}}}\n"),
		Bind:     bind,
		Content:  stack(t),
		Releases: map[string]int{"database": 1},
	})
	equal(t, "objects", describe(out.Objects), []string{
		"ConfigMap web in stack-ns of stack-web",
		"ConfigMap db in stack-ns of database",
		"ConfigMap made in stack-ns",
		"Namespace made in stack-ns",
		"ConfigMap plain in stack-ns",
	})
	for name, want := range map[string]string{
		// The layer's nulls remove what the pack says, and the chart's defaults.
		"web":  `2  {"add":2,"keep":1} stack-web stack-ns`,
		"db":   "database 2",
		"made": "x: y",
		// Without a block in the values, a manifest is no template.
		"plain": "stack-ns and {{ foreign }}",
	} {
		if got := value(t, out, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	equal(t, "namespaces", namespaces(out), []string{
		"stack-ns [a=1 b=2] []", "logs [] [d=4]", "monitoring [c=3] []",
	})
	if got := out.Objects[3].GetLabels(); got["mine"] != "theirs" || got["label"] != "ours" {
		t.Errorf("the namespace of the manifest has labels %v", got)
	}
	if len(out.Releases) != 2 || out.Releases[0].Revision != 1 || out.Releases[1].Revision != 2 || out.Releases[1].Namespace != "stack-ns" {
		t.Errorf("releases are %+v", out.Releases)
	}
}

func TestPackPresets(t *testing.T) {
	t.Parallel()
	in := render.Input{Layer: packLayer(""), Bind: bind, Content: stack(t)}
	in.Content.(fstest.MapFS)["presets.yaml"] = &fstest.MapFile{Data: []byte(
		"presets: [{name: big, group: size, remove: [charts.web.nested], add: 'charts: {web: {size: 9}}'}]")}
	in.Layer.Presets = map[string]string{"size": "big"}
	if got, want := value(t, run(t, in), "web"), `9 red {"drop":0} stack-web stack-ns`; got != want {
		t.Errorf("web is %q, want %q", got, want)
	}
	in.Layer.Presets["size"] = "huge"
	if _, err := render.Layer(t.Context(), in); err == nil || !strings.Contains(err.Error(), `group "size" has no preset "huge"`) {
		t.Errorf("got %v", err)
	}
}

func TestPackNamespace(t *testing.T) {
	t.Parallel()
	fsys := stack(t)
	out := run(t, render.Input{Layer: packLayer("mine"), Bind: bind, Content: fsys})
	if out.Objects[0].DefaultNamespace != "mine" || out.Namespaces[0].Name != "mine" {
		t.Errorf("the layer's namespace does not win: %v", namespaces(out))
	}
	fsys["values.yaml"] = &fstest.MapFile{}
	out = run(t, render.Input{Layer: packLayer(""), Content: fsys, Values: []byte("manifests: {made: {up: true, name: a}}")})
	if out.Objects[0].DefaultNamespace != "default" || len(out.Namespaces) != 0 {
		t.Errorf("without any: %s, %v", out.Objects[0].DefaultNamespace, namespaces(out))
	}
}

// Whoever is at fault, the error says where, and one run finds all.
func TestPackErrors(t *testing.T) {
	t.Parallel()
	fsys := stack(t)
	fsys["charts/web.tgz"] = &fstest.MapFile{Data: tgz(t, files(webChart+"-- templates/bad.yaml --\n{{ .Values.x.y }}\n"))}
	fsys["charts/db.tgz"] = &fstest.MapFile{Data: []byte("junk, but more than a few bytes of it")}
	fsys["manifests/made.yaml"] = &fstest.MapFile{Data: []byte("a: 1\n{{ .Values.x.y }}\n")}
	fsys["manifests/plain.yaml"] = &fstest.MapFile{Data: []byte("\na: b\n")}
	_, err := render.Layer(t.Context(), render.Input{Layer: packLayer(""), Bind: bind, Content: fsys})
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		"pack stack: charts/web.tgz: chart web 1.0.0: web/templates/bad.yaml:1:10: .Values.x.y: nil pointer evaluating interface {}.y (.Values.x is not set)",
		"pack stack: charts/db.tgz: chart db.tgz: ",
		"pack stack: manifests/made.yaml:2:10: .Values.x.y: nil pointer evaluating interface {}.y (.Values.x is not set)",
		"pack stack: manifests/plain.yaml:2: apiVersion: is missing",
	}
	for _, text := range want {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("got\n%v\nwithout %q", err, text)
		}
	}
	if e := new(helm.TemplateError); !errors.As(err, &e) || e.Missing != ".Values.x" {
		t.Errorf("%v wraps no TemplateError", err)
	}
	if e := new(manifest.DocumentError); !errors.As(err, &e) || e.Line != 2 {
		t.Errorf("%v wraps no DocumentError", err)
	}
}

func TestPackValueErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, values, want string }{
		{"syntax", "a: [", "pack stack: values:"},
		{"charts", "charts: [a]", "pack stack: values: charts: must be a map"},
		{"one chart", "charts: {web: 5}", "pack stack: values: charts.web: must be a map"},
		{"one manifest", "manifests: {made: text}", "pack stack: values: manifests.made: must be a map"},
		{"settings", "pack: {namespace: [a]}", "pack.namespace"},
		{"release name twice", "pack: {releaseNameOverride: {web: database}}",
			`pack stack: charts/db.tgz: another chart has the release name "database" too`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := render.Layer(t.Context(), render.Input{Layer: packLayer(""), Bind: bind, Content: stack(t), Values: []byte(tt.values)})
			if e := new(render.Error); !errors.As(err, &e) || e.Pack != "stack" || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an Error with %q", err, tt.want)
			}
		})
	}
}

func TestPackBindError(t *testing.T) {
	t.Parallel()
	broken := errors.New("no such variable")
	_, err := render.Layer(t.Context(), render.Input{Layer: packLayer(""), Content: stack(t),
		Bind: func([]byte) ([]byte, error) { return nil, broken }})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "pack stack: values.yaml: no such variable") {
		t.Errorf("got %v", err)
	}
}

// A pack that lacks what it names is not rendered without it.
func TestPackIncomplete(t *testing.T) {
	t.Parallel()
	fsys := stack(t)
	delete(fsys, "charts/db.tgz")
	_, err := render.Layer(t.Context(), render.Input{Layer: packLayer(""), Bind: bind, Content: fsys})
	if e := new(pack.Error); !errors.As(err, &e) || !errors.Is(err, fs.ErrNotExist) || e.File != "pack.json" || e.Line == 0 {
		t.Errorf("got %v", err)
	}
}
