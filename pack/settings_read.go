package pack

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A settingsReader reads values, for all of which nil stands for none, and
// collects the problems.
type settingsReader struct{ errs []error }

func (r *settingsReader) report(field, format string, args ...any) {
	r.errs = append(r.errs, &Error{Field: field, Err: fmt.Errorf(format, args...)})
}

func (r *settingsReader) object(v any, field string) map[string]any {
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		r.report(field, "want a map, not %T", v)
	}
	return m
}

func (r *settingsReader) string(v any, field string) string {
	s, ok := v.(string)
	if !ok && v != nil {
		r.report(field, "want a string, not %T", v)
	}
	return s
}

// int accepts what YAML and JSON parsers make of a number, and text.
func (r *settingsReader) int(v any, field string) int {
	switch v := v.(type) {
	case int:
		return v
	case int64:
		return int(v)
	case uint64:
		if v <= math.MaxInt32 {
			return int(v)
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= math.MaxInt32 {
			return int(v)
		}
	case fmt.Stringer: // json.Number
		return r.int(v.String(), field)
	case string:
		if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
			return n
		}
	}
	r.report(field, "want a whole number, not %v", v)
	return 0
}

// names accepts "a,b", a list, and a map with the names as keys.
func (r *settingsReader) names(v any, field string) []string {
	var names []string
	switch v := v.(type) {
	case nil:
	case string:
		for name := range strings.SplitSeq(v, ",") {
			names = append(names, strings.TrimSpace(name))
		}
	case []any:
		for i, item := range v {
			names = append(names, r.string(item, fmt.Sprintf("%s[%d]", field, i)))
		}
	case map[string]any:
		names = slices.Sorted(maps.Keys(v))
	default:
		r.report(field, "want names with commas between them, not %T", v)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

func (r *settingsReader) stringMap(v any, field string) map[string]string {
	var result map[string]string
	m := r.object(v, field)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if result == nil {
			result = make(map[string]string, len(m))
		}
		result[key] = r.string(m[key], field+"."+key)
	}
	return result
}

// perNamespace reads a map from namespaces to "key=value,key=value", or to a
// map of the same meaning.
func (r *settingsReader) perNamespace(v any, field string) map[string]map[string]string {
	var result map[string]map[string]string
	m := r.object(v, field)
	for _, namespace := range slices.Sorted(maps.Keys(m)) {
		if result == nil {
			result = make(map[string]map[string]string, len(m))
		}
		at := field + "." + namespace
		if text, ok := m[namespace].(string); ok {
			result[namespace] = r.pairs(text, at)
		} else {
			result[namespace] = r.stringMap(m[namespace], at)
		}
	}
	return result
}

func (r *settingsReader) pairs(text, field string) map[string]string {
	pairs := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(pair, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case !ok && key == "": // as after a comma at the end
		case !ok || key == "":
			r.report(field, "want key=value with commas between them, not %q", pair)
		default:
			pairs[key] = value
		}
	}
	return pairs
}

func (r *settingsReader) images(v any) []string {
	var images []string
	r.maps(v, "pack.content.images", func(item map[string]any, field string) {
		if image := r.string(item["image"], field+".image"); image != "" {
			images = append(images, image)
		}
	})
	return images
}

func (r *settingsReader) charts(v any) []ChartRef {
	var charts []ChartRef
	r.maps(v, "pack.content.charts", func(item map[string]any, field string) {
		charts = append(charts, ChartRef{
			Repository: r.string(item["repo"], field+".repo"),
			Name:       r.string(item["name"], field+".name"),
			Version:    r.text(item["version"], field+".version"),
		})
	})
	return charts
}

// text accepts what YAML takes for a number ("version: 1.5"), as text.
func (r *settingsReader) text(v any, field string) string {
	switch v.(type) {
	case map[string]any, []any:
		r.report(field, "want a string, not %T", v)
		return ""
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}

// maps calls f for each item of a list of maps.
func (r *settingsReader) maps(v any, field string, f func(item map[string]any, field string)) {
	list, ok := v.([]any)
	if !ok && v != nil {
		r.report(field, "want a list, not %T", v)
	}
	for i, item := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		f(r.object(item, at), at)
	}
}
