package manifest_test

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/manifest"
)

func TestFoldStringData(t *testing.T) {
	t.Parallel()
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	tests := []struct {
		name, doc string
		want      map[string]any
	}{
		{"only plain", "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {k: v, empty: null}}",
			map[string]any{"k": encode("v"), "empty": ""}},
		{"plain wins", "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: b2xk, other: eA==}, stringData: {k: new}}",
			map[string]any{"k": encode("new"), "other": "eA=="}},
		{"nothing plain", "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: b2xk}, stringData: null}",
			map[string]any{"k": "b2xk"}},
		{"no secret", "{apiVersion: x.io/v1, kind: Secret, metadata: {name: a}, data: {a: b}, stringData: {k: v}}", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := parseOne(t, tt.doc)
			before := o.DeepCopy()
			folded, err := manifest.FoldStringData(o)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(o, before) {
				t.Error("the given object was changed")
			}
			if tt.want == nil {
				if !reflect.DeepEqual(folded, before) {
					t.Errorf("changed to %v", folded.Object)
				}
				return
			}
			if !reflect.DeepEqual(folded.Object["data"], tt.want) {
				t.Errorf("data is %v, want %v", folded.Object["data"], tt.want)
			}
			if _, has := folded.Object["stringData"]; has {
				t.Error("stringData is still there")
			}
		})
	}
}

func TestFoldStringDataErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {b: 77, a: [1], c: ok}}": "f.yaml:1: stringData.a: must be a string: put quotes around it\nf.yaml:1: stringData.b: must be a string: put quotes around it",
		"{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: hush}":                   "f.yaml:1: stringData: must be a map of strings",
		"{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {}, data: hush}":         "f.yaml:1: data: must be a map of base64 strings",
	}
	for doc, want := range tests {
		_, err := manifest.FoldStringData(parseOne(t, doc))
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "77")) {
			t.Errorf("%v shows a value", err)
		}
	}
}

func parseOne(t *testing.T, doc string) manifest.Object {
	t.Helper()
	objects, err := manifest.Parse("f.yaml", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return objects[0]
}
