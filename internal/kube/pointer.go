package kube

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

// segments splits a JSON pointer (RFC 6901).
func segments(pointer string) []string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
	}
	return parts
}

// KeepLive makes the fields of object that the JSON pointers name the same as
// those of live, so that applying object neither changes nor gives them up.
// Neither is changed.
func KeepLive(object, live map[string]any, pointers []string) map[string]any {
	out := runtime.DeepCopyJSON(object)
	for _, p := range pointers {
		path := segments(p)
		value, ok := lookup(live, path)
		if ok {
			value = runtime.DeepCopyJSONValue(value)
		}
		edit(out, path, value, ok)
	}
	return out
}

func lookup(v any, path []string) (any, bool) {
	for _, name := range path {
		next, ok := child(v, name)
		if !ok {
			return nil, false
		}
		v = next
	}
	return v, true
}

func child(v any, name string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		c, ok := v[name]
		return c, ok
	case []any:
		if i := item(v, name); i >= 0 {
			return v[i], true
		}
	}
	return nil, false
}

// item returns the index of the item of a list that a segment names, or -1.
func item(list []any, name string) int {
	if i, err := strconv.Atoi(name); err == nil {
		if i < 0 || i >= len(list) {
			return -1
		}
		return i
	}
	if i := slices.IndexFunc(list, func(v any) bool { return name != "" && itemName(v) == name }); i >= 0 {
		return i
	}
	return Find(list, name)
}

// edit sets the field at a path, or removes it, if what holds it is there, and
// returns what has become of v.
func edit(v any, path []string, value any, exists bool) any {
	if len(path) == 0 {
		return value
	}
	switch v := v.(type) {
	case map[string]any:
		sub, ok := v[path[0]]
		switch {
		case len(path) > 1 && ok:
			v[path[0]] = edit(sub, path[1:], value, exists)
		case len(path) == 1 && exists:
			v[path[0]] = value
		case len(path) == 1:
			delete(v, path[0])
		}
	case []any:
		i := item(v, path[0])
		switch {
		case i < 0:
		case len(path) > 1 || exists:
			v[i] = edit(v[i], path[1:], value, exists)
		default:
			return slices.Delete(v, i, i+1)
		}
	}
	return v
}

// without returns managed fields (the fieldsV1 of KEP-555) without those that
// the JSON pointers name. An index stands for every item of its list: the
// fields know items by their keys only.
func without(fields []byte, pointers []string) []byte {
	var tree map[string]any
	if err := json.Unmarshal(fields, &tree); err != nil {
		return fields
	}
	for _, p := range pointers {
		cut(tree, segments(p))
	}
	left, err := json.Marshal(tree)
	if err != nil {
		return fields
	}
	return left
}

func cut(tree map[string]any, path []string) {
	for key, sub := range tree {
		if !stands(key, path[0]) {
			continue
		}
		if len(path) == 1 {
			delete(tree, key)
		} else if sub, ok := sub.(map[string]any); ok {
			cut(sub, path[1:])
		}
	}
}

// stands reports whether a key of managed fields stands for a segment of a
// pointer.
func stands(key, segment string) bool {
	kind, rest, _ := strings.Cut(key, ":")
	switch kind {
	case "f":
		return rest == segment
	case "k":
		var keys map[string]any
		if json.Unmarshal([]byte(rest), &keys) == nil && keys["name"] == segment {
			return true
		}
		if nameOfKey(key) == segment {
			return true
		}
		fallthrough
	case "v", "i":
		_, err := strconv.Atoi(segment)
		return err == nil
	}
	return false
}
