package values

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// A ParseError says why a document holds no values.
type ParseError struct {
	Name    string // of the document, as it was given
	Line    int    // counted from 1; 0 is unknown
	Problem string // it quotes no values, because they may be secret
}

// Error returns "name:line: problem".
func (e *ParseError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Name, e.Problem)
	}
	return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Problem)
}

var (
	yamlLine  = regexp.MustCompile(`line (\d+): `)
	separator = regexp.MustCompile(`(?m)^---(\s|$)`)
)

// Parse reads one YAML document that holds a map. An empty document is an
// empty map. Errors are of type [*ParseError].
func Parse(name string, doc []byte) (map[string]any, error) {
	doc = bytes.TrimPrefix(doc, []byte("\uFEFF"))
	asJSON, err := yaml.YAMLToJSON(doc)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	if err := single(name, doc); err != nil {
		return nil, err
	}
	if first := asJSON[0]; first != '{' && first != 'n' {
		return nil, &ParseError{Name: name, Problem: "must be a map of keys and values"}
	}
	m := map[string]any{}
	if err := json.Unmarshal(asJSON, &m); err != nil {
		return nil, syntaxError(name, err)
	}
	if m == nil {
		m = map[string]any{}
	}
	return m, nil
}

// single refuses a second document, which the decoder leaves out silently.
func single(name string, doc []byte) error {
	said := false
	for line, text := range strings.Split(string(doc), "\n") {
		switch trimmed := strings.TrimSpace(text); {
		case separator.MatchString(text):
			if said {
				return &ParseError{name, line + 1, "a second document begins here: only one is read"}
			}
		case trimmed != "" && trimmed[0] != '#' && text[0] != '%':
			said = true
		}
	}
	return nil
}

func syntaxError(name string, err error) *ParseError {
	e := &ParseError{Name: name, Problem: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(e.Problem); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Problem = strings.Replace(e.Problem, m[0], "", 1)
	}
	return e
}
