package archive

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"archive/tar"
)

// A Problem says what is wrong with an archive.
type Problem string

// The problems. Limits are those of [Limits].
const (
	BadPath        Problem = "the path is absolute, leaves the archive, is too long or has characters that mean something elsewhere"
	Link           Problem = "links are not allowed"
	Special        Problem = "only regular files and folders are allowed"
	Duplicate      Problem = "the name occurs twice"
	FileAndFolder  Problem = "the name is both a file and a folder"
	TooManyEntries Problem = "too many files and folders"
	FileTooLarge   Problem = "the file is too large"
	TooLarge       Problem = "the unpacked archive is too large"
	Truncated      Problem = "the archive ends too early"
	Trailing       Problem = "something follows the end of the archive"
	Malformed      Problem = "not a valid tar or gzip file"
	Unreadable     Problem = "reading"
)

// An Error says why an archive was refused, or could not be written.
type Error struct {
	Entry   string // path of the entry; empty if the archive as a whole is at fault
	Problem Problem
	Err     error // the cause, if there is one besides the Problem
}

// Error returns "archive entry: problem: cause".
func (e *Error) Error() string {
	s := "archive"
	if e.Entry != "" {
		s = fmt.Sprintf("archive entry %.200q", e.Entry)
	}
	s += ": " + string(e.Problem)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// wrap turns what the standard readers report for an entry into an [*Error].
func wrap(entry string, err error) error {
	var own *Error
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &own):
		if own.Entry == "" {
			own.Entry = entry
		}
		return own
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &Error{Entry: entry, Problem: Truncated}
	case errors.Is(err, tar.ErrHeader), errors.Is(err, gzip.ErrHeader),
		errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return &Error{Entry: entry, Problem: Malformed, Err: err}
	}
	return &Error{Entry: entry, Problem: Unreadable, Err: err}
}
