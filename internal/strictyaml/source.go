package strictyaml

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// source returns the text of a mapping as it stands in the document, without
// its indentation, if that can be told for sure. Writing the mapping anew costs
// more than to parse it, and changes its layout.
func (d *decoder) source(n *yaml.Node) (string, bool) {
	if n.Style&yaml.FlowStyle != 0 || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || d.key < 1 || n.Line <= d.key {
		return "", false
	}
	if d.lines == nil {
		d.lines = splitLines(d.data)
	}
	if head := d.lines[d.key-1]; !strings.HasSuffix(strings.TrimRight(head, " "), ":") || strings.Contains(head, "#") {
		return "", false // what follows the key is part of the mapping
	}
	end := len(d.lines)
	if d.after > d.key {
		end = d.after - 1
	}
	pad := strings.Repeat(" ", n.Column-1)
	lines := d.lines[d.key:end]
	// Comments of lower indentation belong to what follows.
	for len(lines) > 0 {
		last := lines[len(lines)-1]
		if strings.TrimSpace(last) != "" && (strings.HasPrefix(last, pad) || !strings.HasPrefix(strings.TrimSpace(last), "#")) {
			break
		}
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 || strings.HasPrefix(strings.TrimSpace(lines[len(lines)-1]), "#") {
		return "", false // a comment at the end may belong to either
	}
	var b strings.Builder
	for _, line := range lines {
		text, inside := strings.CutPrefix(line, pad)
		switch {
		case strings.TrimSpace(line) == "" && !inside:
			text = ""
		case !inside, strings.ContainsAny(line, "\r\t\u0085\u2028\u2029"), strings.Contains(line, "|+"), strings.Contains(line, ">+"):
			return "", false // blank lines at the end may be text, or the layout is strange
		}
		b.WriteString(text)
		b.WriteByte('\n')
	}
	return b.String(), true
}

// splitLines splits text as the parser counts lines (YAML 1.1, section 4.2):
// more than line feeds end one. Those of which other characters are the end
// keep them.
func splitLines(text string) []string {
	breaks := strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\u0085", "\u0085\n", "\u2028", "\u2028\n", "\u2029", "\u2029\n")
	return strings.Split(breaks.Replace(text), "\n")
}
