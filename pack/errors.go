package pack

import (
	"strconv"
	"strings"
)

// An Error is one defect of a pack.
type Error struct {
	File   string // path in the pack; empty for the pack as a whole
	Line   int    // from 1; 0 if the defect has no place in the file
	Column int    // in bytes, from 1; 0 as for Line, or if it is not known
	Field  string // path of the field: "constraints.dependencies[0].type"; may be empty
	Err    error
}

// Error returns "file:line:column: field: problem", without what is not known.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
		if e.Column > 0 {
			b.WriteString(":" + strconv.Itoa(e.Column))
		}
	}
	if e.Field != "" {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(e.Field)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
