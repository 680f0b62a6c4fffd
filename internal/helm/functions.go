package helm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/sprig/v3"
	goyaml "sigs.k8s.io/yaml/goyaml.v3"

	"sigs.k8s.io/yaml"
)

// functions returns the functions of templates by name: those of sprig without
// the ones that reach outside, each of which is to be guarded, and those that
// Helm adds or that bound and replay what they do themselves.
func (r *run) functions() (plain, own map[string]any) {
	plain, own = sprig.TxtFuncMap(), map[string]any{}
	delete(plain, "env")
	delete(plain, "expandenv")
	for _, some := range []map[string]any{r.documents(plain), r.texts(), r.lists(plain), r.maps(plain), r.patterns(plain), r.impure(plain), r.control()} {
		maps.Copy(own, some)
	}
	return plain, own
}

// guard returns fn with its arguments and results counted. Its type is that of
// fn, as text/template converts arguments to it and names it in messages.
func (r *run) guard(fn any) any {
	switch f := fn.(type) {
	case func(string) string:
		return func(a string) string { r.read(a); return r.text(f(a)) }
	case func(string, string) string:
		return func(a, b string) string { r.read(b); return r.text(f(a, b)) }
	case func(int, string) string:
		return func(n int, a string) string { r.read(a); return r.text(f(n, a)) }
	case func(string, string) bool:
		return func(a, b string) bool { r.read(b); return f(a, b) }
	case func(any) bool:
		return func(a any) bool { r.work(1); return f(a) }
	case func(any) int:
		return func(a any) int { r.work(1); return f(a) }
	case func(any) int64: // toDecimal prints it
		return func(a any) int64 { r.holds(a); return f(a) }
	case func(any) []string:
		return func(a any) []string { r.holds(a); return f(a) }
	case func(any) any:
		return func(a any) any { r.work(1); return f(a) }
	case func(...any) any:
		return func(all ...any) any { r.work(1); return f(all...) }
	case func(string, any) bool:
		return func(a string, b any) bool { r.work(1); return f(a, b) }
	case func(any, any, bool) any:
		return func(a, b any, c bool) any { r.work(1); return f(a, b, c) }
	case func(map[string]any, string) bool:
		return func(m map[string]any, key string) bool { r.work(1); return f(m, key) }
	case func(map[string]any, string) any:
		return func(m map[string]any, key string) any { r.work(1); return f(m, key) }
	case func(any, ...any) any:
		return func(a any, more ...any) any { r.work(1); return f(a, more...) }
	case func(any) string:
		return func(a any) string { r.holds(a); return r.text(f(a)) }
	case func(...any) string:
		return func(all ...any) string { r.holds(all...); return r.text(f(all...)) }
	}
	return r.reflected(fn)
}

// reflected is guard for functions of any type.
func (r *run) reflected(fn any) any {
	f := reflect.ValueOf(fn)
	call := f.Call
	if f.Type().IsVariadic() {
		call = f.CallSlice
	}
	return reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
		r.work(1)
		for _, a := range args {
			if a.Kind() == reflect.String {
				r.work(int64(a.Len()) / bytesPerStep)
			}
		}
		results := call(args)
		switch first := results[0]; first.Kind() {
		case reflect.String:
			r.made(int64(first.Len()))
		case reflect.Slice:
			r.made(16 * int64(first.Len()))
		case reflect.Map:
			r.made(64 * int64(first.Len()))
		}
		return results
	}).Interface()
}

// read counts the work on a text.
func (r *run) read(s string) { r.work(1 + int64(len(s))/bytesPerStep) }

// text counts a text that was made.
func (r *run) text(s string) string {
	r.made(int64(len(s)))
	return s
}

// holds checks that a function may descend into values.
func (r *run) holds(values ...any) {
	r.work(1)
	for _, v := range values {
		if composed(v) {
			r.measure(v)
		}
	}
}

// keep counts texts that are put into a list or map, and so may stay.
func (r *run) keep(values ...any) {
	for _, v := range values {
		if s, ok := v.(string); ok {
			r.memory += int64(len(s))
		}
	}
	r.made(16 * int64(len(values)))
}

// documents are the functions for YAML, JSON and TOML, which swallow errors as
// Helm's do.
func (r *run) documents(base map[string]any) map[string]any {
	out := map[string]any{
		"toYaml":        func(v any) string { r.holds(v); return r.text(toYAML(v)) },
		"toYamlPretty":  func(v any) string { r.holds(v); return r.text(toYAMLPretty(v)) },
		"toJson":        func(v any) string { r.holds(v); return r.text(toJSON(v)) },
		"toToml":        func(v any) string { r.holds(v); return r.text(toTOML(v)) },
		"fromYaml":      func(s string) map[string]any { return fromText[map[string]any](r, s, unmarshalYAML) },
		"fromYamlArray": func(s string) []any { return fromText[[]any](r, s, unmarshalYAML) },
		"fromJson":      func(s string) map[string]any { return fromText[map[string]any](r, s, json.Unmarshal) },
		"fromJsonArray": func(s string) []any { return fromText[[]any](r, s, json.Unmarshal) },
		"fromToml":      func(s string) map[string]any { r.brackets(s); return fromText[map[string]any](r, s, toml.Unmarshal) },
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

// fromText reads a map or a list. One that cannot be read holds the error.
func fromText[T map[string]any | []any](r *run, text string, unmarshal func([]byte, any) error) T {
	r.reading(text)
	var out any
	switch any(*new(T)).(type) {
	case map[string]any:
		m := map[string]any{}
		if err := unmarshal([]byte(text), &m); err != nil {
			if m == nil {
				m = map[string]any{}
			}
			m["Error"] = err.Error()
		}
		out = m
	default:
		a := []any{}
		if err := unmarshal([]byte(text), &a); err != nil {
			a = []any{err.Error()}
		}
		out = a
	}
	return out.(T)
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

// maps are the functions for maps, and those that look at the kind of a value
// and not into it.
func (r *run) maps(base map[string]any) map[string]any {
	merging := func(overwrite bool) func(map[string]any, ...map[string]any) any {
		return func(dst map[string]any, all ...map[string]any) any {
			if dst == nil {
				dst = map[string]any{}
			}
			for _, src := range all {
				r.merge(reflect.ValueOf(dst), reflect.ValueOf(src), overwrite, 0)
			}
			return dst
		}
	}
	must := func(merge func(map[string]any, ...map[string]any) any) func(map[string]any, ...map[string]any) (any, error) {
		return func(dst map[string]any, all ...map[string]any) (any, error) { return merge(dst, all...), nil }
	}
	out := map[string]any{
		"kindOf": func(v any) string { r.work(1); return fmt.Sprint(reflect.ValueOf(v).Kind()) },
		"typeOf": func(v any) string { r.work(1); return fmt.Sprintf("%T", v) },
		"dict":   r.dict,
		"set": func(m map[string]any, key string, v any) map[string]any {
			r.work(1)
			r.keep(key, v)
			m[key] = v
			return m
		},
		"unset":              func(m map[string]any, key string) map[string]any { r.work(1); delete(m, key); return m },
		"keys":               r.keys,
		"values":             r.values,
		"merge":              merging(false),
		"mergeOverwrite":     merging(true),
		"mustMerge":          must(merging(false)),
		"mustMergeOverwrite": must(merging(true)),
	}
	if clone, ok := base["deepCopy"].(func(any) any); ok {
		out["deepCopy"] = func(v any) any { r.made(2 * r.measure(v)); return clone(v) }
	}
	if clone, ok := base["mustDeepCopy"].(func(any) (any, error)); ok {
		out["mustDeepCopy"] = func(v any) (any, error) { r.made(2 * r.measure(v)); return clone(v) }
	}
	return out
}

// dict makes a map of keys and values, as sprig does.
func (r *run) dict(all ...any) map[string]any {
	r.work(1)
	r.keep(all...)
	m := make(map[string]any, len(all)/2)
	for i := 0; i < len(all); i += 2 {
		r.holds(all[i])
		key := textOf(all[i])
		if i+1 < len(all) {
			m[key] = all[i+1]
		} else {
			m[key] = ""
		}
	}
	return m
}

// keys and values are sorted by key, where sprig has them in any order: the same
// template shall give the same text.
func (r *run) keys(all ...map[string]any) []string {
	var names []string
	for _, m := range all {
		names = append(names, slices.Sorted(maps.Keys(m))...)
	}
	r.work(1 + int64(len(names))/16)
	r.made(16 * int64(len(names)))
	if names == nil {
		names = []string{}
	}
	return names
}

func (r *run) values(m map[string]any) []any {
	out := make([]any, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[key])
	}
	r.work(1 + int64(len(out))/16)
	r.made(16 * int64(len(out)))
	return out
}
