package macro

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/realpacks"
)

// Only what a macro stands in changes, and that only as far as it must.
func TestBindSplices(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, doc, value, want string }{
		{"comments and indentation", "# top\na:\n    b:   {{ .spectro.var.x }}   # why\n\n\n    c: 'd'\n", "1", "# top\na:\n    b:   1   # why\n\n\n    c: 'd'\n"},
		{"no new line at the end", "a: {{ .spectro.var.x }}", "1", "a: 1"},
		{"carriage returns", "a: {{ .spectro.var.x }}\r\nb: |\r\n  {{ .spectro.var.x }}\r\n  z\r\nc: 1\r\n", "y", "a: y\r\nb: |\r\n  y\r\n  z\r\nc: 1\r\n"},
		{"byte order mark", "\uFEFFa: {{ .spectro.var.x }}\n", "1", "\uFEFFa: 1\n"},
		{"characters before it", "ä: {ö: 'ü{{ .spectro.var.x }}'}\n", "1", "ä: {ö: 'ü1'}\n"},
		{"single quotes stay", "a: '{{ .spectro.var.x }}' # c\n", "it's", "a: 'it''s' # c\n"},
		{"single quotes cannot hold it", "a: 'x{{ .spectro.var.x }}''y' # c\n", "\n", "a: \"x\\n'y\" # c\n"},
		{"double quotes", "a: \"\\t{{ .spectro.var.x }}\"\n", "q\"\\\x01\u2028", "a: \"\\tq\\\"\\\\\\x01\\u2028\"\n"},
		{"several lines in double quotes", "a: \"b\n  {{ .spectro.var.x }}\n  c\"\n", "v", "a: \"b\n  v\n  c\"\n"},
		{"white space that would be folded", "a: \"b\n  {{ .spectro.var.x }}\n  c\"\n", " v", "a: \"b  v c\"\n"},
		{"plain over two lines", "a: b\n  {{ .spectro.var.x }}\n  c # d\n", "v", "a: b\n  v\n  c # d\n"},
		{"plain over two lines cannot hold it", "a: b\n\n  {{ .spectro.var.x }}\n  c # d\n", "v: w", "a: \"b\\nv: w c\" # d\n"},
		{"plain becomes quoted", "a: {{ .spectro.var.x }} # c\n", "b: c", "a: \"b: c\" # c\n"},
		{"a comma in a list", "[a, {{ .spectro.var.x }}, b]\n", "c, d", "[a, \"c, d\", b]\n"},
		{"a comma in a block", "- {{ .spectro.var.x }}\n", "c, d", "- c, d\n"},
		{"a key", "{{ .spectro.var.x }}: 1\n", "k", "k: 1\n"},
		{"a key that is no plain scalar", "a:\n  {{ .spectro.var.x }}: 1\n", "- k: l", "a:\n  \"- k: l\": 1\n"},
		{"a merge key", "a: &a {b: 1}\nc: {{{ .spectro.var.x }}: *a}\n", "<<", "a: &a {b: 1}\nc: {\"<<\": *a}\n"},
		{"a marker at the start of the line", "{{ .spectro.var.x }}: 1\n", "--- a", "\"--- a\": 1\n"},
		{"anchor and tag", "a: &x !!str {{ .spectro.var.x }}\nb: *x\n", "3", "a: &x !!str 3\nb: *x\n"},
		{"literal", "a: |  # c\n   {{ .spectro.var.x }}\n   b\nc: 1\n", "v", "a: |  # c\n   v\n   b\nc: 1\n"},
		{"literal with lines", "a: |\n  key: {{ .spectro.var.x }}\n  b\nc: 1\n", "v\nw\n", "a: |\n  key: v\n  w\n  \n  b\nc: 1\n"},
		{"literal that would end otherwise", "a: |  # c\n  {{ .spectro.var.x }}\nc: 1\n", "v\n", "a: \"v\\n\\n\" # c\nc: 1\n"},
		{"literal that would be indented otherwise", "a: |\n  {{ .spectro.var.x }}\n  b\nc: 1\n", "  v", "a: \"  v\\nb\\n\"\nc: 1\n"},
		{"literal with an indentation", "a: |2\n    {{ .spectro.var.x }}\n  b\nc: 1\n", "v", "a: |2\n    v\n  b\nc: 1\n"},
		{"literal that keeps its end", "a: |+\n  {{ .spectro.var.x }}\n\nc: 1\n", "v", "a: |+\n  v\n\nc: 1\n"},
		{"literal with a line that becomes empty", "a: |\n  b\n  {{ .spectro.var.x }}\n  c\n", "", "a: |\n  b\n  \n  c\n"},
		{"folded", "a: >\n  b\n  {{ .spectro.var.x }}\n  c\n", "v", "a: >\n  b\n  v\n  c\n"},
		{"folded cannot hold lines", "a: >-\n  b\n  {{ .spectro.var.x }}\nc: 1\n", "v\nw", "a: \"b v\\nw\"\nc: 1\n"},
		{"second document", "a: 1\n---\nb: {{ .spectro.var.x }}\n", "2", "a: 1\n---\nb: 2\n"},
		{"quote", "a: {{ .spectro.var.x | quote }}\n", "80", "a: \"80\"\n"},
		{"squote", "a: {{ .spectro.var.x | squote }}\n", "true", "a: \"true\"\n"},
		{"quote within text", "a: b {{ .spectro.var.x | quote }}\n", "c", "a: b \"c\"\n"},
		{"foreign", "a: \"{{ $labels.x }} {{`{{ .spectro.var.x }}`}} {{ .spectro.var.x }}\"\n", "v", "a: \"{{ $labels.x }} {{`{{ .spectro.var.x }}`}} v\"\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := Bind([]byte(tt.doc), applied(tt.value))
			if err != nil {
				t.Fatal(err)
			}
			if string(out) != tt.want {
				t.Errorf("Bind gives\n%q, want\n%q", out, tt.want)
			}
		})
	}
}

// applied answers each macro with a value, as it leaves the pipeline.
func applied(value string) Lookup {
	return func(m Macro) (string, error) { return m.Apply(value) }
}

func TestBindRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, doc, value, want string }{
		{"an anchor", "a: 1\nb: &{{ .spectro.var.x }} c\n", "v", "line 2: {{ .spectro.var.x }}: a macro cannot stand in a tag, an anchor"},
		{"a key too long", "{{ .spectro.var.x }}: 1\n", strings.Repeat("k", 2000), "the key grows longer than"},
		{"no text", "a: {{ .spectro.var.x }}\n", "\xff", "not valid UTF-8"},
		{"no YAML", "a: {{ .spectro.var.x }}\nb: [\n", "1", "invalid YAML"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Bind([]byte(tt.doc), applied(tt.value))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestBindLater(t *testing.T) {
	t.Parallel()
	const doc = "a: {{ .spectro.pack.p.q | default \"z\" }}\nb: 'x{{ .spectro.var.x }}{{ .spectro.pack.p.q | default \"z\" }}'\nc: {{ .spectro.var.x }}\n"
	out, err := Bind([]byte(doc), func(m Macro) (string, error) {
		if strings.HasPrefix(m.Path, "spectro.pack.") {
			return "", ErrLater
		}
		return "\n", nil
	})
	const want = "a: {{ .spectro.pack.p.q | default \"z\" }}\nb: \"x\\n{{ .spectro.pack.p.q | default \\\"z\\\" }}\"\nc: \"\\n\"\n"
	if err != nil || string(out) != want {
		t.Fatalf("Bind = %q, %v, want %q", out, err, want)
	}
	out, err = Bind(out, applied(""))
	if err != nil || string(out) != "a: z\nb: \"x\\nz\"\nc: \"\\n\"\n" {
		t.Errorf("binding the rest gives %q, %v", out, err)
	}
}

// Macros in comments have no values, and need none.
func TestCommentsAreNotLookedUp(t *testing.T) {
	t.Parallel()
	const doc = "# {{ .spectro.var.y }}\na: 1 # {{ .spectro.nonsense }}\n"
	out, err := Bind([]byte(doc), values(nil))
	if err != nil || string(out) != doc {
		t.Errorf("Bind = %q, %v", out, err)
	}
}

var awkward = []string{
	"", "x", "1", "true", "null", "~", "'", `"`, `\`, "\n", "\n\n", " ", " x ", "\t", "a: b", "a:", ": a", "- a", "-", "---", "--- a", "...",
	"{{", "}}", "{{ .spectro.var.x }}", "\x00", "\x1b", "\u0085", "\u2028", "\uFEFF", "#", " #", "a #b", "|", "|-", ">", "? x", "*a", "&a",
	"!!int", "%YAML", "@", "`", "[1, 2]", "{a: b}", ",", "]", "}", "<<", "=", "0x1", "1e9", "2001-01-01", "a\nb: c\n", "  a\n b\n", "\r\n",
	"xMACRO00000000x", "xMACROx00000000x", "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n", "日本", "😀",
}

// Whatever the values are, in every place and style, the tree is what comes of
// replacing the macros in the scalars of the tree.
func TestBindKeepsTheTree(t *testing.T) {
	t.Parallel()
	docs := []string{
		"before: 1\na: {{ .spectro.var.x }}\nb: n={{ .spectro.var.x }}{{ .spectro.var.x }} # c\nc: '{{ .spectro.var.x }}'\nd: \"{{ .spectro.var.x }}\"\nafter: 2\n",
		"l: [1, {{ .spectro.var.x }}, {k: {{ .spectro.var.x }}, 'q{{ .spectro.var.x }}': 2}]\nafter: 2\n",
		"lit: |\n  {{ .spectro.var.x }}\nlit2: |-\n    one {{ .spectro.var.x }}\n    {{ .spectro.var.x }} two\n\n\nkeep: |+\n  a\n  {{ .spectro.var.x }}\n\nafter: 2\n",
		"f: >\n  {{ .spectro.var.x }}\n  b {{ .spectro.var.x }} c\n\n  d\ng: >-\n  a\n    {{ .spectro.var.x }}\n  b\nafter: 2\n",
		"a: one\n  two {{ .spectro.var.x }}\n  {{ .spectro.var.x }}\n\n  three\nb: \"x\n  {{ .spectro.var.x }}\n\n  {{ .spectro.var.x }}y \\\n  z\"\nc: 'x\n\n  {{ .spectro.var.x }}\n  y'\nafter: 2\n",
		"- - {{ .spectro.var.x }}\n  - - a{{ .spectro.var.x }}b\n- &a {{ .spectro.var.x }}\n- *a\n- !!str {{ .spectro.var.x }}\n",
		"a{{ .spectro.var.x }}: {{ .spectro.var.x }}\n---\n{{ .spectro.var.x }}: 1\n...\n---\n{{ .spectro.var.x }}\n",
		"--- |\n  {{ .spectro.var.x }}\n---\n- |\n {{ .spectro.var.x }}\n a\n- b\n",
	}
	for i, doc := range docs {
		for _, value := range awkward {
			checkTree(t, doc, value, fmt.Sprintf("document %d", i))
		}
	}
	const megabyte = 1 << 20
	long := strings.Repeat("a: 'b' \"c\"\n# {{ d }}\n", megabyte/20)
	checkTree(t, docs[0], long, "1 MB of text")
	checkTree(t, docs[2], long, "1 MB of text in blocks")
}

// checkTree binds doc and compares what comes of it to the tree of doc with the
// value in the place of each macro.
func checkTree(t *testing.T, doc, value, name string) {
	t.Helper()
	out, err := Bind([]byte(doc), applied(value))
	if err != nil {
		if text := err.Error(); !strings.Contains(text, "the key grows longer") && !strings.Contains(text, errIndent.Error()) {
			t.Fatalf("%s, value %.80q: %v in\n%s", name, value, err, doc)
		}
		return
	}
	macros := Scan(doc)
	protected, token := tokenize(doc, macros)
	want, err := nodes([]byte(protected))
	if err != nil {
		t.Fatal(err)
	}
	got, err := nodes(out)
	if err != nil {
		t.Fatalf("%s, value %.80q: %v in\n%.2000s", name, value, err, out)
	}
	if len(got) != len(want) {
		t.Fatalf("%s, value %.80q: %d documents became %d:\n%.2000s", name, value, len(want), len(got), out)
	}
	for i := range want {
		if problem := compare(want[i], got[i], func(want *yaml.Node) string {
			s := want.Value
			return token.replace(s, func(i int) string {
				v, _ := macros[i].Apply(value)
				if macros[i].quotes() && len(s) == token.width() && want.Style&^yaml.TaggedStyle == 0 {
					return unquote(v)
				}
				return v
			})
		}); problem != "" {
			t.Fatalf("%s, value %.80q: %s in\n%.2000s", name, value, problem, out)
		}
	}
}

func nodes(doc []byte) ([]*yaml.Node, error) {
	var all []*yaml.Node
	for dec := yaml.NewDecoder(bytes.NewReader(doc)); ; {
		var n yaml.Node
		if err := dec.Decode(&n); err != nil {
			if err.Error() == "EOF" {
				return all, nil
			}
			return nil, err
		}
		all = append(all, &n)
	}
}

// properties returns the tags, anchors and aliases below n.
func properties(n *yaml.Node) string {
	all := n.Anchor + n.Tag
	if n.Kind == yaml.AliasNode {
		all += n.Value
	}
	for _, c := range n.Content {
		all += properties(c)
	}
	return all
}

func compare(want, got *yaml.Node, bound func(*yaml.Node) string) string {
	value := bound(want)
	switch {
	case want.Kind != got.Kind:
		return fmt.Sprintf("line %d: kind %d became %d", want.Line, want.Kind, got.Kind)
	case want.Kind == yaml.ScalarNode && value != got.Value:
		return fmt.Sprintf("line %d: %.80q became %.80q", want.Line, value, got.Value)
	case want.Kind == yaml.ScalarNode && value == want.Value && want.Tag != got.Tag:
		return fmt.Sprintf("line %d: the tag of %q became %s", want.Line, value, got.Tag)
	case want.Kind == yaml.ScalarNode && value != want.Value && (got.Tag == "!!null" || got.Tag == "!!merge"):
		return fmt.Sprintf("line %d: %q became %s", want.Line, value, got.Tag)
	case want.Anchor != got.Anchor || len(want.Content) != len(got.Content):
		return fmt.Sprintf("line %d: the structure became another", want.Line)
	}
	for i := range want.Content {
		if problem := compare(want.Content[i], got.Content[i], bound); problem != "" {
			return problem
		}
	}
	return ""
}

// What remains of a real document when the macros are bound to themselves is
// the document.
func TestBindPacks(t *testing.T) {
	t.Parallel()
	packs := realpacks.Dir(t)
	files, _ := filepath.Glob(filepath.Join(packs, "*", "values.yaml"))
	if len(files) < 190 {
		t.Fatalf("%d packs in %s", len(files), packs)
	}
	expression := regexp.MustCompile(`\{\{ *\.spectro\.[^{}]*\}\}`)
	scalars, commented := 0, 0
	for _, file := range files {
		doc, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(file))
		out, err := Bind(doc, func(Macro) (string, error) { return "", ErrLater })
		if err != nil || !bytes.Equal(out, doc) {
			t.Errorf("%s: macros that stay: changed, or %v", name, err)
		}
		bound := 0
		out, err = Bind(doc, func(Macro) (string, error) {
			bound++
			return "v1", nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// All that was bound is words, so that text does what data does; what
		// stands in comments stays.
		var want []string
		for line := range strings.Lines(string(doc)) {
			before, _, _ := strings.Cut(line, "{{")
			if found := expression.FindAllString(line, -1); strings.Contains(before, "#") {
				commented += len(found)
			} else {
				scalars += len(found)
				line = expression.ReplaceAllString(line, "v1")
			}
			want = append(want, line)
		}
		if string(out) != strings.Join(want, "") {
			t.Errorf("%s: more than the macros changed", name)
		}
		for _, value := range awkward {
			if bound > 0 {
				checkTree(t, string(doc), value, name)
			}
		}
	}
	t.Logf("%d packs: %d macros in values, %d in comments", len(files), scalars, commented)
	if scalars == 0 {
		t.Error("no pack has a macro")
	}
}

func TestErrorOrder(t *testing.T) {
	t.Parallel()
	_, err := Bind([]byte("a: &{{ .spectro.var.b }} 1\nb: {{ .spectro.var.a }}\nc: &{{ .spectro.var.c }} 1\n"), values(nil))
	var lines []int
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			if e, ok := errors.AsType[*Error](err); ok {
				lines = append(lines, e.Line)
			}
		}
	}
	if fmt.Sprint(lines) != "[1 2 3]" {
		t.Errorf("errors are on lines %v: %v", lines, err)
	}
}
