package helm

import (
	"errors"
	"reflect"
	"strings"

	"helm.sh/helm/v3/pkg/chartutil"
)

// An output is what a template writes.
type output struct {
	strings.Builder
	run *run
}

// Write counts what is written.
func (o *output) Write(p []byte) (int, error) {
	o.run.work(1)
	o.run.fits(int64(o.Len() + len(p)))
	o.run.made(int64(len(p)))
	return o.Builder.Write(p)
}

// WriteString is as Write.
func (o *output) WriteString(s string) (int, error) {
	o.run.work(1)
	o.run.fits(int64(o.Len() + len(s)))
	o.run.made(int64(len(s)))
	return o.Builder.WriteString(s)
}

// show checks what is about to be printed.
func (r *run) show(v reflect.Value) reflect.Value {
	r.work(1)
	if v.IsValid() && v.CanInterface() {
		switch v.Kind() {
		case reflect.Map, reflect.Slice, reflect.Array, reflect.Pointer, reflect.Struct, reflect.Interface:
			r.measure(v.Interface())
		}
	}
	return v
}

// dear counts the work of a method of .Files or .Values, which cannot count it
// itself.
func (r *run) dear(method string) string {
	r.work(1 + r.filesSize()/bytesPerStep/16)
	switch method {
	case "YAML":
		for _, s := range r.sources {
			r.holds(s.scope["Values"])
		}
	case "AsConfig", "AsSecrets":
		r.fits(r.filesSize())
		r.work(r.filesSize() / bytesPerStep)
	}
	return ""
}

// filesSize returns the size of the largest .Files of a chart.
func (r *run) filesSize() int64 {
	if r.largestFiles == 0 {
		r.largestFiles = 1
		for _, s := range r.sources {
			size := int64(1)
			files, _ := s.scope["Files"].(chartFiles)
			for name, data := range files {
				size += int64(len(name) + len(data))
			}
			r.largestFiles = max(r.largestFiles, size)
		}
	}
	return r.largestFiles
}

// has answers x.Has, and notes what is asked of the APIs of the cluster.
func (r *run) has(receiver reflect.Value, api string) (bool, error) {
	r.work(1)
	if receiver.IsValid() && receiver.CanInterface() {
		if set, ok := reflect.TypeAssert[chartutil.VersionSet](receiver); ok {
			r.asked.ask(api)
			return set.Has(api), nil
		}
	}
	return false, errors.New("only .Capabilities.APIVersions has a method Has")
}

// raised is the error of a template that gives up by itself.
type raised struct{ message string }

func (e raised) Error() string { return e.message }

// control are the functions that end a rendering, or ask the cluster.
func (r *run) control() map[string]any {
	return map[string]any{
		"required": func(message string, v any) (any, error) {
			r.work(1)
			if v == nil || v == "" {
				return v, raised{message}
			}
			return v, nil
		},
		"fail":   func(message string) (string, error) { return "", raised{message} },
		"lookup": r.look,
	}
}
