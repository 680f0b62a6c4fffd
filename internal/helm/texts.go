package helm

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"text/template"
)

// texts are the functions whose result may be much longer than their arguments.
func (r *run) texts() map[string]any {
	indent := func(n int, s string) string {
		r.read(s)
		r.fits(times(1+strings.Count(s, "\n"), n) + int64(len(s)))
		pad := strings.Repeat(" ", n)
		return r.text(pad + strings.ReplaceAll(s, "\n", "\n"+pad))
	}
	printing := func(show func(...any) string) func(...any) string {
		return func(all ...any) string { r.holds(all...); return r.text(show(all...)) }
	}
	return map[string]any{
		"repeat": func(n int, s string) string {
			r.work(1)
			r.fits(times(n, len(s)))
			return r.text(strings.Repeat(s, n))
		},
		"indent":  indent,
		"nindent": func(n int, s string) string { return "\n" + indent(n, s) },
		"replace": func(old, with, s string) string {
			r.read(s)
			if len(with) > len(old) {
				r.fits(times(strings.Count(s, old), len(with)) + int64(len(s)))
			}
			return r.text(strings.ReplaceAll(s, old, with))
		},
		"join": func(sep string, v any) string {
			r.holds(v)
			list := textsOf(v)
			r.fits(times(len(list), len(sep)))
			return r.text(strings.Join(list, sep))
		},
		"printf":   r.printf,
		"print":    printing(fmt.Sprint),
		"println":  printing(fmt.Sprintln),
		"html":     printing(template.HTMLEscaper),
		"js":       printing(template.JSEscaper),
		"urlquery": printing(template.URLQueryEscaper),
	}
}

// printf bounds widths and precisions, which fmt allows up to a million.
func (r *run) printf(format string, all ...any) string {
	r.holds(all...)
	var longest, size int64
	for _, a := range all {
		if s, ok := a.(string); ok {
			longest = max(longest, int64(len(s)))
		}
	}
	const widest = 1_000_000
	for rest := format; ; {
		_, after, found := strings.Cut(rest, "%")
		if !found {
			break
		}
		size += longest
		number := int64(0)
		for rest = after; rest != ""; rest = rest[1:] {
			switch c := rest[0]; {
			case '0' <= c && c <= '9':
				number = min(10*number+int64(c-'0'), widest)
				continue
			case c == '*':
				number = widest
				continue
			case strings.IndexByte("+-# .[]", c) >= 0:
				size += number
				number = 0
				continue
			}
			break
		}
		size += number
	}
	r.fits(size)
	return r.text(fmt.Sprintf(format, all...))
}

// times returns the product of two sizes, which does not overflow.
func times(a, b int) int64 {
	if a <= 0 || b <= 0 {
		return 0
	}
	if a > math.MaxInt64/2/b {
		return math.MaxInt64 / 2
	}
	return int64(a) * int64(b)
}

// textOf returns a value as sprig shows it.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	}
	return fmt.Sprint(v)
}

// textsOf returns the items of a list as texts, without those that are nil. What
// is no list is its only item.
func textsOf(v any) []string {
	if list, ok := v.([]string); ok {
		return list
	}
	texts := []string{}
	switch list := reflect.ValueOf(v); list.Kind() {
	case reflect.Invalid:
	case reflect.Slice, reflect.Array:
		for i := range list.Len() {
			if item := list.Index(i).Interface(); item != nil {
				texts = append(texts, textOf(item))
			}
		}
	default:
		texts = append(texts, textOf(v))
	}
	return texts
}
