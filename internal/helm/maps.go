package helm

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

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
