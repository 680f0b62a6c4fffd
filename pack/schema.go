package pack

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	schemaFile    = "schema.yaml"
	maxSchemaFile = 1 << 20
)

// A Schema is what a pack asks of its values, in the order of schema.yaml.
type Schema []Rule

// A Rule is what a schema says of one value.
type Rule struct {
	// Path is the dotted path of the value. "$[]" stands for each item of a
	// list: "charts.web.hosts.$[].name".
	Path     string
	Required bool     // the value must be there, and not be empty
	ReadOnly bool     // the value must stay as the pack has it
	Format   string   // as it is written: "${number:[1-9]}"; empty for any
	Hints    []string // what to tell people who set the value
	Options  []string // of the format ${list:[A,B]}
	Secret   bool     // the format is ${password}: the value is not to be shown
	Line     int      // in schema.yaml

	format format
}

// Schema reads schema.yaml. A pack without one has no rules. The problems are
// those of [ReadSchema].
func (p *Pack) Schema() (Schema, []Problem) {
	text, err := read(p.files, schemaFile, maxSchemaFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []Problem{problemOf(SeverityError, &Error{File: schemaFile, Err: err})}
	}
	return ReadSchema(text)
}

// ReadSchema parses a schema.yaml: dotted paths, each with a pipeline such as
//
//	schema: '{{ required | format "${string:/^[a-z]+$/}" | hints "a name" }}'
//
// It tolerates words and formats that it does not know, with a warning; such a
// format admits every value. Rules that cannot be read are left out.
func ReadSchema(doc []byte) (Schema, []Problem) {
	var root yaml.Node
	if err := yaml.Unmarshal(doc, &root); err != nil {
		return nil, []Problem{problemOf(SeverityError, yamlError(schemaFile, err))}
	}
	if len(root.Content) == 0 || root.Content[0].ShortTag() == "!!null" {
		return nil, nil
	}
	r := &schemaReader{}
	n := root.Content[0]
	if n.Kind != yaml.MappingNode {
		r.report(SeverityError, n, "", "want a map with the path of a value as each key")
		return nil, r.problems
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		r.rule(n.Content[i], n.Content[i+1])
	}
	return r.schema, r.problems
}

type schemaReader struct {
	schema   Schema
	problems []Problem
}

func (r *schemaReader) report(severity Severity, n *yaml.Node, field, text string, args ...any) {
	r.problems = append(r.problems, Problem{severity, schemaFile, n.Line, n.Column, field, fmt.Sprintf(text, args...)})
}

func (r *schemaReader) rule(key, value *yaml.Node) {
	i := keyIndex(value, "schema")
	if i < 0 || value.Content[i+1].Kind != yaml.ScalarNode {
		r.report(SeverityError, key, key.Value, `want a map with the key "schema" and a text`)
		return
	}
	pipeline := value.Content[i+1]
	text, opened := strings.CutPrefix(strings.TrimSpace(pipeline.Value), "{{")
	text, closed := strings.CutSuffix(text, "}}")
	if !opened || !closed {
		r.report(SeverityError, pipeline, key.Value, `want "{{ word | word }}"`)
		return
	}
	stages, err := pipelineOf(text)
	if err != nil {
		r.report(SeverityError, pipeline, key.Value, "%v", err)
		return
	}
	rule := Rule{Path: key.Value, Line: key.Line}
	for _, s := range stages {
		r.stage(pipeline, &rule, s)
	}
	r.schema = append(r.schema, rule)
}

// stage adds one word of a pipeline to a rule.
func (r *schemaReader) stage(at *yaml.Node, rule *Rule, s stage) {
	switch s.word {
	case "required":
		rule.Required = true
	case "readonly":
		rule.ReadOnly = true
	case "hints":
		rule.Hints = append(rule.Hints, s.texts...)
	case "format":
		if len(s.texts) != 1 {
			r.report(SeverityError, at, rule.Path, "format: want one text after it")
			return
		}
		rule.Format = s.texts[0]
		var err error
		if rule.format, err = parseFormat(rule.Format); err != nil {
			r.report(SeverityError, at, rule.Path, "format %q: %v", rule.Format, err)
		}
		rule.Options, rule.Secret = rule.format.options, rule.format.secret
		for _, unknown := range rule.format.unknown {
			r.report(SeverityWarning, at, rule.Path, "format %q: ${%s} is not known, and admits everything", rule.Format, unknown)
		}
	default:
		r.report(SeverityWarning, at, rule.Path, "%q is not known: want required, readonly, format or hints", s.word)
	}
}

// Check checks values, after merging and after macros were replaced, against
// the schema. It reports all problems at once, each as an [*Error] whose Field
// is the path of the value, joined. No message holds a value.
//
// Values that hold macros are taken for good, and so are empty ones that are
// not required.
func (s Schema) Check(values map[string]any) error {
	var errs []error
	for _, rule := range s {
		found := valuesAt(values, rule.Path, "")
		if len(found) == 0 && rule.Required && !strings.Contains(rule.Path, "$[]") {
			errs = append(errs, rule.fail(rule.Path, errMissing))
		}
		for _, v := range found {
			if err := rule.check(v.value); err != nil {
				errs = append(errs, rule.fail(v.path, err))
			}
		}
	}
	return errors.Join(errs...)
}

// errMissing says that a required value is not set.
var errMissing = errors.New("required, but not set")

func (r Rule) check(value any) error {
	text, ok := scalar(value)
	switch {
	case ok && text == "" && r.Required:
		return errMissing
	case ok && (text == "" || strings.Contains(text, "{{")):
		return nil
	case !ok && r.Format != "" && len(r.format.unknown) == 0:
		return errors.New("want a single value, not a map or a list")
	case !ok:
		return nil
	}
	return r.format.check(text)
}

func (r Rule) fail(path string, err error) error {
	if len(r.Hints) > 0 {
		err = fmt.Errorf("%w (%s)", err, strings.Join(r.Hints, "; "))
	}
	return &Error{Field: path, Err: err}
}

// CheckChange reports the values that are read-only and not the same in both,
// each as an [*Error], joined. before are the pack's own values.
func (s Schema) CheckChange(before, after map[string]any) error {
	var errs []error
	for _, rule := range s {
		if !rule.ReadOnly {
			continue
		}
		if !reflect.DeepEqual(valuesAt(before, rule.Path, ""), valuesAt(after, rule.Path, "")) {
			errs = append(errs, rule.fail(rule.Path, errors.New("is read-only: leave it as the pack has it")))
		}
	}
	return errors.Join(errs...)
}

// A foundValue is a value and where it was found.
type foundValue struct {
	path  string
	value any
}

// valuesAt returns what stands at the path of a rule: several values if it leads
// into lists. Keys may hold dots.
func valuesAt(v any, path, at string) []foundValue {
	if path == "" {
		return []foundValue{{at, v}}
	}
	if rest, ok := strings.CutPrefix(path, "$[]"); ok {
		list, _ := v.([]any)
		var found []foundValue
		for i, item := range list {
			found = append(found, valuesAt(item, strings.TrimPrefix(rest, "."), fmt.Sprintf("%s[%d]", at, i))...)
		}
		return found
	}
	m, _ := v.(map[string]any)
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		if inner, ok := m[path[:end]]; ok {
			return valuesAt(inner, strings.TrimPrefix(path[end:], "."), join(at, path[:end]))
		}
	}
	return nil
}
