package pack

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A decoder reads the fields of pack.json. It goes on after a defect.
type decoder struct {
	data []byte
	errs []error
	// missing are errors about files that are named and not there.
	missing []error
}

func (d *decoder) report(offset int, field string, err error) {
	d.errs = append(d.errs, d.at(offset, field, err))
}

func (d *decoder) at(offset int, field string, err error) error {
	line, column := position(d.data, offset)
	return &Error{File: packFile, Line: line, Column: column, Field: field, Err: err}
}

// An object is a JSON object whose fields are read.
type object struct {
	*decoder
	value
	path string // with a dot at the end; empty for the outermost
}

// open returns v as an object. One of another type is reported, and is empty.
func (d *decoder) open(v value, path string) object {
	if v.object == nil && v.kind != "null" {
		d.report(v.offset, path, fmt.Errorf("want an object, not %s", v.kind))
	}
	if path != "" {
		path += "."
	}
	return object{d, v, path}
}

// required reports an error if the field is missing, and returns it as a
// string.
func (o object) required(name string) string {
	s := o.string(name)
	if v, ok := o.object[name]; !ok || v.kind == "null" {
		o.report(o.offset, o.path+name, errors.New("required, but missing"))
	} else if s == "" && v.kind == "a string" {
		o.report(v.offset, o.path+name, errors.New("required, but empty"))
	}
	return s
}

func (o object) string(name string) string {
	v, ok := o.object[name]
	if !ok {
		return ""
	}
	return o.text(v, o.path+name)
}

func (d *decoder) text(v value, path string) string {
	s, ok := v.scalar.(string)
	if !ok && v.kind != "null" {
		d.report(v.offset, path, fmt.Errorf("want a string, not %s", v.kind))
	}
	return s
}

func (o object) number(name string) float64 {
	v, ok := o.object[name]
	if !ok || v.kind == "null" {
		return 0
	}
	n, _ := v.scalar.(json.Number)
	f, err := n.Float64()
	if err != nil {
		o.report(v.offset, o.path+name, fmt.Errorf("want a number, not %s", v.kind))
	}
	return f
}

// list calls f for each item of a list.
func (o object) list(name string, f func(item value, path string)) {
	v, ok := o.object[name]
	if !ok || v.kind == "null" {
		return
	}
	if v.array == nil {
		o.report(v.offset, o.path+name, fmt.Errorf("want a list, not %s", v.kind))
	}
	for i, item := range v.array {
		f(item, fmt.Sprintf("%s%s[%d]", o.path, name, i))
	}
}

// objects calls f for each item of a list of objects.
func (o object) objects(name string, f func(item object)) {
	o.list(name, func(item value, path string) {
		if inner := o.open(item, path); inner.object != nil {
			f(inner)
		}
	})
}

func (o object) strings(name string) []string {
	var list []string
	o.list(name, func(item value, path string) {
		list = append(list, o.text(item, path))
	})
	return list
}

func (o object) stringMap(name string) map[string]string {
	v, ok := o.object[name]
	if !ok {
		return nil
	}
	inner := o.open(v, o.path+name)
	m := make(map[string]string, len(inner.object))
	for _, key := range slices.Sorted(maps.Keys(inner.object)) { // so that errors come in order
		m[key] = inner.string(key)
	}
	return m
}
