package helm_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/manifest"
)

// web has everything that a chart can have.
const web = `
-- Chart.yaml --
apiVersion: v2
name: web
version: 1.2.3
dependencies:
- {name: cache, version: 1.x, condition: cache.enabled}
- {name: cache, version: 1.x, alias: second, condition: second.enabled}
- {name: tagged, version: "*", tags: [extra]}
-- values.yaml --
replicas: 1
limits: {cpu: 1, memory: 2}
cache: {size: small}
second: {enabled: false}
tags: {extra: false}
global: {zone: a}
-- crds/thing.yaml --
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
-- templates/_helpers.tpl --
{{ define "web.name" }}{{ .Release.Name }}-web{{ end }}
-- templates/NOTES.txt --
Installed {{ include "web.name" . }} in {{ .Release.Namespace }}.
-- templates/z-namespace.yaml --
apiVersion: v1
kind: Namespace
metadata: {name: extra}
-- templates/config.yaml --
{{- $root := . }}
{{- range $name, $value := dict "replicas" .Values.replicas "upgrade" .Release.IsUpgrade "revision" .Release.Revision
	"limits" (toJson .Values.limits) "service" .Release.Service "kube" .Capabilities.KubeVersion.Version
	"crds" (.Capabilities.APIVersions.Has "apps/v1") "lookup" (lookup "v1" "Secret" "" "" | toJson)
	"dns" (getHostByName "localhost") "file" ($.Files.Get "extra.txt" | trim) }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ $name }}}
data: {value: {{ $value | toString | quote }}}
{{- end }}
-- templates/deployment.yaml --
# A comment.
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "web.name" . }}
---
{{ if .Values.none }}
kind: Nothing
{{ end }}
-- templates/migrate.yaml --
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations:
    helm.sh/hook: pre-install, Pre-Upgrade
    helm.sh/hook-weight: "-5"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
    helm.sh/hook-output-log-policy: hook-failed
-- templates/tests/test.yaml --
apiVersion: v1
kind: Pod
metadata: {name: test, annotations: {helm.sh/hook: test-success}}
-- templates/old.yaml --
apiVersion: v1
kind: Pod
metadata: {name: old, annotations: {helm.sh/hook: crd-install}}
-- extra.txt --
some text
-- charts/cache/Chart.yaml --
apiVersion: v2
name: cache
version: 1.0.5
-- charts/cache/values.yaml --
port: 6379
-- charts/cache/crds/cache.yaml --
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: caches.example.com}
-- charts/cache/templates/NOTES.txt --
Not shown.
-- charts/cache/templates/cache.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Chart.Name }}}
data: {value: {{ printf "%v %v %v" .Values.size .Values.port .Values.global.zone | quote }}}
-- charts/tagged/Chart.yaml --
apiVersion: v2
name: tagged
version: 0.1.0
-- charts/tagged/templates/tagged.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: tagged}
`

func TestRender(t *testing.T) {
	t.Parallel()
	r := render(t, web, nil)
	equal(t, "objects", keys(r.Objects), []string{
		"Namespace extra", "ConfigMap cache",
		"ConfigMap crds", "ConfigMap dns", "ConfigMap file", "ConfigMap kube", "ConfigMap limits", "ConfigMap lookup",
		"ConfigMap replicas", "ConfigMap revision", "ConfigMap service", "ConfigMap upgrade", "Deployment.apps r-web",
	})
	equal(t, "crds", keys(r.CRDs), []string{
		"CustomResourceDefinition.apiextensions.k8s.io things.example.com",
		"CustomResourceDefinition.apiextensions.k8s.io caches.example.com",
	})
	if want := "Installed r-web in ns.\n"; r.Notes != want {
		t.Errorf("notes are %q, want %q", r.Notes, want)
	}
	equal(t, "warnings", r.Warnings, []string{
		`web/templates/old.yaml:1: hook event "crd-install" is unknown: Pod old is left out`,
	})
	want := map[string]string{
		"crds": "true", "dns": "", "file": "some text", "kube": helm.DefaultKubeVersion, "limits": `{"cpu":1,"memory":2}`,
		"lookup": "{}", "replicas": "1", "revision": "1", "service": "Helm", "upgrade": "false", "cache": "small 6379 a",
	}
	for name, value := range want {
		if got := data(t, r.Objects, name)["value"]; got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	for _, o := range r.Objects {
		if o.GetNamespace() != "" {
			t.Errorf("%s has a namespace that no template gave", o.Key())
		}
		if o.GetName() == "r-web" && (o.Source != "web/templates/deployment.yaml" || o.Line != 3) {
			t.Errorf("%s is said to be from %s:%d", o.Key(), o.Source, o.Line)
		}
	}
	if !strings.HasPrefix(r.Manifest, "---\n# Source: web/templates/deployment.yaml\n# A comment.\n---\n# Source: ") &&
		!strings.Contains(r.Manifest, "---\n# Source: web/templates/z-namespace.yaml\napiVersion: v1\nkind: Namespace\n") {
		t.Errorf("manifest is\n%s", r.Manifest)
	}
}

func TestRenderHooks(t *testing.T) {
	t.Parallel()
	r := render(t, web, nil)
	if len(r.Hooks) != 1 || len(r.Tests) != 1 {
		t.Fatalf("%d hooks and %d tests, want one of each", len(r.Hooks), len(r.Tests))
	}
	h := r.Hooks[0]
	want := helm.Hook{
		Object:         h.Object,
		Manifest:       h.Manifest,
		Events:         []helm.Event{helm.PreInstall, helm.PreUpgrade},
		Weight:         -5,
		DeletePolicies: []helm.DeletePolicy{helm.DeleteBeforeCreation, helm.DeleteSucceeded},
		LogPolicies:    []string{"hook-failed"},
	}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("got %+v, want %+v", h, want)
	}
	if h.Object.Key().String() != "Job.batch migrate" || !strings.HasPrefix(h.Manifest, "apiVersion: batch/v1\n") {
		t.Errorf("hook is %s:\n%s", h.Object.Key(), h.Manifest)
	}
	if test := r.Tests[0]; test.Object.GetName() != "test" || !slices.Equal(test.Events, []helm.Event{helm.Test}) {
		t.Errorf("test is %+v", test)
	}
}

func TestRenderValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		values  map[string]any
		want    map[string]string // value by name of a ConfigMap
		without []string          // names of ConfigMaps
	}{
		{"scalars and maps", map[string]any{"replicas": 3.0, "limits": map[string]any{"cpu": 7.0}},
			map[string]string{"replicas": "3", "limits": `{"cpu":7,"memory":2}`}, nil},
		{"null removes a default", map[string]any{"limits": map[string]any{"cpu": nil}},
			map[string]string{"limits": `{"memory":2}`}, nil},
		{"to a subchart", map[string]any{"cache": map[string]any{"size": "big"}, "global": map[string]any{"zone": "b"}},
			map[string]string{"cache": "big 6379 b"}, []string{"second", "tagged"}},
		{"condition off", map[string]any{"cache": map[string]any{"enabled": false}}, nil, []string{"cache"}},
		{"alias", map[string]any{"second": map[string]any{"enabled": true, "size": "tiny"}},
			map[string]string{"cache": "small 6379 a", "second": "tiny 6379 a"}, nil},
		{"tag", map[string]any{"tags": map[string]any{"extra": true}}, map[string]string{"tagged": ""}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before, _ := json.Marshal(tt.values)
			r := render(t, web, tt.values)
			for name, value := range tt.want {
				if got, _ := data(t, r.Objects, name)["value"].(string); got != value {
					t.Errorf("%s is %q, want %q", name, got, value)
				}
			}
			for _, name := range tt.without {
				if slices.Contains(keys(r.Objects), "ConfigMap "+name) {
					t.Errorf("%s is rendered", name)
				}
			}
			if after, _ := json.Marshal(tt.values); string(after) != string(before) {
				t.Errorf("values were changed from %s to %s", before, after)
			}
		})
	}
}

func TestRenderRequest(t *testing.T) {
	t.Parallel()
	r, err := load(t, web).Render(t.Context(), helm.Request{
		ReleaseName:  "r",
		Namespace:    "ns",
		Revision:     4,
		IsUpgrade:    true,
		Capabilities: helm.Capabilities{KubeVersion: "v1.33.1-vendor.2", APIVersions: []string{"v1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"upgrade": "true", "revision": "4", "kube": "v1.33.1-vendor.2", "crds": "false"} {
		if got := data(t, r.Objects, name)["value"]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// A chart may be rendered by many at once; each rendering is like the first,
// whatever the ones before have switched off.
func TestRenderTogether(t *testing.T) {
	t.Parallel()
	c := load(t, web)
	want := render(t, web, nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			off := map[string]any{"cache": map[string]any{"enabled": i%2 == 0}, "second": map[string]any{"enabled": i%3 == 0}}
			if _, err := c.Render(t.Context(), helm.Request{ReleaseName: "r", Namespace: "ns", Values: off}); err != nil {
				t.Error(err)
			}
			got, err := c.Render(t.Context(), helm.Request{ReleaseName: "r", Namespace: "ns"})
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("another result: %v", err)
			}
		})
	}
	wg.Wait()
}

const header = "-- Chart.yaml --\napiVersion: v2\nname: bad\nversion: 0.1.0\n"

func TestRenderErrors(t *testing.T) {
	t.Parallel()
	template := func(text string) string { return header + "-- templates/x.yaml --\n" + text }
	tests := []struct {
		name, chart string
		want        error
		text        string
	}{
		{"nil pointer", template("a: 1\nb: {{ .Values.a.b.c }}\n"),
			&helm.TemplateError{Template: "bad/templates/x.yaml", Line: 2, Column: 13,
				Message: ".Values.a.b.c: nil pointer evaluating interface {}.b", Missing: ".Values.a"},
			"chart bad 0.1.0: bad/templates/x.yaml:2:13: .Values.a.b.c: nil pointer evaluating interface {}.b (.Values.a is not set)"},
		{"missing argument", template("a: {{ upper .Values.a.b }}\n-- values.yaml --\na: {}\n"),
			&helm.TemplateError{Template: "bad/templates/x.yaml", Line: 1, Column: 19,
				Message: ".Values.a.b: wrong type for value; expected string; got interface {}", Missing: ".Values.a.b"}, ""},
		{"in a helper", template("\n\na: {{ include \"h\" . }}\n-- templates/_h.tpl --\n{{ define \"h\" }}\n{{ .Values.image.tag.x }}\n{{ end }}\n"),
			&helm.TemplateError{Template: "bad/templates/_h.tpl", Line: 2, Column: 10,
				Message: ".Values.image.tag.x: nil pointer evaluating interface {}.tag", Missing: ".Values.image",
				Via: "bad/templates/x.yaml:3:6"}, ""},
		{"required", template("a: {{ required \"set the (a): value\" .Values.a }}\n"),
			&helm.TemplateError{Template: "bad/templates/x.yaml", Line: 1, Column: 6, Message: "set the (a): value"}, ""},
		{"fail", template("{{ fail \"no\\nway\" }}\n"),
			&helm.TemplateError{Template: "bad/templates/x.yaml", Line: 1, Column: 3, Message: "no\nway"}, ""},
		{"syntax", template("a: 1\nb: {{ if }}\n"),
			&helm.TemplateError{Template: "bad/templates/x.yaml", Line: 2, Message: "missing value for if"}, ""},
		{"environment", template("a: {{ env \"HOME\" }}\n"),
			&helm.TemplateError{Template: "bad/templates/x.yaml", Line: 1, Message: `function "env" not defined`}, ""},
		{"recursion", template("{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}\n"),
			&helm.TemplateError{}, "rendering template has a nested reference name: a"},
		{"in tpl", template("{{ tpl \"{{ .Values.a.b }}\" . }}\n"),
			&helm.TemplateError{Template: "gotpl", Line: 1, Column: 10, Message: ".Values.a.b: nil pointer evaluating interface {}.b",
				Missing: ".Values.a", Via: "bad/templates/x.yaml:1:3"}, ""},
		{"not YAML", template("apiVersion: v1\nkind: A\nmetadata: {name: a}\nb: [\n---\nkind: B\n"),
			&manifest.DocumentError{Source: "bad/templates/x.yaml", Line: 4, Problem: "did not find expected node content"},
			"x.yaml:6: apiVersion: is missing"},
		{"crds folder", template("") + "-- crds/a.yaml --\na: b\n",
			&manifest.DocumentError{Source: "bad/crds/a.yaml", Line: 1, Field: "apiVersion", Problem: "is missing"}, ""},
		{"annotation", template("{apiVersion: v1, kind: Pod, metadata: {name: a, annotations: {helm.sh/hook-weight: 5}}}"),
			&manifest.DocumentError{Source: "bad/templates/x.yaml", Line: 1, Field: "metadata.annotations.helm.sh/hook-weight",
				Problem: "must be a string: put quotes around it"}, ""},
		{"Kubernetes version", "-- Chart.yaml --\nname: bad\nversion: 0.1.0\nkubeVersion: '<1.10'\n",
			&helm.KubeVersionError{Constraint: "<1.10", Version: helm.DefaultKubeVersion},
			"chart bad 0.1.0: needs Kubernetes <1.10, and the cluster has " + helm.DefaultKubeVersion},
		{"library", "-- Chart.yaml --\nname: bad\nversion: 0.1.0\ntype: library\n", nil, "is a library"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, tt.chart).Render(t.Context(), helm.Request{ReleaseName: "r", Namespace: "ns"})
			var wrapper *helm.ChartError
			if !errors.As(err, &wrapper) || wrapper.Chart != "bad" || wrapper.Version != "0.1.0" {
				t.Fatalf("%v is no ChartError", err)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %q", err, tt.text)
			}
			checkCause(t, err, tt.want)
		})
	}
}

// checkCause checks that err wraps an error of the type of want and, unless
// want is zero, that it is equal.
func checkCause(t *testing.T, err, want error) {
	t.Helper()
	if want == nil {
		return
	}
	target := reflect.New(reflect.TypeOf(want))
	if !errors.As(err, target.Interface()) {
		t.Errorf("%v wraps no %T", err, want)
		return
	}
	got := target.Elem().Interface()
	zero := reflect.DeepEqual(want, reflect.New(reflect.TypeOf(want).Elem()).Interface())
	if !zero && !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %#v\nwant %#v", got, want)
	}
}

// Helm's command refuses a chart that lacks a dependency, and Helm's library
// renders it. There are such charts, and they work.
func TestRenderMissingDependency(t *testing.T) {
	t.Parallel()
	r := render(t, header+"dependencies: [{name: gone, version: 1.x}, {name: away, version: 1.x, condition: away}]\n"+
		"-- values.yaml --\naway: false\n", nil)
	equal(t, "warnings", r.Warnings, []string{"bad requires gone, which is not in its charts folder"})
}

func TestRenderReleaseName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "Upper", strings.Repeat("a", 54), "a_b"} {
		if _, err := load(t, header).Render(t.Context(), helm.Request{ReleaseName: name}); err == nil {
			t.Errorf("release name %q is taken", name)
		}
	}
}

func TestRenderCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := load(t, web).Render(ctx, helm.Request{ReleaseName: "r"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	values := map[string]any{"name": "x"}
	got, _, err := helm.Template{
		Name:   "manifests/a.yaml",
		Text:   `{{ $_ := set .Values "b" "c" }}{{ .Values.name | quote }} {{ .Values.b }} {{ .Release }}`,
		Values: values,
	}.Execute(t.Context())
	if err != nil || got != `"x" c ` {
		t.Errorf("got %q, %v", got, err)
	}
	if !maps.Equal(values, map[string]any{"name": "x"}) {
		t.Errorf("values were changed to %v", values)
	}
	if _, _, err := (helm.Template{Name: "manifests/_a.yaml", Text: "a"}).Execute(t.Context()); err == nil {
		t.Error("a helper is rendered to nothing, without an error")
	}
	_, _, err = helm.Template{Name: "manifests/a.yaml", Text: "a\n{{ .Values.x.y }}\n"}.Execute(t.Context())
	checkCause(t, err, &helm.TemplateError{Template: "manifests/a.yaml", Line: 2, Column: 10,
		Message: ".Values.x.y: nil pointer evaluating interface {}.y", Missing: ".Values.x"})
}

// What a block scalar at the end of a template holds is what Helm applies: with a
// line break in a release, without one in a hook.
func TestRenderLastLine(t *testing.T) {
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\n  annotations: {HOOK: pre-install}\ndata:\n  a: |\n    one\n    two"
	text := ""
	for name, hook := range map[string]string{"plain": "b", "hook": "helm.sh/hook"} {
		text += "-- templates/" + name + ".yaml --\n{{ `" + strings.NewReplacer("NAME", name, "HOOK", hook).Replace(object) + "` }}\n"
	}
	r := render(t, "-- Chart.yaml --\napiVersion: v2\nname: c\nversion: 1.0.0\n"+text, nil)
	data := func(o manifest.Object) string { v, _, _ := unstructured.NestedString(o.Object, "data", "a"); return v }
	if len(r.Objects) != 1 || len(r.Hooks) != 1 {
		t.Fatalf("%d objects, %d hooks", len(r.Objects), len(r.Hooks))
	}
	if object, hook := data(r.Objects[0]), data(r.Hooks[0].Object); object != "one\ntwo\n" || hook != "one\ntwo" {
		t.Errorf("the object holds %q, the hook %q", object, hook)
	}
}
