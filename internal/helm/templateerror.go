package helm

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// A TemplateError says where a template fails, and why. It is wrapped in a
// [*ChartError].
type TemplateError struct {
	Template string // path, from the chart's name on; "" is unknown
	Line     int    // counted from 1; 0 is unknown
	Column   int    // counted from 0, as text/template does
	Message  string // of Helm or of the template itself
	// Missing is the value that is not set, such as ".Values.image", where the
	// message tells.
	Missing string
	// Via is the place that included Template, as "path:line:column"; "" if
	// none did.
	Via string
	// Err is the cause where it is a [*LimitError], the end of the context or
	// an error of a lookup; else nil.
	Err error
}

// Unwrap returns the cause.
func (e *TemplateError) Unwrap() error { return e.Err }

// Error returns "template:line:column: message".
func (e *TemplateError) Error() string {
	var b strings.Builder
	if e.Template != "" {
		b.WriteString(e.Template)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Missing != "" {
		fmt.Fprintf(&b, " (%s is not set)", e.Missing)
	}
	if e.Via != "" {
		fmt.Fprintf(&b, " (included by %s)", e.Via)
	}
	return b.String()
}

var (
	// As Helm words errors of parsing, and those that a template raises itself.
	atPlace = regexp.MustCompile(`(?s)^(?:parse|execution) error (?:at|in) \(([^()]*?)(?::(\d+))?(?::(\d+))?\): (.*)$`)
	// As text/template words the rest, once for each template on the way.
	inTemplate = regexp.MustCompile(`template: ([^\s:]+):(\d+)(?::(\d+))?: `)
	evaluating = regexp.MustCompile(`(?s)^executing ".*?" at <(.*?)>: (.*)$`)
	nilPointer = regexp.MustCompile(`^nil pointer evaluating .*\.([^.\s]+)$`)
	noValue    = regexp.MustCompile(`(?:got interface \{\}|invalid value; expected \S+)$`)
	valuePath  = regexp.MustCompile(`^\$?(?:\.[A-Za-z_][A-Za-z0-9_]*)+$`)
)

// parseError words an error of parsing a file as Helm does.
func parseError(file string, err error) error {
	if limit, ok := errors.AsType[*LimitError](err); ok {
		return &TemplateError{Template: file, Message: limit.Error(), Err: limit}
	}
	tokens := strings.Split(err.Error(), ": ")
	if len(tokens) == 1 {
		return fmt.Errorf("parse error in (%s): %w", file, err)
	}
	return fmt.Errorf("parse error at (%s): %s", tokens[1], tokens[len(tokens)-1])
}

// execError words an error of executing a file as Helm does.
func execError(file string, err error) error {
	if _, ok := errors.AsType[template.ExecError](err); !ok {
		return err
	}
	tokens := strings.SplitN(err.Error(), ": ", 3)
	if len(tokens) != 3 {
		return fmt.Errorf("execution error in (%s): %w", file, err)
	}
	if own, ok := errors.AsType[raised](err); ok {
		return fmt.Errorf("execution error at (%s): %s", tokens[1], own.message)
	}
	return err
}

// A placedError is the error of the innermost template of several that include
// each other. Those around it add nothing that anybody reads, and their texts
// would grow with the square of the depth.
type placedError struct{ error }

func (e *placedError) Unwrap() error { return e.error }

func placed(err error) error {
	if err == nil {
		return nil
	}
	if inner, ok := errors.AsType[*placedError](err); ok {
		return inner
	}
	return &placedError{err}
}

// cause returns what callers may ask an error of a template for.
func cause(err error) error {
	if limit, ok := errors.AsType[*LimitError](err); ok {
		return limit
	}
	if found, ok := errors.AsType[*lookupError](err); ok {
		return found.err
	}
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			return end
		}
	}
	return nil
}

// newTemplateError reads the message of an error of the engine.
func newTemplateError(err error) *TemplateError {
	if already, ok := err.(*TemplateError); ok { //nolint:errorlint // only if it is not wrapped
		return already
	}
	e := readError(err)
	e.Err = cause(err)
	return e
}

func readError(err error) *TemplateError {
	text := err.Error()
	if m := atPlace.FindStringSubmatch(text); m != nil {
		return &TemplateError{Template: m[1], Line: number(m[2]), Column: number(m[3]), Message: m[4]}
	}
	all := inTemplate.FindAllStringSubmatchIndex(text, -1)
	if all == nil {
		return &TemplateError{Message: text}
	}
	// The last template of the chain is the one at fault.
	last := all[len(all)-1]
	m := inTemplate.FindStringSubmatch(text[last[0]:])
	e := &TemplateError{Template: m[1], Line: number(m[2]), Column: number(m[3]), Message: text[last[1]:]}
	if len(all) > 1 {
		e.Via = strings.TrimSuffix(strings.TrimPrefix(text[all[0][0]:all[0][1]], "template: "), ": ")
	}
	if m := evaluating.FindStringSubmatch(e.Message); m != nil {
		e.Message = fmt.Sprintf("%s: %s", m[1], m[2])
		e.Missing = missing(m[1], m[2])
	}
	return e
}

// missing returns the value whose absence makes expr fail, if problem says so.
func missing(expr, problem string) string {
	if !valuePath.MatchString(expr) {
		return ""
	}
	if m := nilPointer.FindStringSubmatch(problem); m != nil {
		parts := strings.Split(expr, ".")
		if i := slices.Index(parts, m[1]); i > 1 {
			return strings.Join(parts[:i], ".")
		}
		return ""
	}
	if noValue.MatchString(problem) {
		return expr
	}
	return ""
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
