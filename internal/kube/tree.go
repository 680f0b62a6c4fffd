package kube

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Tree is what managers hold of an object, or of a part of it. It shows how the
// API server tells the items of a list apart (KEP-555): by keys, by their values,
// or not at all.
type Tree []map[string]any

// TreeOf returns the Tree of an object.
func TreeOf(managed []metav1.ManagedFieldsEntry) Tree {
	var t Tree
	for _, e := range managed {
		var fields map[string]any
		if e.FieldsV1 != nil && json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields) == nil {
			t = append(t, fields)
		}
	}
	return t
}

// Field returns the Tree of a field of a map.
func (t Tree) Field(name string) Tree {
	return t.below(func(key string) bool { return key == "f:"+name })
}

// Item returns the Tree of the item of a list that [Tree.Name] names so.
func (t Tree) Item(name string) Tree {
	return t.below(func(key string) bool { return nameOfKey(key) == name })
}

func (t Tree) below(is func(key string) bool) Tree {
	var sub Tree
	for _, fields := range t {
		for key, v := range fields {
			if m, ok := v.(map[string]any); ok && is(key) {
				sub = append(sub, m)
			}
		}
	}
	return sub
}

// Name returns what API servers write in brackets for an item of the list that t
// is of: `name="a"`, `port=80,protocol="TCP"`, or `="a"` of a set. It is empty
// where the server does not tell items apart.
func (t Tree) Name(item any) string {
	m, isMap := item.(map[string]any)
	if !isMap {
		if len(t.below(func(key string) bool { return strings.HasPrefix(key, "v:") })) > 0 {
			return "=" + text(item)
		}
		return ""
	}
	keys := map[string]any{}
	for _, k := range t.keys() {
		keys[k] = m[k]
	}
	return nameOfKeys(keys)
}

// keys returns the names of the keys of a list's items.
func (t Tree) keys() []string {
	for _, fields := range t {
		for key := range fields {
			var keys map[string]any
			if kind, rest, _ := strings.Cut(key, ":"); kind == "k" && json.Unmarshal([]byte(rest), &keys) == nil {
				return slices.Collect(maps.Keys(keys))
			}
		}
	}
	return nil
}

// nameOfKey returns the [Tree.Name] of the item that a key of managed fields
// stands for, or "".
func nameOfKey(key string) string {
	kind, rest, _ := strings.Cut(key, ":")
	var v any
	if json.Unmarshal([]byte(rest), &v) != nil {
		return ""
	}
	keys, _ := v.(map[string]any)
	switch {
	case kind == "v":
		return "=" + text(v)
	case kind == "k" && len(keys) > 0:
		return nameOfKeys(keys)
	}
	return ""
}

func nameOfKeys(keys map[string]any) string {
	parts := make([]string, 0, len(keys))
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		parts = append(parts, k+"="+text(keys[k]))
	}
	return strings.Join(parts, ",")
}

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "" // never: it came from JSON
	}
	return string(data)
}

// keysOf reads what [nameOfKeys] wrote; nil if it is another text.
func keysOf(name string) map[string]any {
	keys := map[string]any{}
	for name != "" {
		key, rest, ok := strings.Cut(name, "=")
		decoder := json.NewDecoder(strings.NewReader(rest))
		var v any
		if !ok || key == "" || decoder.Decode(&v) != nil {
			return nil
		}
		keys[key] = v
		name = strings.TrimPrefix(rest[decoder.InputOffset():], ",")
	}
	return keys
}

// Find returns the index of the item of a list that a [Tree.Name] stands for, or
// -1. An item may lack keys that the API server fills in.
func Find(list []any, name string) int {
	if value, isSet := strings.CutPrefix(name, "="); isSet {
		return slices.IndexFunc(list, func(v any) bool { return text(v) == value })
	}
	keys := keysOf(name)
	if len(keys) == 0 {
		return -1
	}
	if i := slices.IndexFunc(list, func(v any) bool { return matches(v, keys) == len(keys) }); i >= 0 {
		return i
	}
	return slices.IndexFunc(list, func(v any) bool { return matches(v, keys) > 0 })
}

// matches returns how many keys an item has, or -1 if one is another.
func matches(item any, keys map[string]any) int {
	m, _ := item.(map[string]any)
	n := 0
	for k, want := range keys {
		v, ok := m[k]
		if ok && !sameJSON(v, want) {
			return -1
		}
		if ok {
			n++
		}
	}
	return n
}
