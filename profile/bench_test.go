package profile_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/profile"
)

const (
	benchLayers   = 100
	benchLines    = 2000 // of values in each layer
	benchPerFile  = 100  // layers of one profile
	macrosPerFile = 20   // in the values of a layer
)

// benchFiles returns profiles with that many layers together. Their values are
// written out, not as text, and are like those of charts: nested, with lists,
// quotes, comments and some macros.
func benchFiles(layers, lines int) []string {
	var files []string
	for at := 0; at < layers; at += benchPerFile {
		var b strings.Builder
		fmt.Fprintf(&b, "apiVersion: strata.dev/v1alpha1\nkind: ClusterProfile\nmetadata: {name: p%d}\nspec:\n  version: 1.0.0\n  type: add-on\n", at)
		b.WriteString("  variables:\n  - {name: replicas, default: \"2\"}\n  layers:\n")
		for i := at; i < min(at+benchPerFile, layers); i++ {
			fmt.Fprintf(&b, "  - name: l%d\n    namespace: n%d\n    helm: {chart: c%d, version: 1.x}\n    values:\n%s", i, i, i, benchValues(i, lines))
		}
		files = append(files, b.String())
	}
	return files
}

// benchValues are those of the n-th layer; no two layers have the same.
func benchValues(n, lines int) string {
	var b strings.Builder
	for i := 0; i < lines; i += 10 {
		replicas := "3"
		if i%(lines/macrosPerFile) == 0 {
			replicas = "{{ .spectro.var.replicas }}"
		}
		fmt.Fprintf(&b, `      # Component %[1]d of %[3]d.
      component%[1]d:
        replicas: %[2]s
        image: {repository: "registry.example.com/team/component%[1]d", tag: 1.2.%[1]d}
        args:
        - --log-level=info
        - --name=component%[1]d.%[3]d
        resources:
          requests: {cpu: 100m, memory: 128Mi}
          limits: {memory: "256Mi"} # enough
`, i, replicas, n)
	}
	return b.String()
}

func parseFiles(tb testing.TB, files []string) []*profile.Profile {
	tb.Helper()
	profiles := make([]*profile.Profile, len(files))
	for i, file := range files {
		var err error
		if profiles[i], err = profile.Parse([]byte(file)); err != nil {
			tb.Fatal(err)
		}
	}
	return profiles
}

func resolveFiles(tb testing.TB, profiles []*profile.Profile) {
	tb.Helper()
	s, err := profile.Compose(profiles...)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := s.Resolve(tb.Context(), anything{}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if !strings.Contains(d.Layers()[0].Values, "replicas: 2\n") {
		tb.Fatal("the macros are not bound")
	}
}

// onlyYAML does no more than to parse the files as YAML.
func onlyYAML(tb testing.TB, files []string) {
	tb.Helper()
	for _, file := range files {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(strings.ReplaceAll(file, "{{ .spectro.var.replicas }}", "2")), &n); err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkOnlyYAML(b *testing.B) {
	files := benchFiles(benchLayers, benchLines)
	for b.Loop() {
		onlyYAML(b, files)
	}
}

func BenchmarkParse(b *testing.B) {
	files := benchFiles(benchLayers, benchLines)
	for b.Loop() {
		parseFiles(b, files)
	}
}

func BenchmarkComposeAndResolve(b *testing.B) {
	profiles := parseFiles(b, benchFiles(benchLayers, benchLines))
	for b.Loop() {
		resolveFiles(b, profiles)
	}
}

func BenchmarkCompare(b *testing.B) {
	files := benchFiles(benchLayers, benchLines)
	was, is := parseFiles(b, files)[0], parseFiles(b, []string{strings.ReplaceAll(files[0], "--log-level=info", "--log-level=debug")})[0]
	for b.Loop() {
		if profile.Compare(was, is).Empty() {
			b.Fatal("nothing differs")
		}
	}
}

// BenchmarkWhole parses, composes, binds and resolves, and reports how that
// compares to only parsing the same YAML.
func BenchmarkWhole(b *testing.B) {
	files := benchFiles(benchLayers, benchLines)
	var whole, yamlOnly time.Duration
	for b.Loop() {
		began := time.Now()
		resolveFiles(b, parseFiles(b, files))
		whole += time.Since(began)
		b.StopTimer()
		began = time.Now()
		onlyYAML(b, files)
		yamlOnly += time.Since(began)
		b.StartTimer()
	}
	b.ReportMetric(float64(whole)/float64(yamlOnly), "x-of-YAML")
}

// BenchmarkSlope reports the exponent with which the cost grows from 10 to
// 1,000 layers: 1 is linear, 2 quadratic.
func BenchmarkSlope(b *testing.B) {
	const few, many, lines = 10, 1000, 200
	small, large := benchFiles(few, lines), benchFiles(many, lines)
	var fast, slow time.Duration
	for b.Loop() {
		began := time.Now()
		for range 10 { // long enough to be measured
			resolveFiles(b, parseFiles(b, small))
		}
		fast += time.Since(began) / 10
		began = time.Now()
		resolveFiles(b, parseFiles(b, large))
		slow += time.Since(began)
	}
	b.ReportMetric(math.Log10(float64(slow)/float64(fast))/math.Log10(float64(many)/few), "slope")
}
