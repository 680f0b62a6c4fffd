package helm

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"
)

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
