package manifest

import (
	"errors"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// check reports what keeps an object from being named: an API server could
// not even be asked about it. It also fills in "" for labels and annotations
// that are null, as the API server does.
func check(at place, prefix string, fields map[string]any) error {
	c := checker{place: at, prefix: prefix}
	if v := c.required(fields, "apiVersion", ""); v != "" {
		if _, err := schema.ParseGroupVersion(v); err != nil {
			c.report("apiVersion", `must be "version" or "group/version"`)
		}
	}
	c.required(fields, "kind", "")
	meta, ok := fields["metadata"].(map[string]any)
	if !ok {
		c.report("metadata.name", "is missing")
		return errors.Join(c.problems...)
	}
	if c.required(meta, "name", "metadata.") == "" && meta["generateName"] != nil {
		c.report("metadata.generateName", "cannot be kept in step: give the object a name")
	}
	if v, has := meta["namespace"]; has && v == nil {
		delete(meta, "namespace")
	} else if _, ok := v.(string); has && !ok {
		c.report("metadata.namespace", quoteIt)
	}
	c.strings(meta, "labels")
	c.strings(meta, "annotations")
	if fields["kind"] == "ConfigMap" && fields["apiVersion"] == "v1" {
		c.data(fields)
	}
	return errors.Join(c.problems...)
}

// data checks that the data of a ConfigMap are strings: the server would refuse
// numbers and truth values that want quotes, when other objects are applied.
func (c *checker) data(fields map[string]any) {
	data, _ := fields["data"].(map[string]any)
	for _, k := range slices.Sorted(maps.Keys(data)) {
		if _, ok := data[k].(string); !ok && data[k] != nil {
			c.report("data."+k, quoteIt)
		}
	}
}

const quoteIt = "must be a string: put quotes around it"

// A checker collects the problems of one object.
type checker struct {
	place
	prefix   string
	problems []error
}

func (c *checker) report(field, problem string) {
	c.problems = append(c.problems, &DocumentError{c.source, c.line, c.prefix + field, problem})
}

// required returns the text of m[key], or "" after reporting what is wrong.
func (c *checker) required(m map[string]any, key, path string) string {
	v, isString := m[key].(string)
	switch {
	case m[key] != nil && !isString:
		c.report(path+key, quoteIt)
	case v == "":
		c.report(path+key, "is missing")
	}
	return v
}

// strings checks that metadata[key] is a map of strings. Otherwise the
// accessors of unstructured objects ignore the map, and with it hooks and
// policies that stand in annotations.
func (c *checker) strings(meta map[string]any, key string) {
	v, has := meta[key]
	if !has {
		return
	}
	if v == nil {
		delete(meta, key)
		return
	}
	m, ok := v.(map[string]any)
	if !ok {
		c.report("metadata."+key, "must be a map of strings")
		return
	}
	var wrong []string
	for k, v := range m {
		if v == nil {
			m[k] = ""
		} else if _, ok := v.(string); !ok {
			wrong = append(wrong, k)
		}
	}
	slices.Sort(wrong)
	for _, k := range wrong {
		c.report("metadata."+key+"."+k, quoteIt)
	}
}
