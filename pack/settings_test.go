package pack_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
)

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var values map[string]any
	if err := yaml.Unmarshal([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

func TestReadSettings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		values string
		want   pack.Settings
	}{
		"nothing":      {"", pack.Settings{}},
		"empty block":  {"pack:\ncharts: {pack: {namespace: no}}", pack.Settings{}},
		"only nothing": {"pack: {namespace: , content: , namespaceLabels: }", pack.Settings{}},
		"all": {`
pack:
  namespace: web
  additionalNamespaces: "a, b,"
  namespaceLabels:
    web: "pod-security.kubernetes.io/enforce=privileged, team = core,"
    other: "empty="
  namespaceAnnotations: {web: "note=a=b"}
  releaseNameOverride: {nginx: front}
  spectrocloud.com/install-priority: "-5"
  spectrocloud.com/display-name: Web
  content:
    images: [{image: "a:1"}, {image: "b:2"}]
    charts: [{repo: x, name: web, version: 1.5}]
  unknown: {}
readinessCheck:
  v1beta1:
  - {name: c, kind: Web, group: acme.io, version: v1, keysToCheck: [{keyToCheck: "status.conditions[0].status", expectedValue: true}]}
`, pack.Settings{
			Namespace:            "web",
			AdditionalNamespaces: []string{"a", "b"},
			NamespaceLabels: map[string]map[string]string{
				"web":   {"pod-security.kubernetes.io/enforce": "privileged", "team": "core"},
				"other": {"empty": ""},
			},
			NamespaceAnnotations: map[string]map[string]string{"web": {"note": "a=b"}},
			ReleaseNames:         map[string]string{"nginx": "front"},
			InstallOrder:         -5, HasInstallOrder: true,
			DisplayName:  "Web",
			Images:       []string{"a:1", "b:2"},
			ListedCharts: []pack.ChartRef{{Repository: "x", Name: "web", Version: "1.5"}},
			Readiness: []layer.Check{{Name: "c", Kind: "Web", Group: "acme.io", Version: "v1",
				Fields: []layer.Expectation{{Path: "status.conditions[0].status", Value: "true"}}}},
		}},
		"namespaces as list": {"pack: {additionalNamespaces: [a, b]}", pack.Settings{AdditionalNamespaces: []string{"a", "b"}}},
		"namespaces as map":  {"pack: {additionalNamespaces: {b: x, a: }}", pack.Settings{AdditionalNamespaces: []string{"a", "b"}}},
		"labels as map": {"pack: {namespaceLabels: {n: {k: v}}}",
			pack.Settings{NamespaceLabels: map[string]map[string]string{"n": {"k": "v"}}}},
		"order zero":    {"pack: {spectrocloud.com/install-priority: 0}", pack.Settings{HasInstallOrder: true}},
		"order as real": {"pack: {spectrocloud.com/install-priority: 2.0}", pack.Settings{InstallOrder: 2, HasInstallOrder: true}},
		"order at root": {"pack.spectrocloud.com/install-priority: 3", pack.Settings{InstallOrder: 3, HasInstallOrder: true}},
		"order in both": {"pack: {spectrocloud.com/install-priority: 1}\npack.spectrocloud.com/install-priority: 2",
			pack.Settings{InstallOrder: 1, HasInstallOrder: true}},
		"misspelt image": {"pack: {content: {images: [{iamge: a}, {image: b}]}}", pack.Settings{Images: []string{"b"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := pack.ReadSettings(parse(t, test.values))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
	t.Run("JSON number", func(t *testing.T) {
		t.Parallel()
		got, err := pack.ReadSettings(map[string]any{"spectrocloud.com/install-priority": json.Number("7")})
		if err != nil || got.InstallOrder != 7 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestReadSettingsReportsAll(t *testing.T) {
	t.Parallel()
	_, err := pack.ReadSettings(parse(t, `
pack:
  namespace: 7
  additionalNamespaces: 1
  namespaceLabels: {a: "k", b: "=v", c: 1}
  namespaceAnnotations: x
  releaseNameOverride: [a]
  content: {images: [a, {image: 1}], charts: x}
  spectrocloud.com/install-priority: first
  spectrocloud.com/display-name: 1
readinessCheck: {v1beta1: [{name: c, version: v1}]}
`))
	const want = `pack.namespace: want a string, not int
pack.additionalNamespaces: want names with commas between them, not int
pack.namespaceLabels.a: want key=value with commas between them, not "k"
pack.namespaceLabels.b: want key=value with commas between them, not "=v"
pack.namespaceLabels.c: want a map, not int
pack.namespaceAnnotations: want a map, not string
pack.releaseNameOverride: want a map, not []interface {}
pack.spectrocloud.com/install-priority: want a whole number, not first
pack.spectrocloud.com/display-name: want a string, not int
pack.content.images[0]: want a map, not string
pack.content.images[1].image: want a string, not int
pack.content.charts: want a list, not string
readinessCheck.v1beta1[0].kind: required, but missing`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	var e *pack.Error
	if !errors.As(err, &e) || e.Field != "pack.namespace" {
		t.Errorf("first error: %+v", e)
	}
}

func TestReadSettingsOrderBounds(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"1.5", ".inf", "1e300", "18446744073709551615", "true", "[1]", "'1x'"} {
		got, err := pack.ReadSettings(parse(t, "pack: {spectrocloud.com/install-priority: "+v+"}"))
		if err == nil || !strings.Contains(err.Error(), "whole number") {
			t.Errorf("%s: got %d, %v", v, got.InstallOrder, err)
		}
	}
}
