package strictyaml

import (
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestDocumentsKeepTheirText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"as it stands", "list:\n- k:\n      # first\n      a:   1 # one\n\n      b: [1,  2]\n\n  # about what follows\n  next: x\n", "# first\na:   1 # one\n\nb: [1,  2]\n"},
		{"the last of all", "list:\n- next: x\n  k:\n    a: |\n      text\n\n       more\n\n\n", "a: |\n  text\n\n   more\n"},
		{"the last of an item", "list:\n- k:\n    a: 1\n-\n  k:\n    a: 2\n", "a: 1\n"},
		{"a comment at the end is written anew", "list:\n- k:\n    a:   1\n    # end\n  next: x\n", "a: 1\n# end\n"},
		{"flow", "list:\n- k: {a:   1}\n", "{a: 1}\n"},
		{"a flow that ends early", "list:\n- k:\n    a: {\n  b: 1}\n  next: x\n", "a: {b: 1}\n"},
		{"blank lines that are text", "list:\n- k:\n    a: |+\n      text\n\n  next: x\n", "a: |+\n  text\n\n"},
		{"behind other ends of lines", "list:\n- next: \"x\u2028\u0085\u2029y\"\n  k:\n    a:   1\n", "a:   1\n"},
		{"an anchor", "list:\n- k: &x\n    a:   1\n", "&x\na: 1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got struct {
				List []struct {
					K    string `json:"k" strict:"document"`
					Next string `json:"next"`
				} `json:"list"`
			}
			if _, err := Decode([]byte(tt.text), &got); err != nil || got.List[0].K != tt.want {
				t.Errorf("text is %q, want %q; %v", got.List[0].K, tt.want, err)
			}
		})
	}
}

// The text of a document says what the document says where it stands.
func FuzzDocument(f *testing.F) {
	for _, text := range []string{"a: 1", "# x\na:\n- b\n# y", "a: |+\n x\n\n", "a: {\nb: 1}", "a: \"x\n y\"", "a: >\n x\n\n y\n", "? a\n: b", "&x a: *x", "a: 'x\n\n  y'"} {
		f.Add(text, "")
		f.Add(text, "  # more\n")
	}
	f.Fuzz(func(t *testing.T, text, comment string) {
		document := "k:\n  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n" + comment + "next: x\n"
		var root yaml.Node
		var want struct{ K any }
		if yaml.Unmarshal([]byte(document), &root) != nil || yaml.Unmarshal([]byte(document), &want) != nil {
			return
		}
		pairs := root.Content[0].Content
		if len(pairs) != 4 || pairs[1].Kind != yaml.MappingNode {
			return
		}
		d := decoder{data: document, key: pairs[0].Line, after: pairs[2].Line}
		got, ok := d.source(pairs[1])
		if !ok {
			return
		}
		var said any
		if err := yaml.Unmarshal([]byte(got), &said); err != nil {
			if strings.ContainsAny(document, "&*") {
				return // an alias to what is outside
			}
			t.Fatalf("%q is read as %q: %v", document, got, err)
		}
		if !reflect.DeepEqual(said, want.K) {
			t.Fatalf("%q is read as %q, which says %v, not %v", document, got, said, want.K)
		}
	})
}
