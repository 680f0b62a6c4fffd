package macro

import (
	"crypto/sha1" //nolint:gosec // a checksum that packs ask for by name
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A function is one that macros may use.
type function struct {
	params string // 's' for a text, 'n' for a whole number
	apply  func(args []argument, value string) (string, error)
}

// functions have the names, arguments and results of sprig
// (github.com/Masterminds/sprig), but what they cut is counted in characters, as
// half of one is no text.
var functions = map[string]function{
	"upper":      plain(strings.ToUpper),
	"lower":      plain(strings.ToLower),
	"title":      plain(func(v string) string { return eachWord(v, unicode.ToTitle) }),
	"untitle":    plain(func(v string) string { return eachWord(v, unicode.ToLower) }),
	"trim":       plain(strings.TrimSpace),
	"nospace":    plain(func(v string) string { return strings.Join(strings.Fields(v), "") }),
	"toString":   plain(func(v string) string { return v }),
	"quote":      plain(strconv.Quote),
	"squote":     plain(func(v string) string { return "'" + v + "'" }),
	"b64enc":     plain(func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) }),
	"sha1sum":    plain(func(v string) string { s := sha1.Sum([]byte(v)); return hex.EncodeToString(s[:]) }), //nolint:gosec // see above
	"sha256sum":  plain(func(v string) string { s := sha256.Sum256([]byte(v)); return hex.EncodeToString(s[:]) }),
	"b64dec":     {"", func(_ []argument, v string) (string, error) { return decode(v) }},
	"int":        {"", func(_ []argument, v string) (string, error) { return whole(v) }},
	"default":    with("s", func(a []argument, v string) string { return fallback(v, a[0].text) }),
	"trimAll":    with("s", func(a []argument, v string) string { return strings.Trim(v, a[0].text) }),
	"trimPrefix": with("s", func(a []argument, v string) string { return strings.TrimPrefix(v, a[0].text) }),
	"trimSuffix": with("s", func(a []argument, v string) string { return strings.TrimSuffix(v, a[0].text) }),
	"replace":    {"ss", func(a []argument, v string) (string, error) { return replaceAll(v, a[0].text, a[1].text) }},
	"repeat":     {"n", func(a []argument, v string) (string, error) { return repeat(v, a[0].n) }},
	"trunc":      with("n", func(a []argument, v string) string { return trunc(v, a[0].n) }),
	"substr":     with("nn", func(a []argument, v string) string { return substr(v, a[0].n, a[1].n) }),
	"indent":     {"n", func(a []argument, v string) (string, error) { return indent(v, a[0].n) }},
	"nindent": {"n", func(a []argument, v string) (string, error) {
		v, err := indent(v, a[0].n)
		return "\n" + v, err
	}},
}

func plain(f func(string) string) function {
	return with("", func(_ []argument, v string) string { return f(v) })
}

func with(params string, f func(args []argument, value string) string) function {
	return function{params, func(args []argument, v string) (string, error) { return f(args, v), nil }}
}

func fallback(v, instead string) string {
	if v == "" {
		return instead
	}
	return v
}

func eachWord(v string, first func(rune) rune) string {
	before := ' '
	return strings.Map(func(r rune) rune {
		starts := unicode.IsSpace(before)
		before = r
		if starts {
			return first(r)
		}
		return r
	}, v)
}

func decode(v string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(v)
	if err != nil {
		return "", errors.New("the value is not base64") // the cause would quote it
	}
	if !utf8.Valid(b) {
		return "", errors.New("the value is no text once it is decoded")
	}
	return string(b), nil
}

// whole cuts off a fraction, and takes what is no number for 0.
func whole(v string) (string, error) {
	if i, err := strconv.ParseInt(v, 10, 64); err == nil {
		return strconv.FormatInt(i, 10), nil
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || f != f || f >= 1<<63 || f < -1<<63 {
		return "0", nil //nolint:nilerr // as sprig has it
	}
	return strconv.FormatInt(int64(f), 10), nil
}

func replaceAll(v, from, to string) (string, error) {
	if (1+strings.Count(v, from))*len(to) > maxValue {
		return "", errors.New("the value grows too large")
	}
	return strings.ReplaceAll(v, from, to), nil
}

func repeat(v string, count int) (string, error) {
	if count < 0 || len(v) > 0 && count > maxValue/len(v) {
		return "", fmt.Errorf("%d times is not possible", count)
	}
	return strings.Repeat(v, count), nil
}

// trunc keeps the first n characters, or the last ones if n is negative.
func trunc(v string, n int) string {
	runes := []rune(v)
	switch {
	case n >= 0 && n < len(runes):
		return string(runes[:n])
	case n < 0 && -n < len(runes):
		return string(runes[len(runes)+n:])
	}
	return v
}

// substr returns the characters from start to before end. Bounds that are out
// of range, as a negative one is, are those of the text.
func substr(v string, start, end int) string {
	runes := []rune(v)
	if end < 0 || end > len(runes) {
		end = len(runes)
	}
	start = min(max(start, 0), end)
	return string(runes[start:end])
}

func indent(v string, spaces int) (string, error) {
	if spaces < 0 || spaces > maxValue/(1+strings.Count(v, "\n")) {
		return "", fmt.Errorf("%d spaces are not possible", spaces)
	}
	pad := strings.Repeat(" ", spaces)
	return pad + strings.ReplaceAll(v, "\n", "\n"+pad), nil
}
