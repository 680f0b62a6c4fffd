package reconcile

import (
	"slices"

	"github.com/strata-go/strata/profile"
)

// hideSensitive takes sensitive values out of all that p says of objects, so that
// they are in no result and no event either. Where the new value of a field is
// sensitive, the old one was so, too, and nobody can tell it any more.
func (p *Plan) hideSensitive(redact func(string) string) {
	all := slices.Clone(p.spaces)
	for _, l := range p.layers {
		all = append(all, l.objects...)
	}
	for _, w := range all {
		for i, c := range w.changes {
			if shown := redact(c.New); shown != c.New {
				w.changes[i].Old, w.changes[i].New = hidden(c.Old), shown
			}
		}
	}
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
