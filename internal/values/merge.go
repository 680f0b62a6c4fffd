package values

import "strings"

// Merge lays over on base: maps are merged by key, lists and scalars of over
// replace what base has, and a null in over removes the key.
//
// Merge(a, nil) equals a. Merge is associative only as long as a key that
// holds a map in one argument holds a map in all of them: a null or a scalar in
// between drops the map below it, if it is merged there first.
func Merge(base, over map[string]any) map[string]any {
	return merge(base, over, false)
}

// MergeNulls is [Merge], but a null in over stays in the result as a null: for
// values that are laid over further ones later, such as a chart's defaults,
// where the null has a key to remove too.
func MergeNulls(base, over map[string]any) map[string]any {
	return merge(base, over, true)
}

func merge(base, over map[string]any, keepNulls bool) map[string]any {
	merged := make(map[string]any, len(base)+len(over))
	for k, v := range base {
		if _, replaced := over[k]; !replaced {
			merged[k] = clone(v)
		}
	}
	for k, v := range over {
		switch v := v.(type) {
		case nil:
			if keepNulls {
				merged[k] = nil
			}
		case map[string]any:
			below, _ := base[k].(map[string]any)
			merged[k] = merge(below, v, keepNulls)
		default:
			merged[k] = clone(v)
		}
	}
	return merged
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = clone(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = clone(e)
		}
		return l
	}
	return v
}

// Lookup returns what stands at a dotted path ("charts.web.image"), and
// whether the path is there. Keys that hold dots cannot be reached.
// The result is part of values: who changes it, changes them.
func Lookup(values map[string]any, path string) (any, bool) {
	var v any = values
	for key := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[key]; !ok {
			return nil, false
		}
	}
	return v, true
}
