package helm

import (
	"reflect"

	"helm.sh/helm/v3/pkg/chartutil"
)

// measure returns about how many bytes v takes as text, in which a value that
// stands in two places counts twice. It ends the rendering if that is too much,
// or if values stand too deep in each other: what holds itself would end the
// process in whatever function descends into it.
func (u *usage) measure(v any) int64 {
	m := meter{left: u.largest()}
	ok := m.walk(v, 0)
	u.work(m.nodes / 16)
	switch {
	case m.deep:
		panic(&LimitError{"depth", maxValueDepth})
	case !ok:
		panic(&LimitError{"text", u.largest()})
	}
	return u.largest() - m.left
}

type meter struct {
	left, nodes int64
	deep        bool
}

// take counts a node of size bytes, which is indented by its depth.
func (m *meter) take(size, depth int) bool {
	m.nodes++
	m.left -= int64(size + 4 + 2*depth)
	if depth > maxValueDepth {
		m.deep = true
	}
	return m.left >= 0 && !m.deep
}

func (m *meter) walk(v any, depth int) bool {
	switch v := v.(type) {
	case nil, bool, int, int64, float64:
		return m.take(8, depth)
	case string:
		return m.take(len(v), depth)
	case map[string]any:
		return m.entries(v, depth)
	case chartutil.Values:
		return m.entries(v, depth)
	case []any:
		for _, item := range v {
			if !m.walk(item, depth+1) {
				return false
			}
		}
		return m.take(0, depth)
	}
	return m.reflected(reflect.ValueOf(v), depth)
}

func (m *meter) entries(v map[string]any, depth int) bool {
	for key, item := range v {
		if !m.take(len(key), depth) || !m.walk(item, depth+1) {
			return false
		}
	}
	return m.take(0, depth)
}

func (m *meter) reflected(v reflect.Value, depth int) bool {
	if !m.take(8, depth) {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		return m.take(v.Len(), depth)
	case reflect.Pointer, reflect.Interface:
		return v.IsNil() || m.reflected(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return m.take(4*v.Len(), depth) // as [1 2 3]
		}
		for i := range v.Len() {
			if !m.reflected(v.Index(i), depth+1) {
				return false
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			if !m.reflected(entries.Key(), depth) || !m.reflected(entries.Value(), depth+1) {
				return false
			}
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			if !m.reflected(field, depth+1) {
				return false
			}
		}
	}
	return true
}

// composed reports whether v may hold other values.
func composed(v any) bool {
	switch v := v.(type) {
	case nil, string, bool, int, int64, float64:
		return false
	case map[string]any, []any, chartutil.Values:
		return true
	default:
		switch reflect.TypeOf(v).Kind() {
		case reflect.Map, reflect.Slice, reflect.Array, reflect.Pointer, reflect.Struct, reflect.Interface:
			return true
		}
		return false
	}
}
