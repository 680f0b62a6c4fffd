package profile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/strata-go/strata/internal/joined"
	"github.com/strata-go/strata/internal/strictyaml"
)

// What an [*Error] wraps; test with [errors.Is].
var (
	// ErrSyntax says that a file is not well formed: invalid YAML, an unknown
	// field, a value of the wrong type.
	ErrSyntax = errors.New("not well formed")
	// ErrInvalid says that a field has a value that it may not have, or none.
	ErrInvalid = errors.New("invalid")
	// ErrKind says that a profile may not have a layer of this kind, has two of
	// a core kind, or lacks one.
	ErrKind = errors.New("kind not allowed")
	// ErrConflict says that two things of one stack have the same name.
	ErrConflict = errors.New("conflict")
	// ErrVariable says that a variable has no value, or one that it may not have.
	ErrVariable = errors.New("variable")
	// ErrMacro says that a macro names nothing that is known.
	ErrMacro = errors.New("macro")
	// ErrLock says that a lock cannot be read, or does not fit the stack.
	ErrLock = errors.New("lock")
)

// An Error is one problem in a profile or stack. None of them is cured by
// trying again.
type Error struct {
	Profile ID     // zero if the profile could not be read
	File    string // "" if it was not parsed from a file
	Line    int    // in File, from 1; zero if unknown
	Column  int    // in Line, from 1; zero if unknown
	Path    string // the field: "spec.layers[2].version"
	Problem string // says what is wrong and what to do
	Err     error  // one of the errors above
}

// Error returns "place: path: problem".
func (e *Error) Error() string {
	var parts []string
	switch {
	case e.File != "" && e.Column > 0:
		parts = append(parts, fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column))
	case e.File != "" && e.Line > 0:
		parts = append(parts, fmt.Sprintf("%s:%d", e.File, e.Line))
	case e.File != "":
		parts = append(parts, e.File)
	case e.Profile != ID{}:
		parts = append(parts, "profile "+e.Profile.String())
	}
	if e.File == "" && e.Line > 0 {
		parts = append(parts, fmt.Sprintf("line %d", e.Line))
	}
	if e.Path != "" {
		parts = append(parts, e.Path)
	}
	return strings.Join(append(parts, e.Problem), ": ")
}

// Unwrap returns what sort of problem it is.
func (e *Error) Unwrap() error { return e.Err }

// errorf returns a problem of p at path, with the place where the field stands,
// or else the nearest field around it.
func (p *Profile) errorf(sort error, path, format string, args ...any) *Error {
	e := p.origin.errorf(sort, path, format, args...)
	e.Profile = p.ID()
	return e
}

// An origin is the text that something was parsed from; it is zero if it was
// made by other means.
type origin struct {
	file      string // "" if it has no name
	text      string
	positions strictyaml.Positions // with macros protected, so columns behind one may be off
}

func (o origin) errorf(sort error, path, format string, args ...any) *Error {
	var at strictyaml.Position // that of the whole says nothing
	if path != "" {
		at = o.positions.Nearest(path)
	}
	return &Error{File: o.file, Line: at.Line, Column: at.Column, Path: path, Problem: fmt.Sprintf(format, args...), Err: sort}
}

// syntaxErrors turns the problems that strictyaml found into Errors.
func syntaxErrors(file string, err error) error {
	var problems []error
	for _, e := range joined.Errors(err) {
		p := &Error{File: file, Problem: e.Error(), Err: ErrSyntax}
		if se, ok := errors.AsType[*strictyaml.Error](e); ok {
			p.Line, p.Column, p.Path, p.Problem = se.Line, se.Column, se.Path, se.Problem
		}
		problems = append(problems, p)
	}
	return errors.Join(problems...)
}
