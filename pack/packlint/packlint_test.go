package packlint_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/pack/packlint"
)

// dir makes a file system of name, content, name, content, ...
func dir(files ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fsys
}

// chart makes a chart archive.
func chart(t *testing.T, name string, files ...string) string {
	t.Helper()
	files = append(files, "Chart.yaml", "apiVersion: v2\nname: "+name+"\nversion: 1.0.0\n")
	var out bytes.Buffer
	if err := archive.WriteTarGz(&out, dir(files...), name); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// packOf makes a pack of two charts and two manifests.
func packOf(t *testing.T, values string, webFiles ...string) fstest.MapFS {
	t.Helper()
	return dir(
		"pack.json", `{"name": "p", "displayName": "P", "layer": "addon", "version": "1.0.0",
  "charts": ["charts/web.tgz", "charts/db.tgz"], "kubeManifests": ["manifests/a.yaml", "manifests/raw.yaml"]}`,
		"values.yaml", values,
		"charts/web.tgz", chart(t, "web", webFiles...),
		"charts/db.tgz", chart(t, "db", "templates/a.yaml", object("ConfigMap", "db")),
		"manifests/a.yaml", object("ConfigMap", "{{ .Values.name }}"),
		"manifests/raw.yaml", "# {{ somebody else's }}\n",
	)
}

const plain = "pack: {namespace: ns}\ncharts: {web: {}, db: {}}\nmanifests: {a: {name: m}}\n"

func object(kind, name string) string {
	return "apiVersion: v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\n"
}

func pod(name, image string) string {
	return object("Pod", name) + "spec: {containers: [{name: c, image: " + image + "}], initContainers: [{name: i}]}\n"
}

func check(t *testing.T, fsys fstest.MapFS, o packlint.Options) *packlint.Report {
	t.Helper()
	r, err := packlint.Check(t.Context(), fsys, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCheck(t *testing.T) {
	t.Parallel()
	r := check(t, packOf(t, plain,
		"templates/b.yaml", object("Service", "s"),
		"templates/a.yaml", "apiVersion: v1\nkind: List\nmetadata: {name: l, namespace: other}\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: x}}\n- {apiVersion: v1, kind: Pod, metadata: {name: z}}\n",
		"templates/hook.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: h, annotations: {helm.sh/hook: pre-install}}\n",
		"templates/test.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n",
		"crds/c.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: c}\n",
	), packlint.Options{})
	if len(r.Problems) != 0 || !r.OK() || r.Pack.Layer != "addon" {
		t.Errorf("problems: %v", r.Problems)
	}
	web, db := r.Charts[0], r.Charts[1]
	if web.Name != "web" || web.Release != "p-web" || web.Namespace != "ns" || web.Hooks != 2 || web.CRDs != 1 || web.Err != nil ||
		!slices.Equal(web.Objects, []string{"List/other/l", "Service//s"}) {
		t.Errorf("web is %+v", web)
	}
	if db.File != "charts/db.tgz" || !slices.Equal(db.Objects, []string{"ConfigMap//db"}) {
		t.Errorf("db is %+v", db)
	}
	if m := r.Manifests; len(m) != 2 || m[0].File != "manifests/a.yaml" || !slices.Equal(m[0].Objects, []string{"ConfigMap//m"}) || m[1].Objects != nil {
		t.Errorf("manifests are %+v", m)
	}
}

// problemsOf returns the problems of a pack as text.
func problemsOf(r *packlint.Report) string {
	var lines []string
	for _, p := range r.Problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

func TestCheckProblems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		values string
		files  []string
		want   string
	}{
		"broken template": {plain, []string{"templates/a.yaml", "a: 1\nb: {{ .Values.x"},
			`error: charts/web.tgz/web/templates/a.yaml:2: unclosed action`},
		"missing value": {plain, []string{"templates/a.yaml", "\n\na: {{ .Values.image.name }}"},
			`error: charts/web.tgz/web/templates/a.yaml:3:14: .Values.image.name: nil pointer evaluating interface {}.name (.Values.image is not set)`},
		"required value": {plain, []string{"templates/a.yaml", `a: {{ required "set it" .Values.token }}`},
			`error: charts/web.tgz/web/templates/a.yaml:1:7: set it`},
		"schema": {plain, []string{"values.schema.json", `{"required": ["token"], "properties": {"a": {"type": "string"}}}`, "values.yaml", "a: 1"},
			`error: charts/web.tgz/web/values.schema.json: charts.web.a: got number, want string
error: charts/web.tgz/web/values.schema.json: charts.web: missing property 'token'`},
		"schema on the network": {plain, []string{"values.schema.json", `{"$ref": "https://192.0.2.1/s.json"}`},
			`error: charts/web.tgz: chart web 1.0.0: web/values.schema.json refers to https://192.0.2.1/s.json, which is not fetched: what it describes is not checked`},
		"no object": {plain, []string{"templates/a.yaml", "a: 1\n---\nb: 1"},
			`error: charts/web.tgz/web/templates/a.yaml:1: apiVersion: is missing
error: charts/web.tgz/web/templates/a.yaml:1: kind: is missing
error: charts/web.tgz/web/templates/a.yaml:1: metadata.name: is missing
error: charts/web.tgz/web/templates/a.yaml:3: apiVersion: is missing
error: charts/web.tgz/web/templates/a.yaml:3: kind: is missing
error: charts/web.tgz/web/templates/a.yaml:3: metadata.name: is missing`},
		"duplicates": {plain, []string{"templates/a.yaml", object("ConfigMap", "m") + "---\n" + object("ConfigMap", "db")},
			`error: charts/db.tgz/db/templates/a.yaml:1: ConfigMap db is written twice: it is in charts/web.tgz/web/templates/a.yaml:5 too
error: manifests/a.yaml:1: ConfigMap m is written twice: it is in charts/web.tgz/web/templates/a.yaml:1 too`},
		"duplicate by the namespace": {plain, []string{"templates/a.yaml", object("ConfigMap", "m, namespace: ns")},
			`error: manifests/a.yaml:1: ConfigMap m is written twice: it is in charts/web.tgz/web/templates/a.yaml:1 too`},
		"not by another namespace": {plain, []string{"templates/a.yaml", object("ConfigMap", "m, namespace: other")}, ``},
		"kubeVersion":              {plain, []string{"templates/a.yaml", `{{ if ne .Capabilities.KubeVersion.Version "v1.33.0" }}{{ fail "version" }}{{ end }}`}, ``},
		"images": {strings.Replace(plain, "ns}", "ns, content: {images: [{image: nginx}, {image: docker.io/a/b:1}, {image: ghcr.io/op/erand:2}, {image: idle:1}]}}", 1),
			[]string{"templates/a.yaml", pod("x", "docker.io/library/nginx:latest") + "---\n" + pod("w", "a/b:1") + "---\n" + pod("z", "a/c") + "---\n" + object("ConfigMap", "c") + "data: {run: '--image=ghcr.io/op/erand:2'}"},
			`warning: charts/web.tgz/web/templates/a.yaml:11: image a/c is used, and not listed in pack.content.images
info: values.yaml:1: image idle:1 is listed, and nothing that is rendered names it`},
		"no image listed": {plain, []string{"templates/a.yaml", pod("x", "nginx")},
			`info: values.yaml: pack.content.images lists nothing, and 1 images are used`},
		"release name": {strings.Replace(plain, "ns}", "ns, releaseNameOverride: {web: "+strings.Repeat("w", 54)+"}}", 1), nil,
			`error: values.yaml:1:45: pack.releaseNameOverride.web: the release name "` + strings.Repeat("w", 54) + `" of chart web has 54 characters, and Helm allows 53: give it a shorter one here`},
		"values": {"a: [\n", nil, `error: values.yaml:1:1: did not find expected node content`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := check(t, packOf(t, test.values, test.files...), packlint.Options{})
			if got := problemsOf(r); got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
			if r.OK() == strings.Contains(test.want, "error: ") {
				t.Errorf("OK is %t", r.OK())
			}
			if !r.OK() && name != "duplicates" && name != "duplicate by the namespace" && r.Charts[0].Err == nil {
				t.Error("the chart has no error")
			}
		})
	}
}

func TestMacros(t *testing.T) {
	t.Parallel()
	tests := []struct{ macro, want string }{
		{"{{ .spectro.system.cluster.name }}", "x"},
		{"{{ .spectro.system.cluster.name | upper }}", "x"},
		{"{{ .spectro.system.kubernetes.version }}", "1.31.4"},
		{"{{ .spectro.pack.kubernetes.version }}", "1.31.4"},
		{"{{ .spectro.system.kubernetes.version | substr 0 4 }}", "1.31"},
		{"{{ .spectro.var.region }}", "eu-west"},
		{"{{ .spectro.var.region | upper | trunc 2 }}", "EU"},
	}
	for _, test := range tests {
		values := "pack: {namespace: ns}\ncharts: {web: {v: " + test.macro + "}, db: {}}\nmanifests: {a: {name: m}}\n"
		r := check(t, packOf(t, values, "templates/a.yaml", object("ConfigMap", "c, namespace: {{ .Values.v | quote }}")), packlint.Options{
			KubeVersion: "v1.31.4", Macros: map[string]string{"spectro.var.region": "eu-west"},
		})
		if got, want := r.Charts[0].Objects, "ConfigMap/"+test.want+"/c"; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, %s", test.macro, got, problemsOf(r))
		}
	}
}

func TestCheckNoPack(t *testing.T) {
	t.Parallel()
	r := check(t, dir("values.yaml", ""), packlint.Options{})
	if r.Pack != nil || r.OK() || len(r.Problems) != 1 {
		t.Errorf("report is %+v", r)
	}
}

func TestCheckCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := packlint.Check(ctx, packOf(t, plain), packlint.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
