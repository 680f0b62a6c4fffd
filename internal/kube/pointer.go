package kube

import (
	"encoding/json"
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
// Neither is changed; the result shares what is the same.
func KeepLive(object, live map[string]any, pointers []string) map[string]any {
	out := runtime.DeepCopyJSON(object)
	for _, p := range pointers {
		path := segments(p)
		if value, ok := lookup(live, path); ok {
			set(out, path, runtime.DeepCopyJSONValue(value))
		} else {
			remove(out, path)
		}
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
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(v) {
			return v[i], true
		}
	}
	return nil, false
}

// set sets the field if what holds it is there.
func set(v any, path []string, value any) {
	holder, ok := lookup(v, path[:len(path)-1])
	if !ok {
		return
	}
	last := path[len(path)-1]
	switch holder := holder.(type) {
	case map[string]any:
		holder[last] = value
	case []any:
		if i, err := strconv.Atoi(last); err == nil && i >= 0 && i < len(holder) {
			holder[i] = value
		}
	}
}

func remove(v any, path []string) {
	if holder, ok := lookup(v, path[:len(path)-1]); ok {
		if m, ok := holder.(map[string]any); ok {
			delete(m, path[len(path)-1])
		}
	}
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
		kind, name, _ := strings.Cut(key, ":")
		_, index := strconv.Atoi(path[0])
		item := kind == "k" || kind == "v" || kind == "i"
		if (kind != "f" || name != path[0]) && (index != nil || !item) {
			continue
		}
		if len(path) == 1 {
			delete(tree, key)
		} else if sub, ok := sub.(map[string]any); ok {
			cut(sub, path[1:])
		}
	}
}
