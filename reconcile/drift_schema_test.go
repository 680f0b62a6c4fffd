package reconcile_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// An apiType is what the API server says of values of a type (OpenAPI 2.0): this,
// and not what is written on who holds what, tells what belongs together.
type apiType struct {
	Ref        string                    `json:"$ref"`
	Properties map[string]*apiType       `json:"properties"`
	Values     *apiType                  `json:"additionalProperties"`
	Items      *apiType                  `json:"items"`
	List       string                    `json:"x-kubernetes-list-type"`
	Keys       []string                  `json:"x-kubernetes-list-map-keys"`
	Map        string                    `json:"x-kubernetes-map-type"`
	Kinds      []schema.GroupVersionKind `json:"x-kubernetes-group-version-kind"`
}

// apiTypes are the types of an API server, by their names.
type apiTypes map[string]*apiType

func (l *life) apiTypes() apiTypes {
	l.Helper()
	data, err := l.kube.RESTClient().Get().AbsPath("/openapi/v2").Do(l.ctx).Raw()
	if err != nil {
		l.Fatal(err)
	}
	var document struct {
		Definitions apiTypes `json:"definitions"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		l.Fatal(err)
	}
	return document.Definitions
}

func (all apiTypes) kind(t *testing.T, kind schema.GroupVersionKind) *apiType {
	t.Helper()
	for _, one := range all {
		if slices.Contains(one.Kinds, kind) {
			return one
		}
	}
	t.Fatalf("the API server knows no %s", kind)
	return nil
}

// resolved returns the type that a reference stands for.
func (all apiTypes) resolved(t *apiType) *apiType {
	if t == nil {
		return new(apiType)
	}
	def := all[strings.TrimPrefix(t.Ref, "#/definitions/")]
	if def == nil {
		return t
	}
	copied := *def
	if t.Map != "" {
		copied.Map = t.Map
	}
	return &copied
}

// A hop leads from a map to a field of a name, or from a list to an item: of
// these keys, of this value, or at this index.
type hop struct {
	name  string
	keys  map[string]any
	value any
	index int
}

// String returns h as API servers write it.
func (h hop) String() string {
	switch {
	case h.name != "":
		return "." + h.name
	case h.value != nil:
		return "[=" + jsonOf(h.value) + "]"
	case h.keys == nil:
		return fmt.Sprintf("[%d]", h.index)
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(h.keys)) {
		parts = append(parts, k+"="+jsonOf(h.keys[k]))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func jsonOf(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// in returns what h leads to, and the segment of a JSON pointer that does.
func (h hop) in(v any) (child any, segment string, ok bool) {
	if m, isMap := v.(map[string]any); isMap && h.name != "" {
		child, ok = m[h.name]
		return child, strings.NewReplacer("~", "~0", "/", "~1").Replace(h.name), ok
	}
	list, _ := v.([]any)
	i := slices.IndexFunc(list, func(item any) bool {
		m, isMap := item.(map[string]any)
		if h.keys == nil || !isMap {
			return h.value != nil && jsonOf(item) == jsonOf(h.value)
		}
		for k, want := range h.keys {
			if jsonOf(m[k]) != jsonOf(want) {
				return false
			}
		}
		return true
	})
	if h.keys == nil && h.value == nil && h.index < len(list) {
		i = h.index
	}
	if i < 0 {
		return nil, "", false
	}
	return list[i], fmt.Sprint(i), true
}

// A place is a field of an object as we apply it, or an item of a list, or a
// map or a list with all that is in it.
type place struct {
	path  []hop
	value any
	of    *apiType
	whole int // how many hops of path lead to what can only be held as a whole; 0 is none
}

func (p place) String() string {
	var b strings.Builder
	for _, h := range p.path {
		b.WriteString(h.String())
	}
	return b.String()
}

// held reports whether the place can be held by somebody, and nothing in it.
func (p place) held() bool {
	if p.whole > 0 {
		return p.whole == len(p.path)
	}
	switch v := p.value.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return true
}

// lookup returns what is there in an object, with a JSON pointer to it.
func lookup(object map[string]any, path []hop) (value any, pointer string, ok bool) {
	value = object
	for _, h := range path {
		next, segment, ok := h.in(value)
		if !ok {
			return nil, "", false
		}
		value, pointer = next, pointer+"/"+segment
	}
	return value, pointer, true
}

// at returns what is at the place in an object, as JSON; "" if it is missing.
func (p place) at(object map[string]any) string {
	if v, _, ok := lookup(object, p.path); ok && v != nil {
		return jsonOf(v)
	}
	return ""
}

// places returns all places of an object but those that make it what it is.
func (all apiTypes) places(object map[string]any, of *apiType) []place {
	var found []place
	all.walk(place{value: object, of: of}, func(p place) {
		switch p.String() {
		case "", ".apiVersion", ".kind", ".metadata", ".metadata.name", ".metadata.namespace":
		default:
			found = append(found, p)
		}
	})
	return found
}

func (all apiTypes) walk(p place, add func(place)) {
	atomic := p.of.Map == "atomic" || p.of.Items != nil && p.of.List != "map" && p.of.List != "set"
	if p.whole == 0 && atomic {
		p.whole = len(p.path)
	}
	add(p)
	into := func(h hop, v any, t *apiType) {
		all.walk(place{append(slices.Clip(p.path), h), v, all.resolved(t), p.whole}, add)
	}
	switch v := p.value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			t := p.of.Values
			if known := p.of.Properties[name]; known != nil {
				t = known
			}
			into(hop{name: name}, v[name], t)
		}
	case []any:
		for i, item := range v {
			into(p.of.item(i, item), item, p.of.Items)
		}
	}
}

// item returns the hop that leads to an item of a list.
func (of *apiType) item(i int, item any) hop {
	m, _ := item.(map[string]any)
	switch {
	case of.List == "set":
		return hop{value: item}
	case of.List != "map":
		return hop{index: i}
	}
	h := hop{keys: map[string]any{}}
	for _, k := range of.Keys {
		if h.keys[k] = m[k]; m[k] == nil {
			h.keys[k] = "TCP" // of all keys only protocols have a default
		}
	}
	return h
}
