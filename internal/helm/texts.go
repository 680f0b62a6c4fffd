package helm

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"strings"
	"text/template"
	"unicode/utf8"
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

// lists are the functions that make lists, or compare each item with each.
func (r *run) lists(base map[string]any) map[string]any {
	splits := func(sep, s string, each int) {
		r.read(s)
		n := strings.Count(s, sep) + 1
		if sep == "" {
			n = utf8.RuneCountInString(s)
		}
		r.made(times(n, each))
	}
	list := func(all ...any) []any { r.work(1); r.keep(all...); return all }
	step := func(start, stop, step int) []int {
		r.made(8 * r.count(start, stop, step))
		return untilStep(start, stop, step)
	}
	seq := func(p ...int) string {
		ends := seqEnds(p)
		r.made(8 * 4 * r.count(ends[0], ends[1], ends[2]))
		return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(untilStep(ends[0], ends[1], ends[2]))), " "), "[]")
	}
	out := r.growing(base)
	maps.Copy(out, map[string]any{
		"list": list, "tuple": list,
		"untilStep": step,
		"until": func(n int) []int {
			if n < 0 {
				return step(0, n, -1)
			}
			return step(0, n, 1)
		},
		"seq":       seq,
		"splitList": func(sep, s string) []string { splits(sep, s, 16); return strings.Split(s, sep) },
		"split":     func(sep, s string) map[string]string { splits(sep, s, 120); return numbered(strings.Split(s, sep)) },
		"splitn": func(sep string, n int, s string) map[string]string {
			splits(sep, s, 16)
			return numbered(strings.SplitN(s, sep, n))
		},
		"toStrings": func(v any) []string { r.holds(v); return textsOf(v) },
	})
	return out
}

// growing are the functions that put a value to a list, and those that compare
// each item with each.
func (r *run) growing(base map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range []string{"append", "push", "prepend"} {
		grow, ok := base[name].(func(any, any) []any)
		if ok {
			out[name] = func(list, v any) []any { r.keep(v); return r.listed(grow(list, v)) }
		}
	}
	for _, name := range []string{"mustAppend", "mustPush", "mustPrepend"} {
		grow, ok := base[name].(func(any, any) ([]any, error))
		if ok {
			out[name] = func(list, v any) ([]any, error) { r.keep(v); l, err := grow(list, v); return r.listed(l), err }
		}
	}
	if concat, ok := base["concat"].(func(...any) any); ok {
		out["concat"] = func(all ...any) any {
			size := 0
			for _, list := range all {
				size += lengthOf(list)
			}
			r.work(1 + int64(size)/64)
			r.made(16 * int64(size))
			return concat(all...)
		}
	}
	if without, ok := base["without"].(func(any, ...any) []any); ok {
		out["without"] = func(list any, omit ...any) []any { r.pairs(list, omit); return r.listed(without(list, omit...)) }
	}
	if uniq, ok := base["uniq"].(func(any) []any); ok {
		out["uniq"] = func(list any) []any { r.pairs(list, list); return r.listed(uniq(list)) }
	}
	if uniq, ok := base["mustUniq"].(func(any) ([]any, error)); ok {
		out["mustUniq"] = func(list any) ([]any, error) { r.pairs(list, list); l, err := uniq(list); return r.listed(l), err }
	}
	return out
}

// listed counts a list that was made.
func (r *run) listed(list []any) []any {
	r.work(1 + int64(len(list))/64)
	r.made(16 * int64(len(list)))
	return list
}

// pairs counts the work of comparing each item of a list with each of another.
func (r *run) pairs(a, b any) {
	r.work(1 + times(lengthOf(a), lengthOf(b))/16)
}

func lengthOf(list any) int {
	switch v := reflect.ValueOf(list); v.Kind() {
	case reflect.Slice, reflect.Array:
		return v.Len()
	}
	return 0
}

func numbered(parts []string) map[string]string {
	m := make(map[string]string, len(parts))
	for i, part := range parts {
		m[fmt.Sprint("_", i)] = part
	}
	return m
}

// count returns how many numbers untilStep gives, and counts the work.
func (r *run) count(start, stop, step int) int64 {
	const large = 1 << 40
	if max(start, stop, step, -start, -stop, -step) > large || min(start, stop, step) == math.MinInt {
		panic(&LimitError{"text", r.largest()})
	}
	n := int64(0)
	switch {
	case step > 0 && stop > start:
		n = int64((stop-start)/step) + 1
	case step < 0 && stop < start:
		n = int64((start-stop)/-step) + 1
	}
	r.fits(8 * n)
	r.work(1 + n/64)
	return n
}

func untilStep(start, stop, step int) []int {
	numbers := []int{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		numbers = append(numbers, i)
	}
	return numbers
}

// seqEnds returns the start, the stop that is not reached, and the step of
// "seq", which takes the arguments of the command of that name.
func seqEnds(p []int) [3]int {
	start, step, end := 1, 0, 0
	switch len(p) {
	case 1:
		end = p[0]
	case 2:
		start, end = p[0], p[1]
	case 3:
		start, step, end = p[0], p[1], p[2]
	default:
		return [3]int{0, 0, 0}
	}
	towards := 1
	if end < start {
		towards = -1
	}
	if len(p) < 3 {
		step = towards
	} else if end < start && step > 0 {
		return [3]int{0, 0, 0}
	}
	return [3]int{start, end + towards, step}
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
