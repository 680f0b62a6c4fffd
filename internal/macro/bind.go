package macro

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// An Error is a macro that has no value.
type Error struct {
	Line  int    // of the document, from 1
	Macro string // as it is written
	Err   error
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s: %v", e.Line, e.Macro, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// A Lookup returns the value of a macro. It must be safe for concurrent use.
type Lookup func(m Macro) (string, error)

// Bind returns the YAML stream doc with its macros replaced by their values. A
// document without macros is returned as it is. An unquoted scalar takes the
// type that YAML gives to the text it has in the end, as if the value had been
// written there. Macros in comments stay.
//
// The error joins an [*Error] for each macro without a value.
func Bind(doc []byte, lookup Lookup) ([]byte, error) {
	text := string(doc)
	macros := Scan(text)
	if len(macros) == 0 {
		return doc, nil
	}
	values := make([]string, len(macros))
	var errs []error
	for i, m := range macros {
		v, err := lookup(m)
		if err != nil {
			errs = append(errs, &Error{m.Line, text[m.Start:m.End], err})
		}
		values[i] = v
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	protected, t := tokenize(text, macros)
	return substitute([]byte(protected), t, values)
}

func substitute(doc []byte, t *tokenizer, values []string) ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	dec := yaml.NewDecoder(bytes.NewReader(doc))
	for {
		var n yaml.Node
		if err := dec.Decode(&n); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("invalid YAML: %w", err)
		}
		visit(&n, t, values)
		if err := enc.Encode(&n); err != nil {
			return nil, fmt.Errorf("writing YAML: %w", err)
		}
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	return out.Bytes(), nil
}

// visit replaces the tokens in the scalars below n. Aliases are not followed:
// what they name is visited where it stands.
func visit(n *yaml.Node, t *tokenizer, values []string) {
	original := func(i int) string { return t.macros[i] }
	n.HeadComment = t.replace(n.HeadComment, original)
	n.LineComment = t.replace(n.LineComment, original)
	n.FootComment = t.replace(n.FootComment, original)
	if n.Kind == yaml.ScalarNode {
		if bound := t.replace(n.Value, func(i int) string { return values[i] }); bound != n.Value {
			setScalar(n, bound)
		}
	}
	for _, c := range n.Content {
		visit(c, t, values)
	}
}

// setScalar gives n a new text. What is quoted stays text. What is plain gets
// the type that YAML resolves for the new text if that is a scalar of one line.
func setScalar(n *yaml.Node, text string) {
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	plain := n.Style&quoted == 0
	n.Value = text
	if plain && resolves(text, n) {
		return
	}
	n.Tag = "!!str"
	if plain || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		// The only style that can hold everything, and on one line.
		n.Style = yaml.DoubleQuotedStyle
	}
}

// resolves reports whether text is a plain scalar, and gives n its type.
func resolves(text string, n *yaml.Node) bool {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) != 1 {
		return false
	}
	c := doc.Content[0]
	if c.Kind != yaml.ScalarNode || c.Style != 0 || c.Value != text || c.Tag == "!!null" || strings.Contains(text, "\n") {
		return false
	}
	n.Tag = c.Tag
	return true
}
