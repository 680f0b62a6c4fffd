package macro

import (
	"fmt"
	"strings"
)

// A Macro is one macro in a text.
type Macro struct {
	Start, End int    // byte offsets; text[Start:End] is "{{ ... }}"
	Line       int    // from 1
	Path       string // "spectro.var.replicas", without the leading dot
	Pipeline   string // what follows the path, "" if nothing does: "substr 0 4"
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
		if !strings.HasPrefix(inner, prefix) {
			at = start + end
			if strings.HasPrefix(inner, "{") {
				at = start + 1 // "{{{ .spectro.x }}}" holds one
			}
			continue
		}
		line += strings.Count(text[counted:start], "\n")
		counted = start
		path, pipeline := split(inner)
		macros = append(macros, Macro{Start: start, End: start + end, Line: line, Path: path, Pipeline: pipeline})
		at = start + end
	}
}

// expression returns the length of the "{{ ... }}" that text begins with, and
// what is between the braces. The length is zero if it does not end on its line.
// Braces in quoted strings do not end it; opening ones outside of them say that
// it was none.
func expression(text string) (length int, inner string) {
	var quote byte
	for i := 2; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n':
			return 0, ""
		case quote != 0:
			if c == '\\' && quote == '"' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '`':
			quote = c
		case strings.HasPrefix(text[i:], "{{"):
			return 0, ""
		case strings.HasPrefix(text[i:], "}}"):
			inner := strings.TrimSuffix(strings.TrimPrefix(text[2:i], "-"), "-")
			return i + 2, strings.TrimSpace(inner)
		}
	}
	return 0, ""
}

// split parts "path | pipeline".
func split(inner string) (path, pipeline string) {
	path, pipeline, _ = strings.Cut(inner, "|")
	return strings.TrimSpace(path)[1:], strings.TrimSpace(pipeline)
}

// A tokenizer replaces macros by tokens that YAML takes for plain words.
type tokenizer struct {
	stem   string
	macros []string // the text of each
}

// tokenize returns text with each of macros replaced by a token.
func tokenize(text string, macros []Macro) (string, *tokenizer) {
	t := &tokenizer{stem: "xMACRO"}
	for strings.Contains(text, t.stem) {
		t.stem += "x"
	}
	var b strings.Builder
	last := 0
	for i, m := range macros {
		b.WriteString(text[last:m.Start])
		b.WriteString(t.token(i))
		t.macros = append(t.macros, text[m.Start:m.End])
		last = m.End
	}
	b.WriteString(text[last:])
	return b.String(), t
}

// token returns the i-th token. Its fixed width keeps one token from being the
// beginning of another.
func (t *tokenizer) token(i int) string { return fmt.Sprintf("%s%08dx", t.stem, i) }

// replace returns s with the tokens replaced by what with says for each.
func (t *tokenizer) replace(s string, with func(i int) string) string {
	if !strings.Contains(s, t.stem) {
		return s
	}
	var b strings.Builder
	width := len(t.token(0))
	for {
		at := strings.Index(s, t.stem)
		if at < 0 || len(s) < at+width {
			b.WriteString(s)
			return b.String()
		}
		var i int
		if _, err := fmt.Sscanf(s[at+len(t.stem):at+width], "%08dx", &i); err != nil || i >= len(t.macros) {
			b.WriteString(s[:at+1])
			s = s[at+1:]
			continue
		}
		b.WriteString(s[:at])
		b.WriteString(with(i))
		s = s[at+width:]
	}
}

// Protect replaces the macros in a YAML text by plain words, so that YAML can
// be parsed where macros stand unquoted. restore puts them back, in any string
// that comes of the text.
func Protect(text string) (protected string, restore func(string) string) {
	protected, t := tokenize(text, Scan(text))
	return protected, func(s string) string {
		return t.replace(s, func(i int) string { return t.macros[i] })
	}
}
