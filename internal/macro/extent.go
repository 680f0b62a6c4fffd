package macro

import "strings"

// endDouble returns the end of the double-quoted scalar that starts at start.
func endDouble(text string, start int) int {
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// endSingle returns the end of the single-quoted scalar that starts at start.
func endSingle(text string, start int) int {
	for i := start + 1; i < len(text); i++ {
		if text[i] != '\'' {
			continue
		}
		if strings.HasPrefix(text[i+1:], "'") {
			i++
			continue
		}
		return i + 1
	}
	return -1
}

// endPlain returns the end of the plain scalar that starts at start, whose value
// the parser found out. White space with a line break in it has become a space
// or breaks (YAML 1.1, section 4.2.5).
func endPlain(text string, start int, value string) int {
	at := start
	for value != "" {
		blank, breaks := fold(text[at:])
		if !breaks {
			if at == len(text) || text[at] != value[0] {
				return -1
			}
			at, value = at+1, value[1:]
			continue
		}
		rest := strings.TrimLeft(value, " \n\u2028\u2029")
		if rest == value {
			return -1
		}
		at, value = at+blank, rest
	}
	return at
}

// fold returns the length of the white space that text begins with, and whether
// a line ends in it.
func fold(text string) (blank int, breaks bool) {
	for blank < len(text) {
		switch n := lineBreak(text[blank:]); {
		case n > 0:
			breaks = true
			blank += n
		case text[blank] == ' ' || text[blank] == '\t':
			blank++
		default:
			return blank, breaks
		}
	}
	return blank, breaks
}

// block finds the end and the indentation of a block scalar. The end is that of
// its last line that is not blank.
func (d *Document) block(s *scalar) {
	line := 0
	for line < len(d.lines) && d.lines[line] <= s.start {
		line++
	}
	s.indent = -1
	for ; line < len(d.lines); line++ {
		from, to := d.lines[line], len(d.text)
		if line+1 < len(d.lines) {
			to = d.lines[line+1]
		}
		text := strings.TrimRight(d.text[from:to], "\r\n\u0085\u2028\u2029")
		if strings.Trim(text, " ") == "" {
			continue
		}
		spaces := leading(text)
		if s.indent < 0 {
			// The rest of the indentation is in the value.
			s.indent, s.first = spaces-leading(firstLine(s.value)), from
		}
		if spaces < s.indent || s.indent == 0 && marker(text) {
			return
		}
		s.end = from + len(text)
	}
}

func leading(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// firstLine returns the first line of text that is not blank.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if strings.Trim(line, " \n") != "" {
			return line
		}
	}
	return ""
}

// marker reports whether a line says where a document starts or ends.
func marker(line string) bool {
	return strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...")
}
