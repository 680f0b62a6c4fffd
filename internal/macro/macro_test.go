package macro

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestScan(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want []string // paths and pipelines
	}{
		{"a: b", nil},
		{"a: {{ .spectro.var.x }}", []string{"spectro.var.x"}},
		{"a: {{.spectro.var.x}}", []string{"spectro.var.x"}},
		{"a: {{- .spectro.var.x -}}", []string{"spectro.var.x"}},
		{"{{ .spectro.var.x }}{{ .spectro.var.y }}", []string{"spectro.var.x", "spectro.var.y"}},
		{"{{ .spectro.pack.a-b.oidc-issuer-url }}", []string{"spectro.pack.a-b.oidc-issuer-url"}},
		{"{{ .spectro.system.kubernetes.version | substr 0 4 }}", []string{"spectro.system.kubernetes.version | substr 0 4"}},
		{`{{ .spectro.var.x | default "}}" }}`, []string{`spectro.var.x | default "}}"`}},
		{"{{ .Values.x }} {{ $labels.pod }} {{`{{ .spectro.var.x }}`}}", nil},
		{"{{{ .spectro.var.x }}}", []string{"spectro.var.x"}},
		{"{{ .spectro.var.x\n}}", nil},
		{"{{ .spectro.var.x", nil},
		{"{{ .spectroscope }}", nil},
	} {
		var got []string
		for _, m := range Scan(tt.text) {
			s := m.Path
			if m.Pipeline != "" {
				s += " | " + m.Pipeline
			}
			got = append(got, s)
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Scan(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestScanLines(t *testing.T) {
	t.Parallel()
	macros := Scan("a: 1\nb: {{ .spectro.var.x }}\n\nc: {{ .spectro.var.y }}\n")
	if len(macros) != 2 || macros[0].Line != 2 || macros[1].Line != 4 {
		t.Errorf("Scan = %+v, want macros on lines 2 and 4", macros)
	}
}

// values answers macros by what follows "spectro.var.".
func values(v map[string]string) Lookup {
	return func(m Macro) (string, error) {
		s, ok := v[strings.TrimPrefix(m.Path, "spectro.var.")]
		if !ok {
			return "", errors.New("unknown")
		}
		return s, nil
	}
}

func TestBind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, doc, value string
		want             any // of the key a
	}{
		{"number", "a: {{ .spectro.var.x }}", "3", float64(3)},
		{"boolean", "a: {{ .spectro.var.x }}", "true", true},
		{"text", "a: {{ .spectro.var.x }}", "abc", "abc"},
		{"quoted number stays text", "a: '{{ .spectro.var.x }}'", "3", "3"},
		{"double quoted", `a: "{{ .spectro.var.x }}"`, "true", "true"},
		{"within a plain scalar", "a: n={{ .spectro.var.x }}", "3", "n=3"},
		{"two digits make a number, as text would", "a: 80{{ .spectro.var.x }}", "80", float64(8080)},
		{"a quote", "a: '{{ .spectro.var.x }}'", "it's", "it's"},
		{"a double quote", `a: "{{ .spectro.var.x }}"`, `say "x"`, `say "x"`},
		{"a colon", "a: {{ .spectro.var.x }}", "b: c", "b: c"},
		{"a new line", "a: {{ .spectro.var.x }}", "b\nc: d", "b\nc: d"},
		{"a document marker", "a: {{ .spectro.var.x }}", "x\n---\nb: 1", "x\n---\nb: 1"},
		{"a comment sign", "a: {{ .spectro.var.x }}", "x # y", "x # y"},
		{"a list", "a: {{ .spectro.var.x }}", "[1, 2]", "[1, 2]"},
		{"a mapping", "a: {{ .spectro.var.x }}", "{b: c}", "{b: c}"},
		{"an anchor", "a: {{ .spectro.var.x }}", "&b", "&b"},
		{"a tag", "a: {{ .spectro.var.x }}", "!!int", "!!int"},
		{"a macro", "a: {{ .spectro.var.x }}", "{{ .spectro.var.x }}", "{{ .spectro.var.x }}"},
		{"nothing", "a: {{ .spectro.var.x }}", "", ""},
		{"null", "a: {{ .spectro.var.x }}", "null", "null"},
		{"an old boolean in quotes", "a: '{{ .spectro.var.x }}'", "yes", "yes"},
		{"literal block", "a: |\n  one\n  {{ .spectro.var.x }}\n", "two", "one\ntwo\n"},
		{"foreign templates", "a: '{{ $labels.pod }} {{ .spectro.var.x }}'", "v", "{{ $labels.pod }} v"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc := "before: 1\n" + tt.doc + "\nafter: 2\n"
			out, err := Bind([]byte(doc), values(map[string]string{"x": tt.value}))
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := yaml.Unmarshal(out, &got); err != nil {
				t.Fatalf("%v in\n%s", err, out)
			}
			want := map[string]any{"before": float64(1), "a": tt.want, "after": float64(2)}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("Bind gives %v, want %v, from\n%s", got, want, out)
			}
		})
	}
}

func TestBindKeepsComments(t *testing.T) {
	t.Parallel()
	const doc = "# {{ .spectro.var.x }} above\na: {{ .spectro.var.x }} # beside\n"
	out, err := Bind([]byte(doc), values(map[string]string{"x": "1"}))
	if err != nil {
		t.Fatal(err)
	}
	if want := "# {{ .spectro.var.x }} above\na: 1 # beside\n"; string(out) != want {
		t.Errorf("Bind = %q, want %q", out, want)
	}
}

func TestBindWithoutMacrosChangesNothing(t *testing.T) {
	t.Parallel()
	const doc = "a:   {b:  '{{ foreign }}'}\n\n\n# end"
	out, err := Bind([]byte(doc), nil)
	if err != nil || string(out) != doc {
		t.Errorf("Bind = %q, %v", out, err)
	}
}

func TestBindReportsAll(t *testing.T) {
	t.Parallel()
	_, err := Bind([]byte("a: {{ .spectro.var.x }}\nb: {{ .spectro.var.y }}\n"), values(nil))
	if err == nil || !strings.Contains(err.Error(), "line 1: {{ .spectro.var.x }}") || !strings.Contains(err.Error(), "line 2: {{ .spectro.var.y }}") {
		t.Errorf("error = %v, want both macros with their lines", err)
	}
	if e, ok := errors.AsType[*Error](err); !ok || e.Line != 1 {
		t.Errorf("error = %#v, want an *Error on line 1", e)
	}
}

// Whatever a value holds, the document around it keeps its structure.
func FuzzBind(f *testing.F) {
	for _, s := range []string{"x", "1", "'", `"`, "\n", "a: b", "- a", "---", "{{", "\x00", "\u2028", "#", "|", ">", "? x", "*a", "0x1", "1e9", "~", "xMACRO00000000x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		const doc = "before: 1\nplain: {{ .spectro.var.x }}\nsingle: '{{ .spectro.var.x }}'\ndouble: \"{{ .spectro.var.x }}\"\nmixed: a {{ .spectro.var.x }} b\nlist: [1, {{ .spectro.var.x }}, 3]\nafter: 2\n"
		out, err := Bind([]byte(doc), values(map[string]string{"x": value}))
		if err != nil {
			return // YAML cannot hold it: refused, not bent
		}
		var got map[string]any
		if err := yaml.Unmarshal(out, &got); err != nil {
			t.Fatalf("value %q: %v in\n%s", value, err, out)
		}
		if len(got) != 7 || got["before"] != float64(1) || got["after"] != float64(2) {
			t.Fatalf("value %q changed the structure:\n%s", value, out)
		}
		if list, ok := got["list"].([]any); !ok || len(list) != 3 {
			t.Fatalf("value %q changed the list:\n%s", value, out)
		}
		for _, key := range []string{"single", "double"} {
			if got[key] != value {
				t.Fatalf("value %q: %s is %q in\n%s", value, key, got[key], out)
			}
		}
	})
}
