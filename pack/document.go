package pack

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/values"
)

// A document is a YAML file of a pack whose places are known. Macros, also
// those that are not quoted, are text.
type document struct {
	file string
	data map[string]any
	at   map[string]place // by path, as in "charts.web.hosts[0]"
}

// readDocument reads a YAML document that holds a map. The error is an [*Error].
func readDocument(file string, text []byte) (*document, error) {
	protected, restore := macro.Protect(string(text))
	data, err := values.Parse(file, []byte(protected))
	if err != nil {
		e := &Error{File: file, Err: err}
		if p, ok := errors.AsType[*values.ParseError](err); ok {
			e.Line, e.Column, e.Err = p.Line, min(p.Line, 1), fmt.Errorf("%s", p.Problem)
		}
		return nil, e
	}
	d := &document{file: file, data: restored(data, restore).(map[string]any), at: map[string]place{}}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(protected), &root); err != nil {
		return nil, &Error{File: file, Err: err}
	}
	for _, n := range root.Content {
		d.index("", n, restore)
	}
	return d, nil
}

// restored puts macros back into data.
func restored(v any, restore func(string) string) any {
	switch v := v.(type) {
	case string:
		return restore(v)
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			m[restore(key)] = restored(item, restore)
		}
		return m
	case []any:
		for i, item := range v {
			v[i] = restored(item, restore)
		}
	}
	return v
}

// index notes where everything below n stands. Aliases are not followed: what
// they name has a place already.
func (d *document) index(path string, n *yaml.Node, restore func(string) string) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			inner := join(path, restore(key.Value))
			d.at[inner] = place{d.file, key.Line, key.Column, inner}
			d.index(inner, n.Content[i+1], restore)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			inner := fmt.Sprintf("%s[%d]", path, i)
			d.at[inner] = place{d.file, item.Line, item.Column, inner}
			d.index(inner, item, restore)
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// place returns where a path stands or, if it is not there, the nearest above.
func (d *document) place(path string) place {
	for p := path; p != ""; p = p[:max(strings.LastIndexAny(p, ".["), 0)] {
		if at, ok := d.at[p]; ok {
			at.field = path
			return at
		}
	}
	return place{file: d.file, field: path}
}

// block returns the map at a key of the outermost level, nil if it is none.
func (d *document) block(key string) map[string]any {
	m, _ := d.data[key].(map[string]any)
	return m
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// yamlError makes an [*Error] of an error of the YAML package.
func yamlError(file string, err error) *Error {
	e := &Error{File: file, Err: err}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if e.Line, _ = strconv.Atoi(m[1]); e.Line > 0 {
			e.Column = 1
		}
		e.Err = fmt.Errorf("%s", strings.TrimPrefix(err.Error(), m[0]))
	}
	return e
}
