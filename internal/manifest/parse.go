package manifest

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// Parse reads a stream of YAML (or JSON) documents. Empty documents are left
// out, and a List is replaced by its items. It reports all problems at once,
// joined, each a [*DocumentError]; then it returns no objects.
func Parse(source string, stream []byte) ([]Object, error) {
	return ParseAt(source, 1, stream)
}

// ParseAt is [Parse] for a part of source that begins on the given line.
func ParseAt(source string, line int, stream []byte) ([]Object, error) {
	var objects []Object
	var errs []error
	for _, d := range split(stream) {
		if d.content == 0 {
			continue
		}
		at := place{source: source, line: line + d.content - 1, text: line + d.line - 1}
		decoded, err := decode(at, d.text)
		objects = append(objects, decoded...)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return objects, nil
}

// A place is where a document stands.
type place struct {
	source string
	line   int // of the first content
	text   int // of the first byte of the document
}

func decode(at place, text []byte) ([]Object, error) {
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, syntaxError(at, err)
	}
	var content any
	if err := json.Unmarshal(asJSON, &content); err != nil {
		return nil, syntaxError(at, err)
	}
	if content == nil {
		return nil, nil
	}
	return expand(at, "", content)
}

// expand returns the object that content is or, if it is a List, those that
// it holds. The prefix is the path of content in its document.
func expand(at place, prefix string, content any) ([]Object, error) {
	fields, ok := content.(map[string]any)
	if !ok {
		problem := "not a Kubernetes object, which has apiVersion, kind and metadata"
		return nil, &DocumentError{at.source, at.line, strings.TrimSuffix(prefix, "."), problem}
	}
	if items, ok := listItems(fields); ok {
		return expandItems(at, prefix, items)
	}
	if err := check(at, prefix, fields); err != nil {
		return nil, err
	}
	o := Object{&unstructured.Unstructured{Object: fields}, at.source, at.line}
	return []Object{o}, nil
}

// listItems returns the items of "kind: List" and of typed lists, such as
// RoleBindingList, whose items may leave out what the list's kind implies.
func listItems(fields map[string]any) ([]any, bool) {
	kind, _ := fields["kind"].(string)
	single, isList := strings.CutSuffix(kind, "List")
	items, hasItems := fields["items"].([]any)
	if !isList || !hasItems {
		return nil, false
	}
	for _, item := range items {
		if m, ok := item.(map[string]any); ok && single != "" {
			setDefault(m, "apiVersion", fields["apiVersion"])
			setDefault(m, "kind", single)
		}
	}
	return items, true
}

func setDefault(m map[string]any, key string, value any) {
	if _, ok := m[key]; !ok {
		m[key] = value
	}
}

func expandItems(at place, prefix string, items []any) ([]Object, error) {
	var objects []Object
	var errs []error
	for i, item := range items {
		expanded, err := expand(at, fmt.Sprintf("%sitems[%d].", prefix, i), item)
		objects = append(objects, expanded...)
		errs = append(errs, err)
	}
	return objects, errors.Join(errs...)
}
