package macro

import (
	"strings"
	"unicode/utf8"
)

// A Macro is one macro in a text.
type Macro struct {
	Start, End int    // byte offsets; text[Start:End] is "{{ ... }}"
	Line       int    // from 1
	Path       string // "spectro.var.replicas", without the leading dot
	// Pipeline is what the value goes through, "" if nothing: "substr 0 4".
	// {{ upper .spectro.var.x }} is the same as {{ .spectro.var.x | upper }}.
	Pipeline string
}

// prefix begins the path of every macro.
const prefix = ".spectro."

// Scan returns the macros in text, in order. An expression that begins like a
// macro and does not end on its line is not one.
func Scan(text string) []Macro {
	var macros []Macro
	line, counted := 1, 0
	for at := 0; ; {
		open := strings.Index(text[at:], "{{")
		if open < 0 {
			return macros
		}
		start := at + open
		end, inner := expression(text[start:])
		if end == 0 {
			at = start + 2
			continue
		}
		path, pipeline, ok := split(inner)
		if !ok {
			at = start + end
			if strings.HasPrefix(inner, "{") {
				at = start + 1 // "{{{ .spectro.x }}}" holds one
			}
			continue
		}
		line += strings.Count(text[counted:start], "\n")
		counted = start
		macros = append(macros, Macro{Start: start, End: start + end, Line: line, Path: path, Pipeline: pipeline})
		at = start + end
	}
}

// expression returns the length of the "{{ ... }}" that text begins with, and
// what is between the braces. The length is zero if it does not end on its line.
// Braces in quoted strings do not end it; opening ones outside of them say that
// it was none.
func expression(text string) (length int, inner string) {
	for i := 2; i < len(text); {
		switch {
		case lineBreak(text[i:]) > 0:
			return 0, ""
		case strings.HasPrefix(text[i:], "{{"):
			return 0, ""
		case strings.HasPrefix(text[i:], "}}"):
			inner := strings.TrimSuffix(strings.TrimPrefix(text[2:i], "-"), "-")
			return i + 2, strings.Trim(inner, " \t")
		}
		n := quoted(text[i:])
		if n < 0 {
			return 0, ""
		}
		i += max(n, 1)
	}
	return 0, ""
}

// quoted returns the length of the quoted string that text begins with: 0 if
// it begins with none, and -1 if the string does not end on its line. As macros
// stand in strings of YAML, \" opens a string too, which another one closes.
func quoted(text string) int {
	for _, q := range [...]string{`"`, "`", `\"`} {
		if !strings.HasPrefix(text, q) {
			continue
		}
		for i := len(q); i < len(text) && lineBreak(text[i:]) == 0; i++ {
			switch {
			case strings.HasPrefix(text[i:], q):
				return i + len(q)
			case q == `"` && text[i] == '\\':
				i++
			}
		}
		return -1
	}
	return 0
}

// split parts "path | pipeline" and "function argument... path | pipeline". It
// reports false if the expression is no macro.
func split(inner string) (path, pipeline string, ok bool) {
	if !printable(inner, "\t") || !utf8.ValidString(inner) {
		return "", "", false // YAML would refuse it
	}
	words := words(inner)
	first := words
	for i, w := range words {
		if w == "|" {
			first = words[:i]
			break
		}
	}
	if len(first) == 0 {
		return "", "", false
	}
	rest := strings.Join(words[min(len(first)+1, len(words)):], " ")
	if rest == "" && len(words) > len(first) {
		rest = "|" // with nothing behind it, which is refused with the pipeline
	}
	last := first[len(first)-1]
	switch {
	case strings.HasPrefix(first[0], prefix):
		if pipeline = rest; len(first) > 1 {
			// What follows the path without a bar is refused with the pipeline.
			pipeline = join("| "+strings.Join(first[1:], " "), rest)
		}
		return first[0][1:], pipeline, true
	case isName(first[0]) && strings.HasPrefix(last, prefix):
		return last[1:], join(strings.Join(first[:len(first)-1], " "), rest), true
	}
	return "", "", false
}

func join(first, rest string) string {
	if first == "" || rest == "" {
		return first + rest
	}
	return first + " | " + rest
}

func isName(word string) bool {
	c := word[0] | 0x20
	return 'a' <= c && c <= 'z'
}

// words parts an expression at white space and bars, outside of quoted strings.
func words(s string) []string {
	var list []string
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" {
			return list
		}
		n := quoted(s)
		if n <= 0 {
			n = strings.IndexAny(s, " \t|\"`")
			switch {
			case n < 0:
				n = len(s)
			case n == 0:
				n = 1 // a bar, or a quote that is never closed
			case s[n] == '"' && s[n-1] == '\\' && n > 1:
				n-- // the quote is \"
			}
		}
		list = append(list, s[:n])
		s = s[n:]
	}
}
