package pack

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/strata-go/strata/internal/version"
)

// A stage is one word of a pipeline, and the texts after it.
type stage struct {
	word  string
	texts []string
}

// pipelineOf parses `word "text" "text" | word`. Within a text, a backslash
// stands for itself, so that regular expressions can be written as they are,
// except before a quote.
func pipelineOf(s string) ([]stage, error) {
	stages := []stage{{}}
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		last := &stages[len(stages)-1]
		switch s[0] {
		case '|':
			stages = append(stages, stage{})
			s = s[1:]
		case '"':
			text, rest, ok := quoted(s[1:])
			if !ok {
				return nil, errors.New("a quote is not closed")
			}
			last.texts = append(last.texts, text)
			s = rest
		default:
			end := strings.IndexAny(s, " \t\n|\"")
			if end < 0 {
				end = len(s)
			}
			if last.word != "" {
				return nil, fmt.Errorf("%q and %q: want | between them", last.word, s[:end])
			}
			last.word, s = s[:end], s[end:]
		}
	}
	if slices.ContainsFunc(stages, func(s stage) bool { return s.word == "" }) {
		return nil, errors.New("a word is missing")
	}
	return stages, nil
}

func quoted(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '"':
			i++
		case s[i] == '"':
			return b.String(), s[i+1:], true
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// A format is a parsed format: texts with parts between them.
type format struct {
	parts   []formatPart
	whole   *regexp.Regexp // finds the parts in a value; nil admits everything
	options []string       // of the parts that are lists
	secret  bool
	unknown []string
}

// A formatPart is one ${...} of a format.
type formatPart struct {
	what  string                 // for people: "a number"
	check func(text string) bool // nil admits everything
}

// parseFormat parses "${ipv4} - ${ipv4}" and the like.
func parseFormat(text string) (format, error) {
	var f format
	var pattern strings.Builder
	pattern.WriteString(`(?s)^`)
	for text != "" {
		open := strings.Index(text, "${")
		if open < 0 {
			pattern.WriteString(regexp.QuoteMeta(text))
			break
		}
		pattern.WriteString(regexp.QuoteMeta(text[:open]))
		name, arg, rest, err := partOf(text[open+2:])
		if err != nil {
			return format{}, err
		}
		text = rest
		found, err := f.part(name, arg)
		if err != nil {
			return format{}, fmt.Errorf("${%s}: %w", name, err)
		}
		pattern.WriteString("(" + found + ")")
	}
	pattern.WriteString("$")
	if f.unknown == nil {
		var err error
		if f.whole, err = regexp.Compile(pattern.String()); err != nil {
			return format{}, err
		}
	}
	return f, nil
}

// partOf splits `name:argument}rest`. A regular expression or a list may hold
// braces.
func partOf(s string) (name, arg, rest string, err error) {
	end := strings.IndexAny(s, ":}")
	if end < 0 {
		return "", "", "", errors.New(`"${" without "}"`)
	}
	name = s[:end]
	if s[end] == '}' {
		return name, "", s[end+1:], nil
	}
	s = s[end+1:]
	closing := "}"
	if s != "" && s[0] == '/' {
		closing = "/}"
	} else if s != "" && s[0] == '[' {
		closing = "]}"
	}
	if end = strings.Index(s, closing); end < 0 {
		return "", "", "", fmt.Errorf("${%s: without %q", name, closing)
	}
	return name, s[:end+len(closing)-1], s[end+len(closing):], nil
}

// part adds a part, and returns the pattern by which it is found in a value.
func (f *format) part(name, arg string) (pattern string, err error) {
	p := formatPart{}
	pattern = `.*?`
	switch name {
	case "string", "password":
		p.what = "a text"
		f.secret = f.secret || name == "password"
	case "number":
		p.what = "a number"
		pattern = `[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?`
		p.check = isNumber
	case "boolean":
		p.what = "true or false"
		pattern = `true|false`
	case "ipv4":
		p.what = "an IPv4 address"
		p.check = isIPv4
	case "version":
		p.what = "a version"
		p.check = isVersion
	case "list":
		return f.list(arg)
	default:
		f.unknown = append(f.unknown, name)
		return pattern, nil
	}
	if arg != "" {
		if pattern, err = p.narrow(arg, pattern); err != nil {
			return "", err
		}
	}
	f.parts = append(f.parts, p)
	return pattern, nil
}

func (f *format) list(arg string) (pattern string, err error) {
	items, ok := strings.CutPrefix(strings.TrimSuffix(arg, "]"), "[")
	if !ok {
		return "", errors.New("want ${list:[A,B]}")
	}
	var options, patterns []string
	for item := range strings.SplitSeq(items, ",") {
		options = append(options, strings.TrimSpace(item))
		patterns = append(patterns, regexp.QuoteMeta(strings.TrimSpace(item)))
	}
	f.options = append(f.options, options...)
	f.parts = append(f.parts, formatPart{what: "one of " + strings.Join(options, ", ")})
	return strings.Join(patterns, "|"), nil
}

// narrow adds a regular expression or a range.
func (p *formatPart) narrow(arg, pattern string) (string, error) {
	if expr, ok := strings.CutPrefix(arg, "/"); ok {
		expr = strings.TrimSuffix(expr, "/")
		re, err := regexp.Compile(expr)
		if err != nil {
			return "", err
		}
		p.what = fmt.Sprintf("%s that matches /%s/", p.what, expr)
		p.also(re.MatchString)
		return pattern, nil
	}
	if bounds := numberRange.FindStringSubmatch(arg); bounds != nil {
		low, errLow := strconv.ParseFloat(bounds[1], 64)
		high, errHigh := strconv.ParseFloat(bounds[2], 64)
		if errLow == nil && errHigh == nil {
			p.what = fmt.Sprintf("a number from %s to %s", bounds[1], bounds[2])
			p.also(func(text string) bool {
				n, err := strconv.ParseFloat(text, 64)
				return err == nil && low <= n && n <= high
			})
			return pattern, nil
		}
	}
	return "", fmt.Errorf("%q: want /expression/ or [low-high]", arg)
}

var numberRange = regexp.MustCompile(`^\[\s*([-+]?[0-9.]+)\s*-\s*([-+]?[0-9.]+)\s*\]$`)

// also adds a check to those before.
func (p *formatPart) also(check func(string) bool) {
	before := p.check
	p.check = func(text string) bool { return (before == nil || before(text)) && check(text) }
}

// check reports whether a value has the format.
func (f format) check(text string) error {
	if f.whole == nil {
		return nil
	}
	found := f.whole.FindStringSubmatch(text)
	for i, p := range f.parts {
		if found == nil || p.check != nil && !p.check(found[i+1]) {
			return fmt.Errorf("want %s", f.what())
		}
	}
	if found == nil {
		return fmt.Errorf("want %s", f.what())
	}
	return nil
}

func (f format) what() string {
	var parts []string
	for _, p := range f.parts {
		parts = append(parts, p.what)
	}
	if len(parts) == 0 {
		return "the text of the format"
	}
	return strings.Join(parts, ", then ")
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

func isIPv4(text string) bool {
	addr, err := netip.ParseAddr(text)
	return err == nil && addr.Is4()
}

func isVersion(text string) bool {
	_, err := version.Parse(text)
	return err == nil
}

// scalar returns a value as text, and whether it is no map and no list.
func scalar(v any) (text string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case map[string]any, []any:
		return "", false
	}
	return fmt.Sprint(v), true
}
