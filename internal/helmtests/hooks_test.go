package helmtests

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/strata-go/strata/registry/registrytest"
)

const (
	releaseName = "app"
	namespace   = "ns"
	markerName  = "strata-marker"
)

// marker stands for all objects of a release: what happens to it tells hooks
// before from hooks after.
const marker = `apiVersion: v1
kind: ConfigMap
metadata: {name: ` + markerName + `}
data: {text: {{ .Values.global.marker | quote }}}
`

// A testChart is a chart, which of its hooks fails, and whether its tests run.
type testChart struct {
	files []*loader.BufferedFile
	fails string
	tests bool
}

// tested has the tests of the chart run.
func (c testChart) tested() testChart {
	c.tests = true
	return c
}

func newChart(fails string, nameAndContent ...string) testChart {
	c := testChart{fails: fails}
	all := append([]string{
		"Chart.yaml", "apiVersion: v2\nname: hooked\nversion: 1.0.0\n", "values.yaml", "global: {marker: none}\n", "templates/marker.yaml", marker,
	}, nameAndContent...)
	for i := 0; i < len(all); i += 2 {
		c.files = append(c.files, &loader.BufferedFile{Name: all[i], Data: []byte(all[i+1])})
	}
	return c
}

// A step of the life of a release.
type step struct {
	action   string
	text     string // what the values say
	revision int    // to roll back to
}

func (s step) values() map[string]any {
	return map[string]any{"global": map[string]any{"marker": s.text}}
}

var life = []step{{action: "install", text: "one"}, {action: "upgrade", text: "two"}, {action: "rollback", revision: 1}, {action: "uninstall"}}

func TestHooksAsHelm(t *testing.T) {
	t.Parallel()
	server := registrytest.New(t)
	for name, c := range charts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compare(t, newByHelm(t, c, chartutil.DefaultCapabilities), newByStrata(t, server, c))
		})
	}
}

// compare lives the life of a release with both, until it fails.
func compare(t *testing.T, h *byHelm, s *byStrata) {
	t.Helper()
	for _, one := range life {
		want, got := h.do(one), s.do(one)
		if one.action == "uninstall" {
			got = s.withoutLeftovers(got, len(want))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n\t%s\nHelm has\n\t%s", one.action, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
		if slices.Contains(want, "error") || slices.Contains(got, "error") {
			return
		}
	}
}

// Where we differ from Helm, and why. That what hooks leave behind goes with the
// release, which Helm leaves to the user, is another one.
func differences() []struct {
	why          string
	chart        testChart
	step         int
	strata, helm string
} {
	return []struct {
		why          string
		chart        testChart
		step         int
		strata, helm string
	}{
		{
			"an event that is named twice is one event", newChart("", "templates/a.yaml", configMap("a", "pre-install,pre-install", "")), 0,
			"create ConfigMap a, release", "create ConfigMap a, delete ConfigMap a, create ConfigMap a, release",
		},
		{
			"a definition is never deleted, so Helm cannot make it again; it is as it should be", newChart("", "templates/a.yaml", definition), 1,
			"release", "error",
		},
		{
			"after a failure the next try does not begin anew, and may need what was done for it",
			newChart("bad", "templates/a.yaml", configMap("a", "pre-install", policy("hook-succeeded"))+job("bad", "pre-install", "")), 0,
			"create ConfigMap a, create Job bad, failed Job bad, error", "create ConfigMap a, create Job bad, failed Job bad, delete ConfigMap a, error",
		},
		{
			"namespaces and definitions come first: hooks may be in them, and of their kinds",
			newChart("", "templates/a.yaml", configMap("a", "pre-install", ""), "templates/b.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+markerName+"}\n"), 0,
			"release, create ConfigMap a, release", "create ConfigMap a, release, release",
		},
	}
}

func TestDifferencesFromHelm(t *testing.T) {
	t.Parallel()
	server := registrytest.New(t)
	for i, d := range differences() {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			h, s := newByHelm(t, d.chart, chartutil.DefaultCapabilities), newByStrata(t, server, d.chart)
			var want, got []string
			for _, one := range life[:d.step+1] {
				want, got = h.do(one), s.do(one)
			}
			if strings.Join(want, ", ") != d.helm || strings.Join(got, ", ") != d.strata {
				t.Errorf("%s: got\n\t%s\nHelm has\n\t%s", d.why, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		})
	}
}
