package helm

import "reflect"

// merge lays the map src over the map dst, or under it: without overwrite, what
// is in dst and not empty stays. It does as the library does that sprig merges
// with, which has no end for maps that hold themselves.
func (r *run) merge(dst, src reflect.Value, overwrite bool, depth int) {
	if depth > maxValueDepth {
		panic(&LimitError{"depth", maxValueDepth})
	}
	if dst.IsNil() {
		return // of a map in a map, that cannot be set
	}
	r.work(1 + int64(src.Len())/16)
	r.made(64 * int64(src.Len()))
	for entries := src.MapRange(); entries.Next(); {
		key, from := entries.Key(), entries.Value()
		if nilable(from.Kind()) && from.IsNil() {
			if overwrite {
				dst.SetMapIndex(key, from)
			}
			continue
		}
		to := dst.MapIndex(key)
		value, into := reflect.ValueOf(from.Interface()), inside(to)
		bothMaps := value.Kind() == reflect.Map && into.Kind() == reflect.Map
		if bothMaps {
			r.merge(into, value, overwrite, depth+1)
		}
		present := to.IsValid() && !isEmpty(to)
		switch {
		case present && bothMaps:
		case overwrite || !present:
			dst.SetMapIndex(key, from)
		}
	}
}

// inside returns what an interface holds.
func inside(v reflect.Value) reflect.Value {
	if v.IsValid() && v.Kind() == reflect.Interface {
		return v.Elem()
	}
	return v
}

func nilable(k reflect.Kind) bool {
	switch k {
	case reflect.Chan, reflect.Func, reflect.Map, reflect.Interface, reflect.Slice:
		return true
	}
	return false
}

// isEmpty reports whether v, or what it points to, is the zero of its type or
// has no items. A struct is never empty.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Interface, reflect.Pointer:
		return v.IsNil() || isEmpty(v.Elem())
	case reflect.Struct, reflect.Chan, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return false
	}
	return v.IsZero()
}
