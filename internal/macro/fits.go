package macro

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// fits reports whether s can hold the values in the style that it has. bound is
// the value that it shall have in the end.
func (b *binder) fits(s scalar, bound string) bool {
	switch s.style { //nolint:exhaustive // the quoted styles follow
	case block:
		return b.fitsBlock(s, bound)
	case plainStyle:
		return b.fitsPlain(s, bound)
	}
	for _, i := range s.tokens {
		v := b.bound(i)
		if s.style == singleQuoted && !printable(v, "\t") {
			return false
		}
		// White space at the ends of lines is folded, and so are empty lines. At
		// the start of a line, --- would end the document.
		if s.manyLines && (v == "" || strings.Trim(v, " \t") != v || strings.ContainsRune("-.", rune(v[0]))) {
			return false
		}
	}
	return true
}

// word matches texts that are plain scalars wherever one may stand.
var word = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_./-]*$`)

// fitsPlain reports whether bound is a scalar where s stands, if it is written
// without quotes. A null is none: what a macro gives is there.
func (b *binder) fitsPlain(s scalar, bound string) bool {
	if s.manyLines {
		for _, i := range s.tokens {
			if !word.MatchString(b.bound(i)) {
				return false
			}
		}
		return true
	}
	if b.whole(s) && b.macros[s.tokens[0]].quotes() && !b.values[s.tokens[0]].later {
		return false
	}
	if word.MatchString(bound) {
		return !strings.EqualFold(bound, "null")
	}
	if bound == "" || !printable(bound, "\t") || s.column == 1 && (marker(bound) || bound[0] == '%') {
		return false
	}
	if s.flow {
		return isPlain(bound, "[%s]") && (!s.key || isPlain(bound, "{%s: x}"))
	}
	return isPlain(bound, "- %s\n") && (!s.key || isPlain(bound, "- %s: x\n"))
}

// isPlain reports whether text is a scalar at the %s of a document.
func isPlain(text, around string) bool {
	var doc yaml.Node
	if err := yaml.Unmarshal(fmt.Appendf(nil, around, text), &doc); err != nil {
		return false
	}
	n := &doc
	for n.Kind != yaml.ScalarNode {
		// Further items are there if the text holds some, or is a key.
		if items := len(n.Content); items != 1 && (n.Kind != yaml.MappingNode || items != 2) {
			return false
		}
		n = n.Content[0]
	}
	return n.Style == 0 && n.Value == text && n.Anchor == "" && n.Tag != "!!null" && n.Tag != "!!merge"
}

// fitsBlock reports whether the lines of s are still those of one block, with
// the same indentation and end, once the values stand in them.
func (b *binder) fitsBlock(s scalar, bound string) bool {
	if s.indent == 0 || strings.TrimSpace(bound) == "" || trailing(bound) != trailing(s.value) {
		return false
	}
	others := "\t\n"
	if s.folded {
		others = "\t"
	}
	for _, i := range s.tokens {
		v := b.bound(i)
		if !printable(v, others) {
			return false
		}
		before := b.text[:b.starts[i]]
		start := strings.LastIndexAny(before, "\n\r") + 1
		begins := strings.Trim(before[start:], " ") == ""
		if begins && (s.folded || start <= s.first) && (v == "" || strings.ContainsRune(" \t\n", rune(v[0]))) {
			return false // it would be taken for indentation
		}
	}
	return true
}

// trailing counts the line breaks at the end.
func trailing(text string) int { return len(text) - len(strings.TrimRight(text, "\n")) }

// printable reports whether text holds nothing but what YAML takes literally,
// and the others given.
func printable(text, others string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsPrint(r) && !strings.ContainsRune(others, r)
	})
}

// escape returns text as it stands in double quotes (YAML 1.1, section 5.6).
func escape(text string) string {
	if printable(text, "") && !strings.ContainsAny(text, `"\`) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r <= 0xFF:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xFFFF:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// unquote undoes the functions quote and squote.
func unquote(text string) string {
	if s, err := strconv.Unquote(text); err == nil && strings.HasPrefix(text, `"`) {
		return s
	}
	return strings.TrimSuffix(strings.TrimPrefix(text, "'"), "'")
}
