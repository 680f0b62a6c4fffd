package crd

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// schema compares two schemas of one field.
func (c *comparison) schema(path string, was, now map[string]any) {
	if was == nil {
		if now != nil {
			c.found(path, "there was no schema: objects may not fit the new one")
		}
		return
	}
	if !c.types(path, was, now) {
		return // what is below cannot be compared
	}
	c.loose(path, was, now)
	c.enum(path, was, now)
	c.bounds(path, was, now)
	c.words(path, was, now)
	c.required(path, was, now)
	c.properties(path, was, now)
	c.values(path, was, now)
	c.junctors(path, was, now)
}

const intOrString = "x-kubernetes-int-or-string"

// typeOf returns the type of a schema, for people; "" is any.
func typeOf(schema map[string]any) string {
	if schema[intOrString] == true {
		return "int-or-string"
	}
	t, _ := schema["type"].(string)
	return t
}

// types reports whether what the types say of their values can be compared.
func (c *comparison) types(path string, was, now map[string]any) bool {
	if was["nullable"] == true && now["nullable"] != true {
		c.found(path+".nullable", "null is no longer allowed")
	}
	old, next := typeOf(was), typeOf(now)
	wider := next == "" || old == "integer" && (next == "number" || next == "int-or-string") || old == "string" && next == "int-or-string"
	if old != next && !wider {
		c.found(path+".type", "it was %s and is to be %s", orAny(old), next)
		return false
	}
	return true
}

func orAny(s string) string {
	if s == "" {
		return "any"
	}
	return s
}

const preserve = "x-kubernetes-preserve-unknown-fields"

func (c *comparison) loose(path string, was, now map[string]any) {
	if was[preserve] == true && now[preserve] != true {
		c.found(path+"."+preserve, "fields that the schema does not name are no longer kept")
	}
	if was["x-kubernetes-embedded-resource"] != true && now["x-kubernetes-embedded-resource"] == true {
		c.found(path+".x-kubernetes-embedded-resource", "it must be a whole object from now on")
	}
}

func (c *comparison) enum(path string, was, now map[string]any) {
	old, next := list(was["enum"]), list(now["enum"])
	switch {
	case len(next) == 0:
	case len(old) == 0:
		c.found(path+".enum", "only %s are allowed from now on", shown(next))
	default:
		gone := slices.DeleteFunc(slices.Clone(old), func(v any) bool {
			return slices.ContainsFunc(next, func(w any) bool { return reflect.DeepEqual(v, w) })
		})
		if len(gone) > 0 {
			c.found(path+".enum", "no longer allowed are %s", shown(gone))
		}
	}
}

func shown(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		data, _ := json.Marshal(v) // it comes from JSON
		words[i] = string(data)
	}
	return strings.Join(words, ", ")
}

// words compares rules that either are there or not, and of which it cannot be
// said whether another one allows less.
func (c *comparison) words(path string, was, now map[string]any) {
	for _, key := range []string{"pattern", "format", "x-kubernetes-list-type", "x-kubernetes-map-type"} {
		old, _ := was[key].(string)
		next, _ := now[key].(string)
		if next == old || next == "" || old == "" && (next == "atomic" || next == "granular" || key == "format" && isNumeric(typeOf(now))) {
			continue
		}
		c.found(path+"."+key, "it was %s and is to be %q", orNone(old), next)
	}
}

// isNumeric reports whether a type has formats that say how large values are.
// Those of numbers are float and double, and integers were never larger.
func isNumeric(t string) bool { return t == "number" }

func orNone(s string) string {
	if s == "" {
		return "not set"
	}
	return fmt.Sprintf("%q", s)
}

func (c *comparison) required(path string, was, now map[string]any) {
	old := list(was["required"])
	properties := object(now["properties"])
	for _, name := range list(now["required"]) {
		name, _ := name.(string)
		_, defaulted := object(properties[name])["default"]
		if !defaulted && !slices.ContainsFunc(old, func(v any) bool { return v == name }) {
			c.found(path+".required", "%q is required from now on, and has no default", name)
		}
	}
}

func (c *comparison) properties(path string, was, now map[string]any) {
	old, next := object(was["properties"]), object(now["properties"])
	others, closed := now["additionalProperties"], now["additionalProperties"] == nil || now["additionalProperties"] == false
	for _, name := range slices.Sorted(maps.Keys(old)) {
		below := path + ".properties." + name
		switch one, ok := next[name]; {
		case ok:
			c.schema(below, object(old[name]), object(one))
		case object(others) != nil:
			c.schema(below, object(old[name]), object(others))
		case closed && now[preserve] != true:
			c.found(below, "it is removed: what objects have there is dropped")
		}
	}
	if was[preserve] == true {
		for _, name := range slices.Sorted(maps.Keys(next)) {
			if _, ok := old[name]; !ok && typeOf(object(next[name])) != "" {
				c.found(path+".properties."+name, "objects may have had anything there, and it must be %s from now on", typeOf(object(next[name])))
			}
		}
	}
}

// values compares what maps and lists hold.
func (c *comparison) values(path string, was, now map[string]any) {
	switch old, next := was["additionalProperties"], now["additionalProperties"]; {
	case old == nil || old == false:
	case next == nil && now[preserve] == true:
	case next == nil || next == false:
		c.found(path+".additionalProperties", "names that the schema does not list are no longer allowed")
	case object(old) != nil && object(next) != nil:
		c.schema(path+".additionalProperties", object(old), object(next))
	case object(next) != nil:
		c.schema(path+".additionalProperties", map[string]any{}, object(next))
	}
	if next := object(now["items"]); next != nil {
		old := object(was["items"])
		if old == nil {
			old = map[string]any{}
		}
		c.schema(path+".items", old, next)
	}
}

// junctors compares rules that are schemas themselves. Whether one of them
// allows less than another cannot be told, so that any other is a finding.
func (c *comparison) junctors(path string, was, now map[string]any) {
	for _, key := range []string{"allOf", "anyOf", "oneOf", "not"} {
		if now[key] != nil && !reflect.DeepEqual(was[key], now[key]) {
			c.found(path+"."+key, "it is otherwise than before, and may allow less")
		}
	}
}
