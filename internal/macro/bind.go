package macro

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// An Error is a macro that cannot be replaced.
type Error struct {
	Line  int    // of the document, from 1
	Macro string // as it is written
	Err   error
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s: %v", e.Line, e.Macro, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrLater is what a [Lookup] returns for a macro that stays as it is written,
// to be replaced when more is known.
var ErrLater = errors.New("not known yet")

// A Lookup returns the value of a macro as it leaves the pipeline. It must be
// safe for concurrent use.
type Lookup func(m Macro) (string, error)

// Bind returns the YAML stream doc with its macros replaced by their values.
// Nothing else changes: a scalar that holds macros is written anew only if its
// style cannot hold the values, and all other bytes stay.
//
// An unquoted scalar takes the type that YAML gives to the text it has in the
// end, as if the value had been written there. Macros in comments stay.
//
// The error joins an [*Error] for each macro without a value.
func Bind(doc []byte, lookup Lookup) ([]byte, error) {
	if len(Scan(string(doc))) == 0 {
		return doc, nil
	}
	d, err := Parse(doc)
	if err != nil {
		return nil, err
	}
	return d.Bind(lookup)
}

// Expand returns text, which is no YAML, with its macros replaced. Errors are
// those of lookup, joined; a macro that is not known yet stays.
func Expand(text string, lookup Lookup) (string, error) {
	var b strings.Builder
	var errs []error
	last := 0
	for _, m := range Scan(text) {
		value, err := lookup(m)
		if errors.Is(err, ErrLater) {
			continue
		}
		errs = append(errs, err)
		b.WriteString(text[last:m.Start])
		b.WriteString(value)
		last = m.End
	}
	b.WriteString(text[last:])
	return b.String(), errors.Join(errs...)
}

// Bind is [Bind] of the document that was parsed.
func (d *Document) Bind(lookup Lookup) ([]byte, error) {
	b := binder{Document: d}
	var err error
	if b.values, err = d.values(lookup); err != nil {
		return nil, err
	}
	out, errs := b.write()
	return out, joinErrors(errs)
}

// Check returns the error of [Document.Bind] without binding, but for values
// that YAML cannot hold where the macros stand.
func (d *Document) Check(lookup Lookup) error {
	_, err := d.values(lookup)
	return err
}

func (d *Document) values(lookup Lookup) ([]value, error) {
	values := make([]value, len(d.macros))
	errs := slices.Clone(d.misplaced)
	for _, s := range d.scalars {
		for _, i := range s.tokens {
			v, err := lookup(d.macros[i])
			if err == nil && !utf8.ValidString(v) {
				err = errors.New("the value is not valid UTF-8, which YAML cannot hold")
			}
			if later := errors.Is(err, ErrLater); later || err == nil {
				values[i] = value{v, later}
				continue
			}
			errs = append(errs, d.errorf(i, err))
		}
	}
	return values, joinErrors(errs)
}

// joinErrors joins errors in the order of their lines.
func joinErrors(errs []*Error) error {
	slices.SortStableFunc(errs, func(a, b *Error) int { return cmp.Compare(a.Line, b.Line) })
	joined := make([]error, len(errs))
	for i, e := range errs {
		joined[i] = e
	}
	return errors.Join(joined...)
}

// A value is what a macro is replaced by.
type value struct {
	text  string
	later bool // the macro stays
}

// A binder binds a document once.
type binder struct {
	*Document
	values []value
}

// write returns the document with the scalars that hold macros written anew.
func (b *binder) write() ([]byte, []*Error) {
	var out strings.Builder
	var errs []*Error
	last := 0
	original := func(i int) string { return b.tokenizer.macros[i] }
	for _, s := range b.scalars {
		text, err := b.scalar(s)
		if err != nil {
			errs = append(errs, b.errorf(s.tokens[0], err))
			continue
		}
		out.WriteString(b.replace(b.text[last:s.start], original))
		out.WriteString(text)
		last = s.end
	}
	out.WriteString(b.replace(b.text[last:], original))
	return []byte(out.String()), errs
}

// maxKey is the length of the longest key that a YAML parser finds the end of:
// 1024 with all that stands before the colon (YAML 1.1, section 7.3).
const maxKey = 1000

// scalar returns the text of s with its macros replaced.
func (b *binder) scalar(s scalar) (string, error) {
	bound := b.replace(s.value, b.bound)
	source := b.text[s.start:s.end]
	text := ""
	if b.fits(s, bound) {
		text = b.replace(source, func(i int) string { return b.inPlace(s, i) })
	} else {
		if s.style == block && s.column == 1 && !s.root {
			return "", errIndent
		}
		text = b.doubleQuoted(s)
		if s.glued {
			text = " " + text
		}
		if s.style == block {
			header, _, _ := strings.Cut(source, "\n")
			if at := strings.IndexByte(header, '#'); at >= 0 {
				text += " " + strings.TrimRight(header[at:], "\r")
			}
		}
	}
	if s.key && utf8.RuneCountInString(text) > maxKey {
		return "", fmt.Errorf("the key grows longer than %d characters, which YAML does not allow", maxKey)
	}
	return text, nil
}

// bound returns what the i-th token becomes. What stays is seen as a token.
func (b *binder) bound(i int) string {
	if b.values[i].later {
		return b.token(i)
	}
	return b.values[i].text
}

// inPlace returns what the i-th token becomes in the style that s has.
func (b *binder) inPlace(s scalar, i int) string {
	v := b.values[i]
	switch {
	case v.later:
		return b.tokenizer.macros[i]
	case s.style == doubleQuoted:
		return escape(v.text)
	case s.style == singleQuoted:
		return strings.ReplaceAll(v.text, "'", "''")
	case s.style == block:
		return strings.ReplaceAll(v.text, "\n", "\n"+strings.Repeat(" ", s.indent))
	}
	return v.text
}

// doubleQuoted writes s anew in the only style that can hold every text.
func (b *binder) doubleQuoted(s scalar) string {
	var out strings.Builder
	out.WriteByte('"')
	rest := s.value
	for _, i := range s.tokens {
		at, _ := b.next(rest)
		out.WriteString(escape(rest[:at]))
		rest = rest[at+b.width():]
		switch v := b.values[i]; {
		case v.later:
			out.WriteString(escape(strings.ReplaceAll(b.tokenizer.macros[i], `\"`, `"`)))
		case b.whole(s) && s.style == plainStyle && b.macros[i].quotes():
			out.WriteString(escape(unquote(v.text)))
		default:
			out.WriteString(escape(v.text))
		}
	}
	out.WriteString(escape(rest))
	out.WriteByte('"')
	return out.String()
}
