package helm

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/BurntSushi/toml"
	"sigs.k8s.io/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v3"
)

// documents are the functions for YAML, JSON and TOML, which swallow errors as
// Helm's do.
func (r *run) documents(base map[string]any) map[string]any {
	out := map[string]any{
		"toYaml":        func(v any) string { r.holds(v); return r.text(toYAML(v)) },
		"toYamlPretty":  func(v any) string { r.holds(v); return r.text(toYAMLPretty(v)) },
		"toJson":        func(v any) string { r.holds(v); return r.text(toJSON(v)) },
		"toToml":        func(v any) string { r.holds(v); return r.text(toTOML(v)) },
		"fromYaml":      func(s string) map[string]any { return r.readMap(s, unmarshalYAML) },
		"fromYamlArray": func(s string) []any { return r.readList(s, unmarshalYAML) },
		"fromJson":      func(s string) map[string]any { return r.readMap(s, json.Unmarshal) },
		"fromJsonArray": func(s string) []any { return r.readList(s, json.Unmarshal) },
		"fromToml":      func(s string) map[string]any { r.brackets(s); return r.readMap(s, toml.Unmarshal) },
	}
	for name, fn := range base {
		switch f := fn.(type) {
		case func(any) (string, error): // mustToJson and the like
			out[name] = func(v any) (string, error) { r.holds(v); s, err := f(v); return r.text(s), err }
		case func(string) (any, error): // mustFromJson
			out[name] = func(s string) (any, error) { r.reading(s); return f(s) }
		}
	}
	return out
}

func toYAML(v any) string {
	data, err := yaml.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(data), "\n")
}

func toYAMLPretty(v any) string {
	var b bytes.Buffer
	encoder := goyaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func toJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}

func toTOML(v any) string {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(v); err != nil {
		return err.Error()
	}
	return b.String()
}

func unmarshalYAML(data []byte, into any) error { return yaml.Unmarshal(data, into) }

// readMap reads a map. One that cannot be read holds the error.
func (r *run) readMap(text string, unmarshal func([]byte, any) error) map[string]any {
	r.reading(text)
	m := map[string]any{}
	if err := unmarshal([]byte(text), &m); err != nil {
		if m == nil {
			m = map[string]any{}
		}
		m["Error"] = err.Error()
	}
	return m
}

// readList reads a list. One that cannot be read is the error.
func (r *run) readList(text string, unmarshal func([]byte, any) error) []any {
	r.reading(text)
	list := []any{}
	if err := unmarshal([]byte(text), &list); err != nil {
		list = []any{err.Error()}
	}
	return list
}

// reading counts the work of reading a document, and the values in it.
func (r *run) reading(text string) {
	r.made(2 * int64(len(text)))
	r.work(1 + int64(len(text))/32)
}

// brackets ends the rendering if brackets in s may stand too deep in each
// other for a parser that follows them without a bound.
func (r *run) brackets(s string) {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		}
		if depth > maxValueDepth {
			panic(&LimitError{"depth", maxValueDepth})
		}
	}
}
