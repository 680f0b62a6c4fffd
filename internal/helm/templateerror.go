package helm

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
}

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

// newTemplateError reads the message of an error of Helm's engine.
func newTemplateError(err error) *TemplateError {
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
