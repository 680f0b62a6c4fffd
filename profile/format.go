package profile

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/strictyaml"
)

// Format returns p as a file in the one canonical form: two profiles that are
// equal give equal bytes, apart from comments. Those of the text that p was
// parsed from are kept, also if p was changed since then; blank lines are not.
// Parsing the result gives p again.
//
// The error names a text that no YAML can hold, such as one that is not UTF-8.
func (p *Profile) Format() ([]byte, error) {
	data, err := format(p.document(), p.origin)
	if err != nil {
		return nil, fmt.Errorf("writing profile %s: %w", p.ID(), err)
	}
	return data, nil
}

// FormatFile returns the text of a file, a profile's or a stack's, in the form
// of [Profile.Format]. It looks at the form only: what the file says may be
// wrong, and files that it names are neither read nor put in its place.
// Problems are reported as by [Parse].
func FormatFile(data []byte) ([]byte, error) {
	var doc any = new(document)
	if kindOf(data) == StackKind {
		doc = new(stackDocument)
	}
	from, err := decode("", data, doc)
	if err != nil {
		return nil, err
	}
	return format(doc, from)
}

// kindOf returns the kind that a file says it is, "" if it cannot be read.
func kindOf(data []byte) string {
	text, _ := macro.Protect(string(data))
	var h struct{ Kind string }
	if yaml.Unmarshal([]byte(text), &h) != nil {
		return ""
	}
	return h.Kind
}

// format writes a document, with the comments of the text that it came from.
func format(doc any, from origin) ([]byte, error) {
	data, err := strictyaml.Format{Original: from.text, Protect: macro.Protect}.Encode(doc)
	if err != nil {
		return nil, err
	}
	// What stands between macros can make one that was none. That is found here
	// rather than on the day when the file is needed.
	again := reflect.New(reflect.TypeOf(doc).Elem()).Interface()
	if _, err := decode("", data, again); err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(doc, again) {
		return nil, &Error{Problem: "a text in it would be read as another one", Err: ErrSyntax}
	}
	return data, nil
}
