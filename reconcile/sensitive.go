package reconcile

import (
	"slices"

	"github.com/strata-go/strata/profile"
)

// hideSensitive returns steps without sensitive values. Where the new value of a
// field is sensitive, the old one was so, too, and nobody can tell it any more.
func hideSensitive(steps []Step, redact func(string) string) []Step {
	for i := range steps {
		steps[i].Changes = slices.Clone(steps[i].Changes)
		for j, c := range steps[i].Changes {
			if shown := redact(c.New); shown != c.New {
				steps[i].Changes[j].Old, steps[i].Changes[j].New = hidden(c.Old), shown
			}
		}
	}
	return steps
}

// redactor returns what hides the sensitive values of d, and those that
// templates made, as far as they are known by then.
func (s *session) redactor(d *profile.Desired) func(string) string {
	return func(text string) string { return s.made.String(d.Redact(text)) }
}

// A redactedError has the text of an error without sensitive values, which an
// API server quotes, and templates do.
type redactedError struct {
	error
	text string
}

func (e redactedError) Error() string { return e.text }

func (e redactedError) Unwrap() error { return e.error }

// redacted returns err without sensitive values in its text.
func (s *session) redacted(err error) error {
	if err == nil || s.events.redact == nil {
		return err
	}
	if text := s.events.redact(err.Error()); text != err.Error() {
		return redactedError{err, text}
	}
	return err
}
