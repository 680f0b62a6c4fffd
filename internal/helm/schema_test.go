package helm_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/helm"
)

func TestSchema(t *testing.T) {
	t.Parallel()
	const chart = header + `
-- values.yaml --
port: 80
sub: {up: true}
-- values.schema.json --
{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["port"], "properties": {
	"port": {"type": "integer", "maximum": 65535},
	"token": {"type": "string", "pattern": "^[a-z]+$"},
	"mode": {"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]}}}
-- charts/sub/Chart.yaml --
name: sub
version: 1.0.0
-- charts/sub/values.schema.json --
{"additionalProperties": false, "properties": {"up": {"type": "boolean"}, "global": {}}}
`
	tests := []struct {
		name   string
		values map[string]any
		want   []helm.SchemaProblem
	}{
		{"defaults", nil, nil},
		{"allowed", map[string]any{"token": "abc", "mode": "a"}, nil},
		{"all at once", map[string]any{"port": "HUSH", "token": "HUSH", "mode": "HUSH", "sub": map[string]any{"HASH": 1}},
			[]helm.SchemaProblem{
				{Chart: "bad", Path: "/mode", Problem: "got string, want null"},
				{Chart: "bad", Path: "/mode", Problem: "value must be one of 'a', 'b'"},
				{Chart: "bad", Path: "/port", Problem: "got string, want integer"},
				{Chart: "bad", Path: "/token", Problem: `does not match pattern "^[a-z]+$"`},
				{Chart: "bad/charts/sub", Path: "/", Problem: "additional properties 'HASH' not allowed"},
			}},
		{"null for a required value", map[string]any{"port": nil},
			[]helm.SchemaProblem{{Chart: "bad", Path: "/", Problem: "missing property 'port'"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, chart).Render(t.Context(), helm.Request{ReleaseName: "r", Values: tt.values})
			if tt.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var failure *helm.SchemaError
			if !errors.As(err, &failure) {
				t.Fatalf("%v wraps no SchemaError", err)
			}
			if !slices.Equal(failure.Problems, tt.want) {
				t.Errorf("\n got %v\nwant %v", failure.Problems, tt.want)
			}
			if strings.Contains(err.Error(), "HUSH") {
				t.Errorf("%v shows a value", err)
			}
		})
	}
}

// A schema is code of strangers: it must reach neither network nor files.
func TestSchemaReachesNothing(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("asked for %s", r.URL)
	}))
	t.Cleanup(server.Close)
	secret := filepath.Join(t.TempDir(), "false.json")
	if err := os.WriteFile(secret, []byte("false"), 0o600); err != nil {
		t.Fatal(err)
	}
	chart := header + `
-- values.yaml --
a: {b: 1}
c: 1
d: 1
-- values.schema.json --
{"properties": {
	"a": {"$ref": "` + server.URL + `/one.json#/definitions/x"},
	"b": {"anyOf": [{"$ref": "` + server.URL + `/one.json#/definitions/y"}, {"$ref": "` + server.URL + `/two.json"}]},
	"c": {"$ref": "file://` + filepath.ToSlash(secret) + `"},
	"d": {"type": "integer", "$ref": "urn:example:x"}}}
`
	r := render(t, chart, nil)
	for _, where := range []string{server.URL + "/one.json", server.URL + "/two.json", "false.json", "urn:example:x"} {
		if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, where) }) {
			t.Errorf("no warning for %s in %q", where, r.Warnings)
		}
	}
	// What stands beside the references still counts.
	_, err := load(t, chart).Render(t.Context(), helm.Request{ReleaseName: "r", Values: map[string]any{"d": "text"}})
	if err == nil || !strings.Contains(err.Error(), "/d: got string, want integer") {
		t.Errorf("got %v", err)
	}
}

func TestSchemaErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{":                  "reading bad/values.schema.json: ",
		`{"type": "nonsen"}`: "reading bad/values.schema.json: ",
		`{"$id": "https://example.com/base/", "properties": {"a": {"$ref": "other.json"}}}`: "https://example.com/base/other.json",
	} {
		_, err := load(t, header+"-- values.schema.json --\n"+text).Render(t.Context(), helm.Request{ReleaseName: "r"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
