package helm

import (
	"maps"
	"reflect"

	"github.com/Masterminds/sprig/v3"
)

// functions returns the functions of templates by name: those of sprig without
// the ones that reach outside, each of which is to be guarded, and those that
// Helm adds or that bound and replay what they do themselves.
func (r *run) functions() (plain, own map[string]any) {
	plain, own = sprig.TxtFuncMap(), map[string]any{}
	delete(plain, "env")
	delete(plain, "expandenv")
	for _, some := range []map[string]any{r.documents(plain), r.texts(), r.lists(plain), r.maps(plain), r.patterns(plain), r.impure(plain), r.control()} {
		maps.Copy(own, some)
	}
	return plain, own
}

// guard returns fn with its arguments and results counted. Its type is that of
// fn, as text/template converts arguments to it and names it in messages.
func (r *run) guard(fn any) any {
	switch f := fn.(type) {
	case func(string) string:
		return func(a string) string { r.read(a); return r.text(f(a)) }
	case func(string, string) string:
		return func(a, b string) string { r.read(b); return r.text(f(a, b)) }
	case func(int, string) string:
		return func(n int, a string) string { r.read(a); return r.text(f(n, a)) }
	case func(string, string) bool:
		return func(a, b string) bool { r.read(b); return f(a, b) }
	case func(any) bool:
		return func(a any) bool { r.work(1); return f(a) }
	case func(any) int:
		return func(a any) int { r.work(1); return f(a) }
	case func(any) int64: // toDecimal prints it
		return func(a any) int64 { r.holds(a); return f(a) }
	case func(any) []string:
		return func(a any) []string { r.holds(a); return f(a) }
	case func(any) any:
		return func(a any) any { r.work(1); return f(a) }
	case func(...any) any:
		return func(all ...any) any { r.work(1); return f(all...) }
	case func(string, any) bool:
		return func(a string, b any) bool { r.work(1); return f(a, b) }
	case func(any, any, bool) any:
		return func(a, b any, c bool) any { r.work(1); return f(a, b, c) }
	case func(map[string]any, string) bool:
		return func(m map[string]any, key string) bool { r.work(1); return f(m, key) }
	case func(map[string]any, string) any:
		return func(m map[string]any, key string) any { r.work(1); return f(m, key) }
	case func(any, ...any) any:
		return func(a any, more ...any) any { r.work(1); return f(a, more...) }
	case func(any) string:
		return func(a any) string { r.holds(a); return r.text(f(a)) }
	case func(...any) string:
		return func(all ...any) string { r.holds(all...); return r.text(f(all...)) }
	}
	return r.reflected(fn)
}

// reflected is guard for functions of any type.
func (r *run) reflected(fn any) any {
	f := reflect.ValueOf(fn)
	call := f.Call
	if f.Type().IsVariadic() {
		call = f.CallSlice
	}
	return reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
		r.work(1)
		for _, a := range args {
			if a.Kind() == reflect.String {
				r.work(int64(a.Len()) / bytesPerStep)
			}
		}
		results := call(args)
		switch first := results[0]; first.Kind() {
		case reflect.String:
			r.made(int64(first.Len()))
		case reflect.Slice:
			r.made(16 * int64(first.Len()))
		case reflect.Map:
			r.made(64 * int64(first.Len()))
		}
		return results
	}).Interface()
}

// read counts the work on a text.
func (r *run) read(s string) { r.work(1 + int64(len(s))/bytesPerStep) }

// text counts a text that was made.
func (r *run) text(s string) string {
	r.made(int64(len(s)))
	return s
}

// holds checks that a function may descend into values.
func (r *run) holds(values ...any) {
	r.work(1)
	for _, v := range values {
		if composed(v) {
			r.measure(v)
		}
	}
}

// keep counts texts that are put into a list or map, and so may stay.
func (r *run) keep(values ...any) {
	for _, v := range values {
		if s, ok := v.(string); ok {
			r.memory += int64(len(s))
		}
	}
	r.made(16 * int64(len(values)))
}
