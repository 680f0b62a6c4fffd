package render_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/internal/txtar"
	"github.com/strata-go/strata/layer"
)

// files makes a file system of a text archive.
func files(text string) fstest.MapFS { return txtar.Parse(text).FS("") }

// describe returns "kind name [in default namespace] [of release] [crds]" of each object.
func describe(objects []render.Object) []string {
	var texts []string
	for _, o := range objects {
		text := fmt.Sprintf("%s in %s", o.Key(), o.DefaultNamespace)
		if o.Release != "" {
			text += " of " + o.Release
		}
		if o.FromCRDs {
			text += " crds"
		}
		texts = append(texts, text)
	}
	return texts
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func run(t *testing.T, in render.Input) *render.Output {
	t.Helper()
	out, err := render.Layer(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// value returns the only datum of the ConfigMap or Secret of the given name.
func value(t *testing.T, out *render.Output, name string) string {
	t.Helper()
	for _, o := range out.Objects {
		if o.GetName() != name {
			continue
		}
		data, _ := o.Object.Object["data"].(map[string]any)
		for _, v := range data {
			return v.(string)
		}
	}
	t.Fatalf("nothing of the name %s in %q", name, describe(out.Objects))
	return ""
}

func inline(content ...string) layer.Layer {
	l := layer.Layer{Name: "extra", Source: layer.Source{Manifests: &layer.Manifests{}}}
	for i, c := range content {
		l.Manifests.Inline = append(l.Manifests.Inline, layer.Manifest{Name: fmt.Sprint("m", i), Content: c})
	}
	return l
}

func TestManifests(t *testing.T) {
	t.Parallel()
	l := inline(
		"{apiVersion: v1, kind: Service, metadata: {name: b}}\n---\n{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: own}, stringData: {k: v}}\n",
		"{apiVersion: v1, kind: Namespace, metadata: {name: ns}}",
	)
	out := run(t, render.Input{Layer: l})
	equal(t, "objects", describe(out.Objects), []string{"Service b in default", "Secret own/a in default", "Namespace ns in default"})
	if got := value(t, out, "a"); got != "dg==" {
		t.Errorf("the Secret's data is %q", got)
	}
	if len(out.Namespaces)+len(out.Releases)+len(out.Hooks) != 0 {
		t.Errorf("got %+v beside the objects", out)
	}
	l.Namespace = "apps"
	out = run(t, render.Input{Layer: l})
	if len(out.Namespaces) != 1 || out.Namespaces[0].Name != "apps" || out.Objects[0].DefaultNamespace != "apps" {
		t.Errorf("namespaces are %v", out.Namespaces)
	}
}

const chart = `
-- Chart.yaml --
name: web
version: 1.2.3
-- values.yaml --
size: 1
color: red
-- crds/thing.yaml --
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
-- templates/NOTES.txt --
Done.
-- templates/all.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
data: {value: "{{ .Values.size }} {{ .Values.color }} {{ .Release.Revision }} {{ .Release.IsUpgrade }} {{ .Capabilities.KubeVersion }}"}
---
apiVersion: v1
kind: Secret
metadata: {name: hook, annotations: {helm.sh/hook: pre-install}}
stringData: {k: v}
---
apiVersion: v1
kind: Pod
metadata: {name: test, annotations: {helm.sh/hook: test}}
`

func TestChart(t *testing.T) {
	t.Parallel()
	l := layer.Layer{Name: "site", Source: layer.Source{Helm: &layer.Helm{Chart: "web"}}}
	in := render.Input{
		Layer:        l,
		Values:       []byte("size: 5\ncolor: null\n"),
		Content:      files(chart),
		Capabilities: helm.Capabilities{KubeVersion: "v1.33.0"},
	}
	out := run(t, in)
	equal(t, "objects", describe(out.Objects), []string{
		"CustomResourceDefinition.apiextensions.k8s.io things.example.com in default of site crds",
		"ConfigMap default/site in default of site",
	})
	if got, want := value(t, out, "site"), "5  1 false v1.33.0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(out.Hooks) != 1 || out.Hooks[0].Release != "site" || out.Hooks[0].Events[0] != helm.PreInstall {
		t.Fatalf("hooks are %+v", out.Hooks)
	}
	if _, has := out.Hooks[0].Object.Object["stringData"]; has {
		t.Error("the hook has stringData")
	}
	r := out.Releases[0]
	if r.Name != "site" || r.Namespace != "default" || r.Revision != 1 || r.Notes != "Done.\n" || len(r.Hooks) != 2 ||
		r.Chart.Version() != "1.2.3" || !strings.Contains(r.Manifest, "# Source: web/templates/all.yaml") {
		t.Errorf("release is %+v", r)
	}
	if want := map[string]any{"size": 5.0, "color": nil}; !reflect.DeepEqual(r.Values, want) {
		t.Errorf("values are %v, want %v", r.Values, want)
	}
	if len(out.Namespaces) != 0 {
		t.Errorf("namespaces are %v", out.Namespaces)
	}
}

func TestChartOptions(t *testing.T) {
	t.Parallel()
	l := layer.Layer{Name: "site", Namespace: "apps", Source: layer.Source{Helm: &layer.Helm{Chart: "web", ReleaseName: "www"}}}
	out := run(t, render.Input{Layer: l, Content: files(chart), Releases: map[string]int{"www": 6}})
	equal(t, "objects", describe(out.Objects)[1:], []string{"ConfigMap apps/www in apps of www"})
	if got := value(t, out, "www"); !strings.HasPrefix(got, "1 red 7 true ") {
		t.Errorf("got %q", got)
	}
	if out.Releases[0].Revision != 7 || len(out.Namespaces) != 1 || out.Namespaces[0].Name != "apps" {
		t.Errorf("got %+v", out)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	helmLayer := layer.Layer{Name: "site", Source: layer.Source{Helm: &layer.Helm{Chart: "web"}}}
	tests := []struct {
		name  string
		in    render.Input
		cause error
		want  []string
	}{
		{"zarf", render.Input{Layer: layer.Layer{Name: "z", Source: layer.Source{Zarf: &layer.Zarf{}}}}, &render.UnsupportedError{},
			[]string{`sources of format "zarf" are not supported yet`}},
		{"no source", render.Input{Layer: layer.Layer{Name: "z"}}, &render.UnsupportedError{}, []string{"has no source"}},
		{"no content", render.Input{Layer: helmLayer}, nil, []string{"its content is missing"}},
		{"no chart", render.Input{Layer: helmLayer, Content: fstest.MapFS{}}, &helm.ChartError{}, []string{
			"chart: Chart.yaml: file does not exist at the top or in the only folder there"}},
		{"values", render.Input{Layer: helmLayer, Content: files(chart), Values: []byte("a: 1\nb: c: d\n")}, nil,
			[]string{"values:2: mapping values are not allowed in this context"}},
		{"template", render.Input{Layer: helmLayer, Content: files("-- Chart.yaml --\nname: web\nversion: 1.0.0\n-- templates/a.yaml --\n{{ .Values.a.b }}\n")},
			&helm.TemplateError{}, []string{
				"chart web 1.0.0: web/templates/a.yaml:1:10: .Values.a.b: nil pointer evaluating interface {}.b (.Values.a is not set)"}},
		{"manifests", render.Input{Layer: inline("a: 1\n", "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {k: 1}}", "\n\nkind: Pod\nmetadata: {name: a}")},
			&manifest.DocumentError{}, []string{
				"m0:1: apiVersion: is missing",
				"m0:1: kind: is missing",
				"m0:1: metadata.name: is missing",
				"m1:1: stringData.k: must be a string: put quotes around it",
				"m2:3: apiVersion: is missing"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := render.Layer(t.Context(), tt.in)
			if out != nil || err == nil {
				t.Fatalf("got %v, %v", out, err)
			}
			equal(t, "errors", strings.Split(err.Error(), "\n"), tt.want)
			if e := new(render.Error); !errors.As(err, &e) {
				t.Errorf("%T is no Error", err)
			}
			if tt.cause != nil && !errors.As(err, reflect.New(reflect.TypeOf(tt.cause)).Interface()) {
				t.Errorf("%v wraps no %T", err, tt.cause)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := layer.Layer{Name: "site", Source: layer.Source{Helm: &layer.Helm{Chart: "web"}}}
	if _, err := render.Layer(ctx, render.Input{Layer: l, Content: files(chart)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func tgz(t *testing.T, fsys fs.FS) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := archive.WriteTarGz(&b, fsys, "top"); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func namespaces(out *render.Output) []string {
	var texts []string
	for _, n := range out.Namespaces {
		texts = append(texts, fmt.Sprintf("%s %v %v", n.Name, pairs(n.Labels), pairs(n.Annotations)))
	}
	return texts
}

func pairs(m map[string]string) []string {
	var texts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		texts = append(texts, k+"="+m[k])
	}
	return texts
}

func TestAttachedManifests(t *testing.T) {
	t.Parallel()
	l := inline("{apiVersion: v1, kind: ConfigMap, metadata: {name: own}}")
	l.AttachedManifests = []layer.Manifest{{Name: "more", Content: "{apiVersion: v1, kind: Secret, metadata: {name: attached}, stringData: {a: b}}"}}
	l.Namespace = "ns"
	out := run(t, render.Input{Layer: l})
	if len(out.Objects) != 2 || out.Objects[1].GetName() != "attached" || out.Objects[1].DefaultNamespace != "ns" || out.Objects[1].Source != "more" {
		t.Errorf("objects are %v, want the attached one last", out.Objects)
	}
	l.AttachedManifests[0].Content = "kind: Secret"
	if _, err := render.Layer(t.Context(), render.Input{Layer: l}); err == nil || !strings.Contains(err.Error(), "more:1: apiVersion: is missing") {
		t.Errorf("error = %v, want the place in the attached manifest", err)
	}
}
