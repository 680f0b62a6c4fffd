package pack

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// A Severity says how bad a [Problem] is.
type Severity string

// The severities, the worst first.
const (
	SeverityError   Severity = "error"   // the pack, or a part of it, cannot be installed as it is
	SeverityWarning Severity = "warning" // it can be, but hardly does what its author means
	SeverityInfo    Severity = "info"    // worth knowing; often intended
)

// A Problem is what [Check] has to say about one place of a pack.
type Problem struct {
	Severity Severity
	// File is the path in the pack. In a chart archive the path goes on:
	// "charts/web-1.2.tgz/web/templates/service.yaml". Empty for the pack as a
	// whole.
	File    string
	Line    int    // from 1; 0 if the problem has no place in the file
	Column  int    // in bytes, from 1; 0 as for Line, or if it is not known
	Field   string // path of the field; may be empty
	Message string
}

// String returns "severity: file:line:column: field: message", without what is
// not known.
func (p Problem) String() string {
	e := Error{File: p.File, Line: p.Line, Column: p.Column, Field: p.Field, Err: errors.New(p.Message)}
	return string(p.Severity) + ": " + e.Error()
}

// SortProblems sorts by file and place.
func SortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			strings.Compare(a.Message, b.Message))
	})
}

// problemOf makes a problem of an error.
func problemOf(severity Severity, err error) Problem {
	if e, ok := errors.AsType[*Error](err); ok {
		return Problem{severity, e.File, e.Line, e.Column, e.Field, e.Err.Error()}
	}
	return Problem{Severity: severity, Message: err.Error()}
}

// A place is where a problem is.
type place struct {
	file         string
	line, column int
	field        string
}
