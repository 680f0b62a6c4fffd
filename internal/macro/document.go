package macro

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A Document is a parsed YAML stream that may hold macros. It is immutable.
type Document struct {
	text string // with the tokens
	*tokenizer
	macros    []Macro
	mapping   bool
	scalars   []scalar // that hold macros, in order
	misplaced []*Error // macros where no value may stand

	lines []int // offsets of the starts of lines; made when needed
}

// Parse parses a YAML stream. Macros may stand unquoted.
func Parse(doc []byte) (*Document, error) { return ParseAnd(doc, nil) }

// ParseAnd is [Parse] and shows each document of the stream to see, if that is
// not nil. In them stand tokens for the macros; original puts macros in their
// place in a string.
func ParseAnd(doc []byte, see func(root *yaml.Node, original func(string) string)) (*Document, error) {
	d := &Document{macros: Scan(string(doc)), mapping: true}
	d.text, d.tokenizer = tokenize(string(doc), d.macros)
	dec := yaml.NewDecoder(strings.NewReader(d.text))
	for n := 0; ; n++ {
		var root yaml.Node
		if err := dec.Decode(&root); errors.Is(err, io.EOF) {
			return d, nil
		} else if err != nil {
			return nil, fmt.Errorf("invalid YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		}
		if n == 0 && len(root.Content) > 0 {
			first := root.Content[0]
			d.mapping = first.Kind == yaml.MappingNode || first.Tag == "!!null"
		}
		if len(d.macros) > 0 {
			d.visit(&root, place{})
		}
		if see != nil {
			see(&root, d.original)
		}
	}
}

// original returns a string of the document as it is written.
func (d *Document) original(s string) string {
	return d.replace(s, func(i int) string { return d.tokenizer.macros[i] })
}

// Mapping reports whether the first document is a mapping, or empty.
func (d *Document) Mapping() bool { return d.mapping }

// Macros returns the macros that binding replaces: not those in comments.
func (d *Document) Macros() []Macro {
	var list []Macro
	for _, s := range d.scalars {
		for _, i := range s.tokens {
			list = append(list, d.macros[i])
		}
	}
	return list
}

func (d *Document) errorf(token int, err error) *Error {
	return &Error{d.macros[token].Line, d.tokenizer.macros[token], err}
}

// A place says where a node stands.
type place struct {
	flow bool // between braces or brackets
	key  bool // of a mapping
	root bool // of a document
}

// A style is one of those in which scalars are written.
type style int

const (
	plainStyle style = iota
	singleQuoted
	doubleQuoted
	block // literal or folded
)

// A scalar is one that holds macros. Offsets are in the text with tokens.
type scalar struct {
	place
	style      style
	start, end int // of its text, without tag and anchor
	value      string
	tokens     []int
	column     int // from 1
	manyLines  bool
	glued      bool // to an anchor, as a plain scalar may be

	folded bool // a block whose lines are joined
	indent int  // of a block
	first  int  // offset of the first line of a block that is not blank
}

// whole reports whether s is nothing but one macro.
func (d *Document) whole(s scalar) bool { return len(s.value) == d.width() }

// visit finds the scalars below n. Aliases are not followed: what they name is
// visited where it stands.
func (d *Document) visit(n *yaml.Node, at place) {
	for _, name := range []string{n.Anchor, n.Tag, aliasOf(n)} {
		for _, i := range d.tokens(name) {
			d.misplaced = append(d.misplaced, d.errorf(i, errors.New("a macro cannot stand in a tag, an anchor or an alias")))
		}
	}
	if n.Kind == yaml.ScalarNode {
		if tokens := d.tokens(n.Value); len(tokens) > 0 {
			s, err := d.scalar(n, at, tokens)
			if err != nil {
				d.misplaced = append(d.misplaced, d.errorf(tokens[0], err))
				return
			}
			d.scalars = append(d.scalars, s)
		}
	}
	at.flow = at.flow || n.Style&yaml.FlowStyle != 0
	for i, c := range n.Content {
		at.root = n.Kind == yaml.DocumentNode
		at.key = n.Kind == yaml.MappingNode && i%2 == 0
		d.visit(c, at)
	}
}

func aliasOf(n *yaml.Node) string {
	if n.Kind == yaml.AliasNode {
		return n.Value
	}
	return ""
}

// errPlace should not happen: the parser says where each scalar stands.
var errPlace = errors.New("cannot find where the text around it begins and ends; write it in double quotes")

// errIndent refuses what YAML takes in a block only.
var errIndent = errors.New("the block around it stands at the start of a line; indent it")

// scalar finds the text of n, which holds tokens.
func (d *Document) scalar(n *yaml.Node, at place, tokens []int) (scalar, error) {
	s := scalar{place: at, value: n.Value, tokens: tokens, column: n.Column}
	node := d.offset(n.Line, n.Column)
	s.start = d.afterProperties(node)
	last := d.starts[tokens[len(tokens)-1]]
	if s.start < 0 || s.start > d.starts[tokens[0]] {
		return s, errPlace
	}
	s.glued = s.start > node && anchor.FindString(d.text[s.start-1:s.start]) != ""
	switch c := d.text[s.start]; {
	case n.Style&yaml.DoubleQuotedStyle != 0 && c == '"':
		s.style, s.end = doubleQuoted, endDouble(d.text, s.start)
	case n.Style&yaml.SingleQuotedStyle != 0 && c == '\'':
		s.style, s.end = singleQuoted, endSingle(d.text, s.start)
	case n.Style&yaml.LiteralStyle != 0 && c == '|', n.Style&yaml.FoldedStyle != 0 && c == '>':
		s.style, s.folded = block, c == '>'
		d.block(&s)
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0:
		s.end = endPlain(d.text, s.start, n.Value)
	}
	if s.end < last+d.width() {
		return s, errPlace
	}
	s.manyLines = breakIn(d.text[s.start:s.end])
	return s, nil
}

var anchor = regexp.MustCompile(`^[0-9A-Za-z_-]*`)

// afterProperties returns where a node begins, behind its tag and anchor.
func (d *Document) afterProperties(at int) int {
	const breaks = "\r\n\u0085\u2028\u2029"
	for at >= 0 && at < len(d.text) {
		rest, n := d.text[at:], 0
		switch c := rest[0]; c {
		case '&':
			n = 1 + len(anchor.FindString(rest[1:]))
		case '!':
			n = strings.IndexAny(rest, " \t"+breaks)
		case '#':
			n = strings.IndexAny(rest, breaks)
		default:
			if n, _ = fold(rest); n == 0 {
				return at
			}
		}
		if n < 0 {
			return -1
		}
		at += n
	}
	return -1
}

// offset returns the offset of a place that the parser names, or -1. It counts
// lines as YAML 1.1 does, and columns in characters.
func (d *Document) offset(line, column int) int {
	if d.lines == nil {
		d.lines = lineStarts(d.text)
	}
	if line < 1 || line > len(d.lines) {
		return -1
	}
	at := d.lines[line-1]
	for ; column > 1; column-- {
		_, size := utf8.DecodeRuneInString(d.text[at:])
		at += size
	}
	if at >= len(d.text) {
		return -1
	}
	return at
}

// lineStarts returns where each line of text starts.
func lineStarts(text string) []int {
	starts := []int{len(text) - len(strings.TrimPrefix(text, "\uFEFF"))}
	for at := starts[0]; at < len(text); {
		if n := lineBreak(text[at:]); n > 0 {
			at += n
			starts = append(starts, at)
			continue
		}
		// Bytes of other characters never look like the start of a break.
		at++
	}
	return starts
}

// lineBreak returns the length of the line break that text begins with: those of
// YAML 1.1, section 5.4, as the parser takes them.
func lineBreak(text string) int {
	switch text[0] {
	case '\n':
		return 1
	case '\r':
		if len(text) > 1 && text[1] == '\n' {
			return 2
		}
		return 1
	case 0xC2: // U+0085
		if strings.HasPrefix(text, "\u0085") {
			return 2
		}
	case 0xE2: // U+2028, U+2029
		if strings.HasPrefix(text, "\u2028") || strings.HasPrefix(text, "\u2029") {
			return 3
		}
	}
	return 0
}

func breakIn(text string) bool {
	return strings.ContainsAny(text, "\n\r\u0085\u2028\u2029")
}
