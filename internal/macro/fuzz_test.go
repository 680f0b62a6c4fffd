package macro

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever the document is and whatever the value is, the tree is kept.
func FuzzBindDocument(f *testing.F) {
	const m = "{{ .spectro.var.x }}"
	for _, doc := range []string{
		"a: " + m, "a: '" + m + "'", "a: \"" + m + "\"", "a: |\n  " + m + "\n", "- >+1\n   " + m + "\n\n- b", "a: b\n " + m + "\n c",
		"[" + m + ", {" + m + ": 1}]", "? " + m + "\n: - " + m, "%YAML 1.1\n---\n&a !b " + m + "\n...\n", m + ": *" + m, "# " + m + "\n- " + m + " # " + m,
		"a: \u2028" + m, "\uFEFFa:\r  '\u0085" + m + "'", "a: !<x> # c\n  " + m, "a: {{ upper .spectro.var.x | quote }}",
	} {
		for _, value := range []string{"v", "", "a: b\n", "'\"\\", "---"} {
			f.Add(doc, value)
		}
	}
	f.Fuzz(func(t *testing.T, doc, value string) {
		macros := Scan(doc)
		for _, m := range macros {
			if _, err := m.Apply(value); err != nil {
				return
			}
		}
		protected, token := tokenize(doc, macros)
		before, err := nodes([]byte(protected))
		if err != nil || len(macros) == 0 || !utf8.ValidString(value) {
			return
		}
		for _, n := range before {
			if strings.Contains(properties(n), token.stem) {
				return
			}
		}
		checkTree(t, doc, value, "the document")
	})
}

// Macros are where Scan says, and binding each to itself changes nothing.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		"{{ .spectro.var.x }}", "{{{.spectro.a|upper}}}", "{{ default \"}}\" .spectro.a }}", `{{ .spectro.a | default \"b\" }}`, "{{ .spectro.a | default `\n` }}",
		"{{ .spectro.a | substr 0 4 | quote }} {{ $x }}", "{{- .spectro.var.x -}}", "{{\".spectro.", "{{a\"b\" .spectro.c}}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for _, m := range Scan(text) {
			whole := text[m.Start:m.End]
			switch {
			case m.Start < last, !strings.HasPrefix(whole, "{{"), !strings.HasSuffix(whole, "}}"), strings.Contains(whole, "\n"):
				t.Fatalf("%+v is %q in %q", m, whole, text)
			case !strings.HasPrefix(m.Path, "spectro."), !strings.Contains(whole, "."+m.Path):
				t.Fatalf("%+v has a path that is not in %q", m, whole)
			case m.Line != 1+strings.Count(text[:m.Start], "\n"):
				t.Fatalf("%+v is on another line of %q", m, text)
			}
			last = m.End
		}
		if got, err := Expand(text, func(Macro) (string, error) { return "", ErrLater }); err != nil || got != text {
			t.Fatalf("Expand(%q) = %q, %v", text, got, err)
		}
		protected, restore := Protect(text)
		if len(Scan(protected)) > len(Scan(text)) || restore(protected) != text {
			t.Fatalf("Protect(%q) = %q, which is restored to %q", text, protected, restore(protected))
		}
	})
}

// Pipelines give a text of bounded length or an error that does not hold the
// value.
func FuzzApply(f *testing.F) {
	for _, p := range []string{
		"upper", "substr 0 4", "substr -1 -1 | trunc -3", `default "x" | b64enc | b64dec`, "repeat 3 | indent 2 | nindent 4", `replace "a" "b"`,
		"quote | squote", `default \"x\"`, "| |", "upper |", "repeat 99999999999", "indent 16777216", "sha256sum | title | untitle | nospace", "int",
	} {
		f.Add(p, "some Välue")
	}
	f.Fuzz(func(t *testing.T, pipeline, value string) {
		if len(pipeline) > 200 || len(value) > 1000 {
			return
		}
		m := Macro{Path: "spectro.var.x", Pipeline: pipeline}
		got, err := m.Apply(value)
		switch checked := m.Check(); {
		case checked != nil && err == nil:
			t.Errorf("%q is wrong (%v), and applied", pipeline, checked)
		case err == nil && len(got) > maxValue:
			t.Errorf("%q makes %d bytes", pipeline, len(got))
		case err == nil && utf8.ValidString(pipeline) && utf8.ValidString(value) && !utf8.ValidString(got):
			t.Errorf("%q makes %q, which is no text", pipeline, got)
		case err != nil && len(value) > 4 && strings.Contains(err.Error(), value) && !strings.Contains(pipeline, value):
			t.Errorf("the error shows the value: %v", err)
		}
	})
}
