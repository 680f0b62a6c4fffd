package macro

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/strata-go/strata/internal/nearest"
)

// A call is a function of a pipeline with all of its arguments but the last,
// which comes through the pipeline.
type call struct {
	function
	name string
	args []argument
}

// An argument is a text, or the number that was written.
type argument struct {
	text string
	n    int
}

// Check returns what is wrong with the pipeline of m, whatever the value is.
func (m Macro) Check() error {
	_, err := m.calls()
	return err
}

// Apply returns value, that of the path of m, as it comes out of the pipeline.
func (m Macro) Apply(value string) (string, error) {
	calls, err := m.calls()
	if err != nil {
		return "", err
	}
	for _, c := range calls {
		if value, err = c.apply(c.args, value); err != nil {
			return "", fmt.Errorf("%s: %w", c.name, err)
		}
		if len(value) > maxValue {
			return "", fmt.Errorf("%s: the value has more than %d MiB", c.name, maxValue>>20)
		}
	}
	return value, nil
}

// maxValue bounds what functions make of a value.
const maxValue = 16 << 20

// HasDefault reports whether the pipeline has a value for when there is none.
func (m Macro) HasDefault() bool { return m.has("default") }

// quotes reports whether the value leaves the pipeline in quotes.
func (m Macro) quotes() bool {
	calls, err := m.calls()
	return err == nil && len(calls) > 0 && strings.HasSuffix(calls[len(calls)-1].name, "quote")
}

func (m Macro) has(name string) bool {
	calls, _ := m.calls()
	return slices.ContainsFunc(calls, func(c call) bool { return c.name == name })
}

func (m Macro) calls() ([]call, error) {
	if m.Pipeline == "" {
		return nil, nil
	}
	var calls []call
	words := words(m.Pipeline)
	for len(words) > 0 {
		n := slices.Index(words, "|")
		if n < 0 {
			n = len(words)
		}
		c, err := parseCall(words[:n])
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
		if n+1 == len(words) {
			return nil, fmt.Errorf("%s: a function must follow the last |", m.Pipeline)
		}
		words = words[min(n+1, len(words)):]
	}
	return calls, nil
}

func parseCall(words []string) (call, error) {
	if len(words) == 0 {
		return call{}, errors.New("want a | before each function, and a function after each |")
	}
	c := call{name: words[0]}
	var known bool
	if c.function, known = functions[c.name]; !known {
		names := slices.Sorted(maps.Keys(functions))
		return call{}, fmt.Errorf("unknown function %q%s (known: %s)", c.name, nearest.Hint(c.name, names), strings.Join(names, ", "))
	}
	if len(words)-1 != len(c.params) {
		return call{}, fmt.Errorf("%s takes %d arguments before the value, not %d", c.name, len(c.params), len(words)-1)
	}
	for i, word := range words[1:] {
		a, err := parseArgument(word, c.params[i])
		if err != nil {
			return call{}, fmt.Errorf("%s: %w", c.name, err)
		}
		c.args = append(c.args, a)
	}
	return c, nil
}

// parseArgument parses an argument: of param 'n' a whole number, of 's' a text.
func parseArgument(word string, param byte) (argument, error) {
	if param == 'n' {
		n, err := strconv.Atoi(word)
		if err != nil {
			return argument{}, fmt.Errorf("want a whole number, not %s", word)
		}
		return argument{n: n}, nil
	}
	if inner, ok := strings.CutPrefix(word, `\"`); ok {
		word = `"` + strings.TrimSuffix(inner, `\"`) + `"`
	}
	if word[0] == '"' || word[0] == '`' {
		text, err := strconv.Unquote(word)
		if err != nil {
			return argument{}, fmt.Errorf("%s is not a text in quotes", word)
		}
		return argument{text: text}, nil
	}
	if _, err := strconv.ParseFloat(word, 64); err == nil || word == "true" || word == "false" {
		return argument{text: word}, nil
	}
	return argument{}, fmt.Errorf("want a text in double quotes, not %s", word)
}
