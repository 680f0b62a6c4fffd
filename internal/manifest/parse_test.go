package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/realpacks"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		stream string
		want   []string // "line key" of each object
	}{
		{"nothing", "", nil},
		{"only comments and markers", "# a\n---\n%YAML 1.1\n---\n\n...\n", nil},
		{"null", "null\n---\n~\n", nil},
		{"one", cm("a"), []string{"1 ConfigMap a"}},
		{"byte order mark", "\uFEFF" + cm("a"), []string{"1 ConfigMap a"}},
		{"two", cm("a") + "---\n" + cm("b"), []string{"1 ConfigMap a", "6 ConfigMap b"}},
		{"comment before content", "# licence\n\n" + cm("a"), []string{"3 ConfigMap a"}},
		{"marker with comment", "--- # one\n" + cm("a") + "---   \n" + cm("b"), []string{"2 ConfigMap a", "7 ConfigMap b"}},
		{"content beside the marker", "--- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n", []string{"1 Pod a"}},
		{"document end", cm("a") + "...\n" + cm("b"), []string{"1 ConfigMap a", "6 ConfigMap b"}},
		{"carriage returns", crlf(cm("a") + "---\n" + cm("b")), []string{"1 ConfigMap a", "6 ConfigMap b"}},
		{"JSON", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"n"}}`, []string{"1 Pod n/a"}},
		{"marker in a block scalar",
			cm("a") + "data:\n  x: |\n    one\n    ---\n    two\n---\n" + cm("b"),
			[]string{"1 ConfigMap a", "11 ConfigMap b"}},
		{"dashes that are no marker", cm("a") + "# x\n" + "----: x\n", []string{"1 ConfigMap a"}},
		{"list", "apiVersion: v1\nkind: List\nitems:\n- " + flow("a") + "\n- " + flow("b") + "\n",
			[]string{"1 ConfigMap a", "1 ConfigMap b"}},
		{"empty list", "apiVersion: v1\nkind: List\nitems: []\n", nil},
		{"list in a list", "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List, items: [" + flow("a") + "]}]}",
			[]string{"1 ConfigMap a"}},
		{"typed list", "{apiVersion: v1, kind: ConfigMapList, items: [{metadata: {name: a}}]}", []string{"1 ConfigMap a"}},
		{"custom kind that only sounds like a list",
			"{apiVersion: x.io/v1, kind: AllowList, metadata: {name: a}, spec: {items: []}}", []string{"1 AllowList.x.io a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			objects, err := manifest.Parse("f.yaml", []byte(tt.stream))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range objects {
				got = append(got, fmt.Sprint(o.Line, " ", o.Key()))
				if o.Source != "f.yaml" {
					t.Errorf("%s: source is %q", o.Key(), o.Source)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Scalars must come out as the API server reads them.
func TestParseScalars(t *testing.T) {
	t.Parallel()
	stream := cm("a") + "x: {yes: yes, octal: 0644, int: 9007199254740993, float: 1.5, text: \"1\", date: 2020-01-01, none: null}\n" +
		"block: |\n  a\n  ---\n  b\n"
	objects, err := manifest.Parse("f.yaml", []byte(stream))
	if err != nil {
		t.Fatal(err)
	}
	x := objects[0].Object["x"].(map[string]any)
	want := map[string]any{"true": true, "octal": int64(0o644), "int": int64(9007199254740993), "float": 1.5,
		"text": "1", "date": "2020-01-01", "none": nil}
	for k, v := range want {
		if x[k] != v {
			t.Errorf("%s is %#v, want %#v", k, x[k], v)
		}
	}
	if got, want := objects[0].Object["block"], "a\n---\nb\n"; got != want {
		t.Errorf("block is %q, want %q", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		stream string
		want   []string
	}{
		{"everything missing", "x: 1\n", []string{
			"f.yaml:1: apiVersion: is missing",
			"f.yaml:1: kind: is missing",
			"f.yaml:1: metadata.name: is missing",
		}},
		{"in two documents", cm("a") + "---\n# b\nkind: Pod\nmetadata: {name: b}\n---\napiVersion: v1\nmetadata: {name: c}\n", []string{
			"f.yaml:7: apiVersion: is missing",
			"f.yaml:10: kind: is missing",
		}},
		{"wrong types", "{apiVersion: 1, kind: [], metadata: {name: 5, namespace: 6}}", []string{
			"f.yaml:1: apiVersion: must be a string: put quotes around it",
			"f.yaml:1: kind: must be a string: put quotes around it",
			"f.yaml:1: metadata.name: must be a string: put quotes around it",
			"f.yaml:1: metadata.namespace: must be a string: put quotes around it",
		}},
		{"version", "{apiVersion: a/b/c, kind: A, metadata: {name: a}}", []string{
			`f.yaml:1: apiVersion: must be "version" or "group/version"`,
		}},
		{"generated name", "{apiVersion: v1, kind: Pod, metadata: {generateName: a-}}", []string{
			"f.yaml:1: metadata.name: is missing",
			"f.yaml:1: metadata.generateName: cannot be kept in step: give the object a name",
		}},
		{"annotations", "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: x, annotations: {c: 1, b: true, a: ok}}}", []string{
			"f.yaml:1: metadata.labels: must be a map of strings",
			"f.yaml:1: metadata.annotations.b: must be a string: put quotes around it",
			"f.yaml:1: metadata.annotations.c: must be a string: put quotes around it",
		}},
		{"data", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {c: 1, b: true, a: ok, d: null, e: {f: g}}}", []string{
			"f.yaml:1: data.b: must be a string: put quotes around it",
			"f.yaml:1: data.c: must be a string: put quotes around it",
			"f.yaml:1: data.e: must be a string: put quotes around it",
		}},
		{"no mapping", cm("a") + "---\n- x\n---\ntext\n", []string{
			"f.yaml:6: not a Kubernetes object, which has apiVersion, kind and metadata",
			"f.yaml:8: not a Kubernetes object, which has apiVersion, kind and metadata",
		}},
		{"item of a list", "{apiVersion: v1, kind: List, items: [" + flow("a") + ", {apiVersion: v1, kind: Pod, metadata: {}}, 5]}", []string{
			"f.yaml:1: items[1].metadata.name: is missing",
			"f.yaml:1: items[2]: not a Kubernetes object, which has apiVersion, kind and metadata",
		}},
		{"syntax", "# x\n" + cm("a") + "---\n\nkind: A\nmetadata: {name: a}\ndata: [1\n---\n" + cm("b") + "   c: d\n", []string{
			"f.yaml:10: did not find expected ',' or ']'",
			"f.yaml:16: mapping values are not allowed in this context",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			objects, err := manifest.Parse("f.yaml", []byte(tt.stream))
			if objects != nil {
				t.Errorf("got objects beside an error: %v", objects)
			}
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.Split(err.Error(), "\n"); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if doc := new(manifest.DocumentError); !errors.As(err, &doc) || doc.Source != "f.yaml" {
				t.Errorf("%T is no DocumentError of f.yaml", err)
			}
		})
	}
}

func TestParseAt(t *testing.T) {
	t.Parallel()
	objects, err := manifest.ParseAt("f.yaml", 100, []byte("\n"+cm("a")))
	if err != nil || len(objects) != 1 || objects[0].Line != 101 {
		t.Errorf("got %v, %v, want one object at line 101", objects, err)
	}
	_, err = manifest.ParseAt("f.yaml", 100, []byte("a: 1\nb: c: d\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "f.yaml:101: ") {
		t.Errorf("got %v, want an error at line 101", err)
	}
}

// The API server reads null as the empty string, and so do we.
func TestParseNullMetadata(t *testing.T) {
	t.Parallel()
	objects, err := manifest.Parse("f.yaml",
		[]byte("{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: null, labels: null, annotations: {a: null}}}"))
	if err != nil {
		t.Fatal(err)
	}
	o := objects[0]
	if v, ok := o.GetAnnotations()["a"]; !ok || v != "" {
		t.Errorf("annotations are %v, want a key with no text", o.GetAnnotations())
	}
	meta := o.Object["metadata"].(map[string]any)
	for _, key := range []string{"labels", "namespace"} {
		if _, has := meta[key]; has {
			t.Errorf("null %s is kept", key)
		}
	}
}

func TestParsePacks(t *testing.T) {
	t.Parallel()
	packs := realpacks.Dir(t)
	data, err := os.ReadFile(filepath.Join(packs, "multus-3.9.0/manifests/multus-daemonset-thick-plugin.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	objects, err := manifest.Parse("multus.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range manifest.Order(objects) {
		got = append(got, o.GetKind())
	}
	want := []string{"CustomResourceDefinition", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "DaemonSet"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(cm("a") + "---\n" + crlf(cm("b"))))
	f.Add([]byte("\uFEFF--- {kind: List, items: [" + flow("a") + "]}\n..."))
	f.Add([]byte("a: &a [*a]\n---\n? - \n%"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		objects, err := manifest.Parse("f", stream)
		if err != nil && objects != nil {
			t.Error("objects beside an error")
		}
		lines := strings.Count(string(stream), "\n") + 1
		for _, o := range objects {
			if o.GetName() == "" || o.GetKind() == "" || o.GetAPIVersion() == "" {
				t.Errorf("object without identity: %v", o)
			}
			if o.Line < 1 || o.Line > lines {
				t.Errorf("line %d of %d", o.Line, lines)
			}
			o.DeepCopy() // panics on values that JSON does not have
		}
	})
}

func cm(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n"
}

func flow(name string) string {
	return "{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + "}}"
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
