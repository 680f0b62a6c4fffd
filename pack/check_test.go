package pack_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/pack"
)

// chart makes a chart archive of name, content, name, content, ...
func chart(t *testing.T, name string, files ...string) string {
	t.Helper()
	if !slices.Contains(files, "Chart.yaml") {
		files = append(files, "Chart.yaml", "apiVersion: v2\nname: "+name+"\nversion: 1.0.0\n")
	}
	var out bytes.Buffer
	if err := archive.WriteTarGz(&out, dir(files...), name); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const checked = `{
  "name": "p", "displayName": "P", "layer": "addon", "version": "1.0.0",
  "charts": ["charts/web.tgz"], "kubeManifests": ["manifests/m.yaml"]
}`

const webValues = `replicas: 1
image: {name: web}
labels: {}
free: {a: 1}
looked: {a: 1}
handed: {a: 1}
sub: {port: 1}
`

const webTemplate = `{{- $top := . -}}
{{/* .Values.commented */}}
a: {{ .Values.replicas }}
b: {{ $top.Values.viaVariable }}
c: {{ toYaml .Values.free }}
d: {{ if .Values.looked }}x{{ end }}{{ .Values.looked.deep }}
e: {{ include "x" (dict "v" .Values.handed) }}
f: {{ index .Values "by-index" }}
g: {{ with .Values.inWith }}{{ .inner }}{{ end }}
{{- define "x" }}{{ .v.inHelper }}{{ end }}
`

// checkChart returns the problems of a pack with one chart and these values.
func checkChart(t *testing.T, values string, more ...string) []string {
	t.Helper()
	web := chart(t, "web", append([]string{"values.yaml", webValues, "templates/a.yaml", webTemplate,
		"charts/sub/Chart.yaml", "name: sub\nversion: 1.0.0\n", "charts/sub/values.yaml", "own: 1\n",
		"charts/sub/templates/a.yaml", "{{ .Values.read }}"}, more...)...)
	_, problems := pack.Check(dir("pack.json", checked, "values.yaml", values, "charts/web.tgz", web,
		"manifests/m.yaml", "a: {{ .Values.used }}\n"))
	var texts []string
	for _, p := range problems {
		if p.Message != "" && p.Severity != pack.SeverityInfo {
			texts = append(texts, p.String())
		}
	}
	return texts
}

func TestCheckDeadValues(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ values, want string }{ // the path of what is dead; "" is nothing
		"default":              {"charts: {web: {replicas: 2}}", ""},
		"read by a template":   {"charts: {web: {viaVariable: 2, by-index: 1}}", ""},
		"not read":             {"charts: {web: {replica: 2}}", "charts.web.replica"},
		"only in a comment":    {"charts: {web: {commented: 2}}", "charts.web.commented"},
		"global":               {"charts: {web: {global: {x: 1}}}", ""},
		"second level":         {"charts: {web: {image: {nmae: x}}}", "charts.web.image.nmae"},
		"second level default": {"charts: {web: {image: {name: x}}}", ""},
		"empty default":        {"charts: {web: {labels: {x: 1}}}", ""},
		"read as a whole":      {"charts: {web: {free: {b: 1}}}", ""},
		"condition only":       {"charts: {web: {looked: {b: 1}}}", "charts.web.looked.b"},
		"read below condition": {"charts: {web: {looked: {deep: 1}}}", ""},
		"read by a helper":     {"charts: {web: {handed: {inHelper: 1}}}", ""},
		"not by the helper":    {"charts: {web: {handed: {b: 1}}}", "charts.web.handed.b"},
		"in with":              {"charts: {web: {inWith: {inner: 1}}}", ""},
		"subchart":             {"charts: {web: {sub: {own: 1, port: 1, read: 1}}}", ""},
		"subchart, not read":   {"charts: {web: {sub: {other: 1}}}", "charts.web.sub.other"},
		"read by values":       {"charts: {web: {free: {t: '{{ .Values.replica }}'}, replica: 2}}", ""},
		"other chart name":     {"charts: {wbe: {replicas: 2}}", "charts.wbe"},
		"straight in charts":   {"charts: {replicas: 2}", "charts.replicas"},
		"at the root":          {"replicas: 2", "replicas"},
		"under its own name":   {"web: {replicas: 2}", "web"},
		"another root key":     {"feeds: {a: macro}", ""},
		"manifest":             {"manifests: {m: {used: 1}}", ""},
		"manifest, not read":   {"manifests: {m: {unused: 1}}", "manifests.m.unused"},
		"no such manifest":     {"manifests: {other: {used: 1}}", "manifests.other"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := checkChart(t, "pack: {namespace: ns}\n"+test.values+"\n")
			switch {
			case test.want == "" && len(got) > 0:
				t.Errorf("got %q", got)
			case test.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], "warning: values.yaml:2:") ||
				!strings.Contains(got[0], ": "+test.want+": nobody reads it")):
				t.Errorf("got %q; want %s", got, test.want)
			}
		})
	}
}

// A template that reads all values, or hands them on, keeps keys alive.
func TestCheckDeadValuesNotSure(t *testing.T) {
	t.Parallel()
	const values = "pack: {namespace: ns}\ncharts: {web: {helped: 1, other: {x: 1}}}\n"
	for template, want := range map[string]int{
		"{{ toYaml .Values }}":       0,
		"{{ range .Values }}{{end}}": 0,
		`{{ include "h" .Values }}{{ define "h" }}{{ .helped }}{{ end }}`: 1, // not "other"
		`{{ $v := .Values }}{{ $v.helped }}{{ $v.other.x }}`:              0,
		`{{ .Values.helped }`: 0, // broken: rendering says so
	} {
		if got := checkChart(t, values, "templates/b.yaml", template); len(got) != want {
			t.Errorf("%s: got %q", template, got)
		}
	}
}

// Everything is reported at once.
func TestCheckReportsAll(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 60)
	p, problems := pack.Check(dir(
		"pack.json", `{
  "name": "p", "displayName": "P", "layer": "addon", "version": "v1.0.0", "eol": "soon",
  "annotations": {"system_state": "deprecated"},
  "charts": ["charts/gone.tgz", "charts/web.tgz", "charts/bad.tgz"],
  "constraints": {"dependencies": [{"packName": "a", "layer": "addon"},
    {"packName": "b", "layer": "k8s", "type": "required", "minVersion": "2.0", "maxVersion": "1.0"},
    {"packName": "c", "layer": "k8s", "type": "optional", "minVersion": "new"}],
    "resources": [{"type": "gpu"}, {"type": "cpu", "components": [{"resourceRequestParamRef": "charts.web.cpu"}]}]}
}`,
		"values.yaml", "pack:\n  additionalNamespaces: Web\n  releaseNameOverride:\n    web: "+long+"\ncharts:\n  web:\n    password: ''\n    kind: C\n",
		"charts/web.tgz", chart(t, "web", "values.yaml", "password: x\nkind: A\n"),
		"charts/bad.tgz", "bad",
		"charts/more.tgz", "",
		"presets.yaml", "presets:\n- {name: a, add: 'x: ['}\n- {name: b, remove: [x.y]}\n",
		"schema.yaml", "charts.web.password: {schema: '{{ required }}'}\ncharts.web.kind: {schema: '{{ format \"${list:[A,B]}\" }}'}\nx: {schema: '{{ required }}'}\n",
	))
	if p == nil || p.Name != "p" {
		t.Fatalf("pack is %v", p)
	}
	texts(t, problems,
		`error: charts/bad.tgz: archive: the archive ends too early`,
		`info: charts/more.tgz: pack.json does not list this chart`,
		`warning: pack.json: constraints.resources[0].type: "gpu" is not known, and has no effect: want cpu, memory or diskSize`,
		`warning: pack.json: eol: "soon" is not a date: want yyyy-MM-dd`,
		`info: pack.json: version: "v1.0.0" begins with "v", which the public catalogue refuses`,
		`warning: pack.json: constraints.dependencies[0]: has no type, and so no effect: want required, optional, notSupported or upgrade`,
		`error: pack.json: constraints.dependencies[1]: minVersion 2.0 is above maxVersion 1.0`,
		`error: pack.json: constraints.dependencies[2]: minVersion: version "new": want two or three numbers`,
		`info: pack.json: annotations: the pack is deprecated`,
		`error: pack.json:4:14: charts[0]: file "charts/gone.tgz": file does not exist`,
		`error: presets.yaml:2:3: presets[0].add: line 1 of it: did not find expected node content`,
		`warning: presets.yaml:3:1: preset "b" removes x.y, which neither the values nor any preset has`,
		`warning: schema.yaml:3:1: x: neither the values nor any preset has this value`,
		`warning: values.yaml:1:1: pack.namespace: there is no namespace: what names none goes to "default" if the layer does not say`,
		`error: values.yaml:2:3: pack.additionalNamespaces: "Web" cannot name a namespace: want up to 63 lower-case letters, digits and hyphens`,
		`error: values.yaml:4:5: pack.releaseNameOverride.web: the release name "`+long+`" of chart web has 60 characters, and Helm allows 53: give it a shorter one here`,
		`warning: values.yaml:6:3: charts.web.cpu: required by the pack's resource constraints, but missing`,
		`info: values.yaml:7:5: charts.web.password: required, but not set`,
		`warning: values.yaml:8:5: charts.web.kind: want one of A, B`,
	)
}

func TestCheckReleases(t *testing.T) {
	t.Parallel()
	two := strings.Replace(checked, `"charts/web.tgz"`, `"charts/a.tgz", "charts/b.tgz"`, 1)
	_, problems := pack.Check(dir("pack.json", two, "manifests/m.yaml", "", "charts/a.tgz", chart(t, "a"), "charts/b.tgz", chart(t, "b"),
		"values.yaml", "pack: {namespace: ns, releaseNameOverride: {a: x, b: x, bb: z}}\ncharts: {a: {}, b: }\n"))
	texts(t, problems,
		`error: values.yaml:1:51: pack.releaseNameOverride.b: charts/a.tgz and charts/b.tgz have the same release name "x"`,
		`warning: values.yaml:1:57: pack.releaseNameOverride.bb: has no effect: no chart of the pack is called "bb", did you mean "b"?`,
		`info: values.yaml:2:17: charts.b: there is no such block: the chart has its own values`)
}

func TestCheckUnreadable(t *testing.T) {
	t.Parallel()
	for name, files := range map[string][]string{
		"no pack.json": {"values.yaml", ""},
		"no JSON":      {"pack.json", "{"},
	} {
		if p, problems := pack.Check(dir(files...)); p != nil || len(problems) != 1 || problems[0].Severity != pack.SeverityError {
			t.Errorf("%s: %v, %v", name, p, problems)
		}
	}
	p, problems := pack.Check(dir("pack.json", checked, "values.yaml", "a: 1\nb: [\n"))
	lines := []int{}
	for _, problem := range problems {
		lines = append(lines, problem.Line)
	}
	if p == nil || !slices.Contains(lines, 3) {
		t.Errorf("%v", problems)
	}
}
