package profile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// chartArchive returns the chart web as packs hold it.
func chartArchive(t *testing.T, files ...[2]string) []byte {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, f := range files {
		fsys[f[0]] = &fstest.MapFile{Data: []byte(f[1])}
	}
	var b bytes.Buffer
	if err := archive.WriteTarGz(&b, fsys, "web"); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shop has a pack whose values come from everywhere.
func shop(t *testing.T) (*profile.Profile, profile.Content) {
	t.Helper()
	p, err := profile.Parse([]byte(`apiVersion: strata.dev/v1alpha1
kind: ClusterProfile
metadata: {name: shop}
spec:
  version: 2.0.0
  type: add-on
  variables:
  - {name: replicas, format: number, default: "2"}
  - {name: token, sensitive: true, default: "12345678"}
  layers:
  - name: shop
    pack: {name: a}
    presets: {size: large}
    values: |
      # ours
      charts:
        web:
          replicas: {{ .spectro.var.replicas }}
          token: {{ .spectro.var.token }}
          hosts: [shop]
          old: null
`))
	if err != nil {
		t.Fatal(err)
	}
	tgz := chartArchive(t,
		[2]string{"Chart.yaml", "name: web\nversion: 1.0.0\ndependencies:\n- {name: redis, alias: cache}\n"},
		[2]string{"values.yaml", "replicas: 1\nhosts: [a, b]\nold: 1\nmemory: 1Gi\nenabled: yes\ncache:\n  port: 6379\n"},
		[2]string{"charts/redis/Chart.yaml", "name: redis\nversion: 1.0.0\n"},
		[2]string{"charts/redis/values.yaml", "port: 1\n"},
	)
	files := fstest.MapFS{
		"pack.json":      {Data: []byte(`{"name": "a", "displayName": "x", "version": "1.0.0", "layer": "addon", "charts": ["charts/web.tgz"]}`)},
		"values.yaml":    {Data: []byte("charts:\n  web:\n    replicas: 3\n    memory: 2Gi\n    debug: {level: 1}\n")},
		"presets.yaml":   {Data: []byte("presets:\n- name: large\n  displayName: Large\n  group: size\n  remove: [charts.web.debug]\n  add: |\n    charts:\n      web:\n        memory: 8Gi\n")},
		"schema.yaml":    {Data: []byte("charts.web.memory:\n  schema: '{{ required | format \"${string:/^[0-9]+Gi$/}\" }}'\ncharts.web.replicas:\n  schema: '{{ format \"${number:[1-5]}\" }}'\n")},
		"charts/web.tgz": {Data: tgz},
	}
	return p, func(layer.Pin) (fs.FS, error) { return files, nil }
}

func TestExplain(t *testing.T) {
	t.Parallel()
	p, content := shop(t)
	s := &profile.Stack{
		Profiles:  []*profile.Profile{p},
		Variables: map[string]string{"replicas": "4"},
		Overrides: []profile.Override{{Layer: "shop", Values: "charts:\n  web:\n    hosts: [mine]\n"}},
	}
	d := resolve(t, s)
	for _, tt := range []struct{ path, want string }{
		{"charts.web.replicas", `shop: charts.web.replicas = 4
  set by profile shop@2.0.0 line 18: 4
    {{ .spectro.var.replicas }} = "4", by variable replicas of the cluster
  over pack a (values.yaml) line 3: 3
  over chart web (charts/web.tgz:values.yaml) line 1: 1
`},
		{"charts.web.hosts", `shop: charts.web.hosts = ["mine"]
  set by override shop line 3: ["mine"]
  over profile shop@2.0.0 line 20: ["shop"]
  over chart web (charts/web.tgz:values.yaml) line 2: ["a","b"]
`},
		{"charts.web.old", `shop: charts.web.old is not set
  set by profile shop@2.0.0 line 21: removed
  over chart web (charts/web.tgz:values.yaml) line 3: 1
`},
		{"charts.web.memory", `shop: charts.web.memory = "8Gi"
  set by preset size:large (presets.yaml) line 3: "8Gi"
  over pack a (values.yaml) line 4: "2Gi"
  over chart web (charts/web.tgz:values.yaml) line 4: "1Gi"
`},
		{"charts.web.debug.level", `shop: charts.web.debug.level is not set
  set by preset size:large (presets.yaml): removed
  over pack a (values.yaml) line 5: 1
`},
		{"charts.web.cache.port", `shop: charts.web.cache.port = 6379
  set by chart web (charts/web.tgz:values.yaml) line 7: 6379
  over chart redis (charts/web.tgz:charts/redis/values.yaml) line 1: 1
`},
		{"charts.web.enabled", "shop: charts.web.enabled = true\n  set by chart web (charts/web.tgz:values.yaml) line 5: true\n"},
		{"charts.web.none", "shop: charts.web.none is not set\n"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			t.Parallel()
			e, err := d.Explain(content, "shop", tt.path)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.String(); got != tt.want {
				t.Errorf("the explanation is\n%swant\n%s", got, tt.want)
			}
		})
	}
	e, err := d.Explain(content, "shop", "charts.web")
	if text := fmt.Sprint(e); err != nil || strings.Contains(text, "12345678") || !strings.Contains(text, "(sensitive)") {
		t.Errorf("a number that is secret: %v\n%s", err, text)
	}
	if e, err := d.Explain(nil, "shop", "charts.web.memory"); err != nil || e.Set {
		t.Errorf("without content: %v, %v", e, err)
	}
	if _, err := d.Explain(content, "shp", "x"); !errors.Is(err, profile.ErrInvalid) || !strings.Contains(err.Error(), `did you mean "shop"?`) {
		t.Errorf("an unknown layer: %v", err)
	}
}

func TestMergedValues(t *testing.T) {
	t.Parallel()
	p, content := shop(t)
	l, err := withContent(resolve(t, &profile.Stack{Profiles: []*profile.Profile{p}}), "shop", content)
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.MergedValues()
	want := map[string]any{"charts": map[string]any{"web": map[string]any{
		"replicas": float64(2), "token": float64(12345678), "hosts": []any{"shop"}, "memory": "8Gi", "enabled": true,
		"cache": map[string]any{"port": float64(6379)},
	}}}
	if err != nil || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
		t.Errorf("MergedValues = %#v, %v, want %#v", got, err, want)
	}
}

func TestContentIsChecked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		override, want string
		presets        map[string]string
	}{
		{"charts: {web: {memory: lots}}", `layer "shop": value charts.web.memory: `, nil},
		{"charts: {web: {memory: null, replicas: 9}}", `layer "shop": value charts.web.replicas: `, nil},
		{"charts: {web: {memory: null, replicas: 9}}", "charts.web.memory: required, but not set", nil},
		{"", `preset group "size" has no preset "huge"`, map[string]string{"size": "huge"}},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			p, content := shop(t)
			if tt.presets != nil {
				p.Layers[0].Presets = tt.presets
			}
			d := resolve(t, &profile.Stack{Profiles: []*profile.Profile{p}, Overrides: []profile.Override{{Layer: "shop", Values: tt.override}}})
			if _, err := withContent(d, "shop", content); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestHelmChartDefaults(t *testing.T) {
	t.Parallel()
	p := &profile.Profile{Name: "x", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{
		{Name: "web", Source: layer.Source{Helm: &layer.Helm{Chart: "web"}}, Values: "a: {b: 2}\n"},
	}}
	content := func(layer.Pin) (fs.FS, error) {
		return fstest.MapFS{
			"Chart.yaml":             {Data: []byte("name: web\n")},
			"values.yaml":            {Data: []byte("a: {b: 1, c: 1}\n")},
			"charts/sub/Chart.yaml":  {Data: []byte("name: sub\n")},
			"charts/sub/values.yaml": {Data: []byte("d: 1\n")},
		}, nil
	}
	l, err := withContent(resolve(t, &profile.Stack{Profiles: []*profile.Profile{p}}), "web", content)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := l.MergedValues(); err != nil || fmt.Sprint(got) != "map[a:map[b:2 c:1] sub:map[d:1]]" {
		t.Errorf("MergedValues = %v, %v", got, err)
	}
}
