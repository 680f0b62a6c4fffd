package macro

import (
	"strings"
	"testing"
)

// What sprig makes of the same pipelines.
func TestApply(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expression, value, want string }{
		{".spectro.a | upper", "aÄb", "AÄB"},
		{"upper .spectro.a", "ab", "AB"},
		{"default \"x\" .spectro.a | upper", "", "X"},
		{".spectro.a | substr 0 4", "1.33.2", "1.33"},
		{".spectro.a | substr 0 4", "1.3", "1.3"},
		{".spectro.a | substr 2 -1", "1.33.2", "33.2"},
		{".spectro.a | substr -1 2", "1.33.2", "1."},
		{".spectro.a | substr 9 12", "1.3", ""},
		{".spectro.a | trunc 3", "äbcd", "äbc"},
		{".spectro.a | trunc -3", "äbcd", "bcd"},
		{".spectro.a | trim | trimSuffix \".git\" | trimPrefix `v`", " v1.git\n", "1"},
		{".spectro.a | trimAll \"/\"", "/a/", "a"},
		{".spectro.a | replace \".\" \"-\"", "a.b.c", "a-b-c"},
		{`.spectro.a | default \"1.19.0\"`, "", "1.19.0"},
		{".spectro.a | default 8080", "", "8080"},
		{".spectro.a | default true", "false", "false"},
		{".spectro.a | b64enc", "ab", "YWI="},
		{".spectro.a | b64dec", "YWI=", "ab"},
		{".spectro.a | quote", `a"b`, `"a\"b"`},
		{".spectro.a | squote", "a", "'a'"},
		{".spectro.a | title", "hello big world", "Hello Big World"},
		{".spectro.a | untitle", "Hello World", "hello world"},
		{".spectro.a | nospace", " a b ", "ab"},
		{".spectro.a | repeat 3", "ab", "ababab"},
		{".spectro.a | indent 2", "a\nb", "  a\n  b"},
		{".spectro.a | nindent 2", "a\nb", "\n  a\n  b"},
		{".spectro.a | int", "12.9", "12"},
		{".spectro.a | int", "x", "0"},
		{".spectro.a | sha1sum", "a", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"},
		{".spectro.a | sha256sum | trunc 8", "a", "ca978112"},
		{".spectro.a | toString | lower", "A", "a"},
	} {
		macros := Scan("{{ " + tt.expression + " }}")
		if len(macros) != 1 {
			t.Errorf("%s is %d macros", tt.expression, len(macros))
			continue
		}
		if got, err := macros[0].Apply(tt.value); err != nil || got != tt.want {
			t.Errorf("%s of %q = %q, %v, want %q", tt.expression, tt.value, got, err, tt.want)
		}
	}
}

func TestPipelineErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expression, want string }{
		{".spectro.a | uppr", `unknown function "uppr", did you mean "upper"?`},
		{".spectro.a upper", "want a | before each function"},
		{".spectro.a |", "want a | before each function, and a function after each |"},
		{".spectro.a | upper |", "a function must follow the last |"},
		{".spectro.a | | upper", "want a | before each function"},
		{".spectro.a | trunc x", "trunc: want a whole number, not x"},
		{".spectro.a | trunc", "trunc takes 1 arguments before the value, not 0"},
		{".spectro.a | default 'x'", "default: want a text in double quotes, not 'x'"},
		{".spectro.a | default .spectro.b", "want a text in double quotes, not .spectro.b"},
		{"if .spectro.a", `unknown function "if"`},
		{".spectro.a | repeat -1", "repeat: -1 times is not possible"},
		{".spectro.a | repeat 100000000", "repeat: 100000000 times is not possible"},
		{".spectro.a | indent 100000000", "indent: 100000000 spaces are not possible"},
		{".spectro.a | b64dec", "b64dec: the value is not base64"},
	} {
		macros := Scan("{{ " + tt.expression + " }}")
		if len(macros) != 1 {
			t.Errorf("%s is %d macros", tt.expression, len(macros))
			continue
		}
		_, err := macros[0].Apply("some value")
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "some value") {
			t.Errorf("%s: error = %v, want %s", tt.expression, err, tt.want)
		}
	}
}

func BenchmarkBind(b *testing.B) {
	doc := []byte(strings.Repeat("key: {a: 'text', b: [1, 2, 3]} # comment\nport: {{ .spectro.var.x }}\n---\n", 700))
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := Bind(doc, applied("8080")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseOnly(b *testing.B) {
	doc := []byte(strings.Repeat("key: {a: 'text', b: [1, 2, 3]} # comment\nport: 8080\n---\n", 700))
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := nodes(doc); err != nil {
			b.Fatal(err)
		}
	}
}
