package strictyaml

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// breaks are what YAML takes for the end of a line, besides the one that
// everybody does. Only double quotes keep them.
const breaks = "\r\u0085\u2028\u2029"

// scalar returns s as YAML on one line, if s is one.
func (e *encoder) scalar(s string) (text string, ok bool) {
	if strings.Contains(s, "\n") {
		return "", false
	}
	protected, restore := e.Protect(s)
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: protected}
	var v any = n
	switch {
	case strings.ContainsAny(s, breaks):
		n.Style = yaml.DoubleQuotedStyle
	case protected != s:
		n.Style = yaml.SingleQuotedStyle // plain words there may be anything when they are put back
	default:
		v = s // which quotes what older versions of YAML take for a boolean, too
	}
	out, err := yaml.Marshal(v)
	if err != nil {
		return "", false
	}
	text = restore(strings.TrimSuffix(string(out), "\n"))
	return text, e.reads("k: "+text+"\n", s)
}

// key returns s as the key of an entry.
func (e *encoder) key(s string) string {
	text, _ := e.scalar(s)
	for _, text := range []string{text, strings.TrimSpace(e.quoted(s))} {
		protected, restore := e.Protect(text + ": x\n")
		var got struct {
			K map[string]string `json:"k"`
		}
		if _, err := Decode([]byte("k:\n  "+protected), &got); err != nil {
			continue
		}
		for key := range got.K {
			if restore(key) == s {
				return text
			}
		}
	}
	e.errs = append(e.errs, fmt.Errorf("no way to write the key %q", s))
	return ""
}

// block writes a text of several lines behind its key, in the first way that
// gives the text again: documents as mappings, then literally, then quoted.
func (e *encoder) block(path, s, tag string, indent int) {
	for _, text := range []string{e.mapping(s, tag), literal(s), e.quoted(s)} {
		if text == "" {
			continue
		}
		var b strings.Builder
		first, rest, _ := strings.Cut(text, "\n")
		b.WriteString(first + "\n")
		for line := range strings.Lines(rest) {
			if line != "\n" {
				b.WriteString(strings.Repeat(" ", indent))
			}
			b.WriteString(line)
		}
		if pad := strings.Repeat(" ", indent); e.reads(pad+"k:"+b.String()+pad+"# next\n"+pad+"next: x\n", s) {
			e.b.WriteString(b.String())
			return
		}
	}
	e.errs = append(e.errs, fmt.Errorf("%s: no way to write the text in YAML", path))
}

// mapping returns s, a YAML document, as the value of a key; "" if it would not
// be the same there. A comment at its end would belong to what follows.
func (e *encoder) mapping(s, tag string) string {
	trimmed := strings.TrimSpace(s)
	last := trimmed[strings.LastIndexByte(trimmed, '\n')+1:]
	if tag != "document" || strings.HasPrefix(strings.TrimSpace(last), "#") {
		return ""
	}
	if strings.HasPrefix(s, "{") && trimmed == last {
		return " " + s
	}
	return "\n" + indented(s)
}

// literal returns s in the literal style.
func literal(s string) string {
	if strings.ContainsAny(s, breaks) {
		return ""
	}
	head := " |"
	if strings.HasPrefix(s, " ") || strings.HasPrefix(s, "\n") {
		head = " |2"
	}
	switch {
	case !strings.HasSuffix(s, "\n"):
		head += "-"
		s += "\n"
	case strings.HasSuffix(s, "\n\n") || s == "\n":
		head += "+"
	}
	return head + "\n" + indented(s)
}

func (e *encoder) quoted(s string) string {
	protected, restore := e.Protect(s)
	out, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: protected, Style: yaml.DoubleQuotedStyle})
	if err != nil {
		return ""
	}
	return " " + restore(string(out))
}

func indented(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if line != "\n" {
			b.WriteString("  ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// reads reports whether s is what is read at the key "k" of a document.
func (e *encoder) reads(document, s string) bool {
	protected, restore := e.Protect(document)
	var got struct {
		K    string `json:"k" strict:"document"`
		Next string `json:"next"`
	}
	_, err := Decode([]byte(protected), &got)
	return err == nil && restore(got.K) == s
}
