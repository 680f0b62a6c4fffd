package strictyaml

import (
	"errors"
	"reflect"
	"testing"
)

type inner struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

type outer struct {
	Version string            `json:"version"`
	Values  string            `json:"values" strict:"document"`
	On      bool              `json:"on"`
	Labels  map[string]string `json:"labels"`
	Items   []inner           `json:"items"`
	Ptr     *inner            `json:"ptr"`
	inner   `json:",inline"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	const doc = `
version: 1.10
name: embedded
on: true
labels: {a: "1", b: yes}
items:
- name: first
  size: 3
ptr: {name: second}
values:
  # a comment
  replicas: 2
`
	var got outer
	positions, err := Decode([]byte(doc), &got)
	if err != nil {
		t.Fatal(err)
	}
	want := outer{
		Version: "1.10", Values: "# a comment\nreplicas: 2\n", On: true, Labels: map[string]string{"a": "1", "b": "yes"},
		Items: []inner{{"first", 3}}, Ptr: &inner{Name: "second"}, inner: inner{Name: "embedded"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Decode gives\n%+v, want\n%+v", got, want)
	}
	if at := positions.Nearest("items[0].size.unit"); at != (Position{8, 9}) {
		t.Errorf("items[0].size is at %v, want 8:9", at)
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, doc, want string }{
		{"empty", "", "document is empty"},
		{"two documents", "on: true\n---\non: false\n", "more than one document; put each into a file of its own"},
		{"syntax", "a: [1\nb: 2", "1:1: invalid YAML: did not find expected ',' or ']'"},
		{"unknown field", "version: 1\nitmes: []\n", `2:1: itmes: unknown field, did you mean "items"? (known: version, values, on, labels, items, ptr, name, size)`},
		{"given twice", "on: true\non: false\n", "2:1: on: is given twice, first on line 1"},
		{"mapping for text", "version: {a: 1}\n", "1:10: version: is a mapping, want text"},
		{"text for list", "items: x\n", `1:8: items: is "x", want a list`},
		{"text for mapping", "items: [x]\n", `1:9: items[0]: is "x", want a mapping`},
		{"text for number", "size: x\n", `1:7: size: is "x", want a whole number`},
		{"text for boolean", "on: maybe\n", `1:5: on: is "maybe", want true or false`},
		{"alias", "items: [&a {name: x}, *a]\n", "1:23: items[1]: is an alias; write the value out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Decode([]byte(tt.doc), new(outer))
			if err == nil || err.Error() != tt.want {
				t.Errorf("error = %v\nwant    %s", err, tt.want)
			}
		})
	}
}

func TestDecodeReportsAll(t *testing.T) {
	t.Parallel()
	_, err := Decode([]byte("on: maybe\nsize: x\nnope: 1\n"), new(outer))
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 3 {
		t.Fatalf("error = %v, want three", err)
	}
	for _, e := range joined.Unwrap() {
		if se, ok := errors.AsType[*Error](e); !ok || se.Line == 0 {
			t.Errorf("error %v has no line", e)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("version: 1\nitems: [{name: a}]\nvalues: {a: b}\n")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, doc string) {
		var got outer
		_, _ = Decode([]byte(doc), &got)
	})
}
