package strictyaml

import (
	"reflect"
	"strings"
)

type field struct {
	value reflect.Value
	tag   string // of "strict"
}

type fields struct {
	byName map[string]field
	names  []string // as they stand in the struct
}

// fieldsOf returns the fields of the struct v by the names of their json tags,
// with those of embedded structs that are tagged inline among them.
func fieldsOf(v reflect.Value) fields {
	fs := fields{byName: map[string]field{}}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && options == "inline":
			inner := fieldsOf(v.Field(i))
			for _, n := range inner.names {
				fs.add(n, inner.byName[n])
			}
		case f.IsExported() && name != "" && name != "-":
			fs.add(name, field{v.Field(i), f.Tag.Get("strict")})
		}
	}
	return fs
}

func (fs *fields) add(name string, f field) {
	fs.byName[name] = f
	fs.names = append(fs.names, name)
}
