package manifest

import (
	"regexp"
	"strconv"
	"strings"
)

// A DocumentError says what is wrong with one field of one document.
// [Parse] joins one for every problem that it finds.
type DocumentError struct {
	Source  string // the file, as it was given
	Line    int    // where the document begins; of a syntax error, the line at fault
	Field   string // path of the field ("metadata.name"); "" is the whole document
	Problem string // it quotes no values, because they may be secret
}

// Error returns "source:line: field: problem".
func (e *DocumentError) Error() string {
	var b strings.Builder
	b.WriteString(e.Source)
	if e.Line > 0 {
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(e.Line))
	}
	b.WriteString(": ")
	if e.Field != "" {
		b.WriteString(e.Field)
		b.WriteString(": ")
	}
	b.WriteString(e.Problem)
	return b.String()
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// syntaxError locates an error of the YAML decoder, which counts lines from
// the beginning of the document.
func syntaxError(at place, err error) *DocumentError {
	problem := strings.TrimPrefix(err.Error(), "yaml: ")
	line := at.line
	if m := yamlLine.FindStringSubmatch(problem); m != nil {
		n, _ := strconv.Atoi(m[1])
		line = at.text + n - 1
		problem = strings.Replace(problem, m[0], "", 1)
	}
	return &DocumentError{Source: at.source, Line: line, Problem: problem}
}
