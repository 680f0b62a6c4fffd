package profile

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxShown is how many characters of a value are shown to people.
const maxShown = 120

// String returns the difference as text, a line for each change, and nothing if
// there is none.
func (d *Difference) String() string {
	var b strings.Builder
	field := func(indent string, c ValueChange) { fmt.Fprintf(&b, "%s%s: %s\n", indent, c.Path, c.arrow()) }
	for _, f := range d.Fields {
		field("", f)
	}
	for _, p := range d.Profiles {
		fmt.Fprintf(&b, "profile %s %s%s\n", p.Profile, p.Type, between(p.From, p.To))
	}
	for _, l := range d.Layers {
		fmt.Fprintf(&b, "%s layer %s %s%s%s\n", l.Kind, l.Layer, l.types(), between(l.From, l.To), repaveNote(l.Repave))
		for _, f := range l.Fields {
			field("  ", f)
		}
	}
	for _, v := range d.Variables {
		fmt.Fprintf(&b, "variable %s %s%s\n", v.Variable, v.Type, repaveNote(v.Repave))
		for _, f := range v.Fields {
			field("  ", f)
		}
	}
	return b.String()
}

// Markdown returns the difference as a text for a pull request.
func (d *Difference) Markdown() string {
	if d.Empty() {
		return "Nothing differs.\n"
	}
	var b strings.Builder
	if d.From != (ID{}) {
		fmt.Fprintf(&b, "### %s → %s\n\n", code(d.From.String()), code(d.To.String()))
	}
	d.markRepave(&b)
	if len(d.Layers)+len(d.Profiles) > 0 {
		b.WriteString("| | change | from | to |\n|---|---|---|---|\n")
		for _, p := range d.Profiles {
			row(&b, "profile "+code(p.Profile), string(p.Type), code(p.From), code(p.To))
		}
		for _, l := range d.Layers {
			row(&b, string(l.Kind)+" "+code(l.Layer), l.types(), code(l.From), code(l.To))
		}
		b.WriteString("\n")
	}
	var rows strings.Builder
	fields := func(of string, changes []ValueChange) {
		for _, c := range changes {
			row(&rows, of, code(c.Path), code(shorten(c.Old)), code(shorten(c.New)))
		}
	}
	fields("profile", d.Fields)
	for _, l := range d.Layers {
		fields(code(l.Layer), l.Fields)
	}
	for _, v := range d.Variables {
		if len(v.Fields) == 0 {
			row(&rows, "variable "+code(v.Variable), string(v.Type), "", "")
		}
		fields("variable "+code(v.Variable), v.Fields)
	}
	if rows.Len() > 0 {
		b.WriteString("| of | field | old | new |\n|---|---|---|---|\n" + rows.String())
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (d *Difference) markRepave(b *strings.Builder) {
	if len(d.Repave()) == 0 {
		b.WriteString("No nodes are replaced.\n\n")
		return
	}
	b.WriteString("**Nodes are replaced:**\n\n")
	for _, l := range d.Layers {
		if l.Repave != "" {
			fmt.Fprintf(b, "- layer %s: %s\n", code(l.Layer), cell(l.Repave))
		}
	}
	for _, v := range d.Variables {
		if v.Repave != "" {
			fmt.Fprintf(b, "- variable %s: %s\n", code(v.Variable), cell(v.Repave))
		}
	}
	b.WriteString("\n")
}

// headlines returns a few words for each change.
func (d *Difference) headlines() []string {
	var lines []string
	for _, f := range d.Fields {
		lines = append(lines, f.Path+" changed")
	}
	for _, p := range d.Profiles {
		lines = append(lines, fmt.Sprintf("profile %s %s", p.Profile, p.Type))
	}
	for _, l := range d.Layers {
		line := fmt.Sprintf("layer %s %s", l.Layer, l.types())
		if len(l.Fields) > 0 {
			line += " (" + l.Fields[0].Path + ")"
		}
		lines = append(lines, line)
	}
	for _, v := range d.Variables {
		lines = append(lines, fmt.Sprintf("variable %s %s", v.Variable, v.Type))
	}
	return lines
}

func (l LayerChange) types() string {
	words := make([]string, len(l.Types))
	for i, t := range l.Types {
		words[i] = string(t)
	}
	return strings.Join(words, ", ")
}

func (c ValueChange) arrow() string {
	switch {
	case c.Old == "":
		return shorten(c.New)
	case c.New == "":
		return shorten(c.Old) + " → (none)"
	}
	return shorten(c.Old) + " → " + shorten(c.New)
}

func between(from, to string) string {
	switch {
	case from == to:
		return ""
	case from == "":
		return ": " + to
	case to == "":
		return ": " + from
	}
	return ": " + from + " → " + to
}

func repaveNote(reason string) string {
	if reason == "" {
		return ""
	}
	return " [replaces nodes: " + reason + "]"
}

func shorten(s string) string {
	if utf8.RuneCountInString(s) <= maxShown {
		return s
	}
	return string([]rune(s)[:maxShown]) + "…"
}

func row(b *strings.Builder, cells ...string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// code returns text as code in a cell of a table, whatever it holds.
func code(text string) string {
	if text == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + cell(text) + fence
}

// cell keeps text from ending the cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ").Replace(text)
}
