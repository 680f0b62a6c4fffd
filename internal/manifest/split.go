package manifest

import "bytes"

// A document is one document of a YAML stream.
type document struct {
	text    []byte
	line    int // on which text begins, counted from 1
	content int // of the first line that says something; 0 if none does
}

// split cuts a stream at its document markers. A marker stands at the start of
// a line and is followed by a space or the end of the line: nowhere else may
// YAML have one, so that an indented "---" in a block scalar is text.
// What follows a marker on its line belongs to the document.
func split(stream []byte) []document {
	stream = bytes.TrimPrefix(stream, []byte("\uFEFF"))
	var docs []document
	text, begin, line := 0, 1, 0
	for pos := 0; pos < len(stream); {
		line++
		end := pos + lineLength(stream[pos:])
		if isMarker(stream[pos:end]) {
			docs = append(docs, newDocument(stream[text:pos], begin))
			text, begin = pos+len("---"), line
		}
		pos = end
	}
	return append(docs, newDocument(stream[text:], begin))
}

func newDocument(text []byte, line int) document {
	d := document{text: text, line: line}
	for rest := text; len(rest) > 0; line++ {
		n := lineLength(rest)
		trimmed := bytes.TrimSpace(rest[:n])
		// A directive ("%YAML 1.2") says nothing about an object either.
		if len(trimmed) > 0 && trimmed[0] != '#' && rest[0] != '%' {
			d.content = line
			return d
		}
		rest = rest[n:]
	}
	return d
}

// lineLength returns the length of the first line of b, with its line break.
func lineLength(b []byte) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	return len(b)
}

func isMarker(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("---")) && !bytes.HasPrefix(line, []byte("...")) {
		return false
	}
	return len(line) == 3 || bytes.IndexByte([]byte(" \t\r\n"), line[3]) >= 0
}
