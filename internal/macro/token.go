package macro

import (
	"fmt"
	"strconv"
	"strings"
)

// A tokenizer replaces macros by tokens that YAML takes for plain words.
type tokenizer struct {
	stem   string
	macros []string // the text of each
	starts []int    // of the tokens in the text that holds them
}

// digits is how many there are in a token. The fixed width keeps one token from
// being the beginning of another.
const digits = 8

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
		t.starts = append(t.starts, b.Len())
		b.WriteString(t.token(i))
		t.macros = append(t.macros, text[m.Start:m.End])
		last = m.End
	}
	b.WriteString(text[last:])
	return b.String(), t
}

func (t *tokenizer) token(i int) string { return fmt.Sprintf("%s%0*dx", t.stem, digits, i) }

// width is the length of each token.
func (t *tokenizer) width() int { return len(t.stem) + digits + 1 }

// next finds the first token in s: where it starts, and which it is. The start
// is negative if there is none.
func (t *tokenizer) next(s string) (start, token int) {
	for at := 0; ; at++ {
		found := strings.Index(s[at:], t.stem)
		if found < 0 {
			return -1, 0
		}
		at += found
		number := at + len(t.stem)
		end := number + digits
		if end >= len(s) || s[end] != 'x' {
			continue
		}
		i, err := strconv.ParseUint(s[number:end], 10, 32)
		if err == nil && i < uint64(len(t.macros)) {
			return at, int(i)
		}
	}
}

// replace returns s with the tokens replaced by what with says for each.
func (t *tokenizer) replace(s string, with func(i int) string) string {
	start, token := t.next(s)
	if start < 0 {
		return s
	}
	var b strings.Builder
	for ; start >= 0; start, token = t.next(s) {
		b.WriteString(s[:start])
		b.WriteString(with(token))
		s = s[start+t.width():]
	}
	b.WriteString(s)
	return b.String()
}

// tokens returns the tokens in s, in order.
func (t *tokenizer) tokens(s string) []int {
	var list []int
	t.replace(s, func(i int) string {
		list = append(list, i)
		return ""
	})
	return list
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
