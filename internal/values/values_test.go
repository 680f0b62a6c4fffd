package values_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/internal/values"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, doc, want string }{
		{"empty", "", `{}`},
		{"comments", "# nothing\n---\n# here\n", `{}`},
		{"null", "null\n", `{}`},
		{"marker first", "# a\n---\na: 1\n", `{"a":1}`},
		{"byte order mark", "\uFEFFa: 1\n", `{"a":1}`},
		{"carriage returns", "---\r\na:\r\n  b: x\r\n", `{"a":{"b":"x"}}`},
		{"old booleans", "a: yes\nb: \"yes\"\nc: off\n", `{"a":true,"b":"yes","c":false}`},
		{"keys that are no text", "1: a\ntrue: b\n", `{"1":"a","true":"b"}`},
		{"marker in a block scalar", "a: |\n  ---\n  b\n", `{"a":"---\nb\n"}`},
		{"anchors", "a: &x {k: v}\nb: *x\nc: {<<: *x, l: w}\n", `{"a":{"k":"v"},"b":{"k":"v"},"c":{"k":"v","l":"w"}}`},
		{"null value", "a: null\nb:\n", `{"a":null,"b":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := values.Parse("values.yaml", []byte(tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			if text := toJSON(t, got); text != tt.want {
				t.Errorf("got %s, want %s", text, tt.want)
			}
		})
	}
}

// Helm's templates see whole numbers as float64.
func TestParseNumbers(t *testing.T) {
	t.Parallel()
	got, err := values.Parse("v", []byte("a: 1000000"))
	if err != nil || got["a"] != float64(1000000) {
		t.Errorf("got %#v, %v, want a float64", got["a"], err)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, doc, want string }{
		{"list", "- a\n", "v.yaml: must be a map of keys and values"},
		{"text", "hush\n", "v.yaml: must be a map of keys and values"},
		{"number", "5", "v.yaml: must be a map of keys and values"},
		{"syntax", "a: 1\n\nb: hush: d\n", "v.yaml:3: mapping values are not allowed in this context"},
		{"two documents", "a: 1\n---\nb: 2\n", "v.yaml:2: a second document begins here: only one is read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := values.Parse("v.yaml", []byte(tt.doc))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if p := new(values.ParseError); !errors.As(err, &p) || p.Name != "v.yaml" {
				t.Errorf("%T is no ParseError of v.yaml", err)
			}
		})
	}
}

func TestParsePacks(t *testing.T) {
	t.Parallel()
	packs := realpacks.Dir(t)
	files, _ := filepath.Glob(filepath.Join(packs, "*", "values.yaml"))
	if len(files) < 100 {
		t.Fatalf("%d packs in %s", len(files), packs)
	}
	for _, file := range files {
		doc, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := values.Parse(filepath.Base(filepath.Dir(file)), doc); err != nil {
			t.Error(err)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, base, over, want, wantNulls string }{
		{"nothing", `{}`, `{}`, `{}`, ""},
		{"disjoint", `{"a":1}`, `{"b":2}`, `{"a":1,"b":2}`, ""},
		{"scalar", `{"a":1}`, `{"a":"x"}`, `{"a":"x"}`, ""},
		{"maps", `{"a":{"b":1,"c":{"d":2}}}`, `{"a":{"c":{"e":3}}}`, `{"a":{"b":1,"c":{"d":2,"e":3}}}`, ""},
		{"lists are replaced", `{"a":[1,2,3]}`, `{"a":[4]}`, `{"a":[4]}`, ""},
		{"map over scalar", `{"a":1}`, `{"a":{"b":2}}`, `{"a":{"b":2}}`, ""},
		{"scalar over map", `{"a":{"b":2}}`, `{"a":false}`, `{"a":false}`, ""},
		{"null removes", `{"a":{"b":1,"c":2}}`, `{"a":{"b":null}}`, `{"a":{"c":2}}`, `{"a":{"b":null,"c":2}}`},
		{"null removes a map", `{"a":{"b":1},"c":1}`, `{"a":null}`, `{"c":1}`, `{"a":null,"c":1}`},
		{"null removes nothing", `{}`, `{"a":null,"b":{"c":null}}`, `{"b":{}}`, `{"a":null,"b":{"c":null}}`},
		{"null below stays", `{"a":null}`, `{"b":1}`, `{"a":null,"b":1}`, ""},
		{"null in a list stays", `{}`, `{"a":[null]}`, `{"a":[null]}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base, over := fromJSON(t, tt.base), fromJSON(t, tt.over)
			if got := toJSON(t, values.Merge(base, over)); got != tt.want {
				t.Errorf("Merge gives %s, want %s", got, tt.want)
			}
			if tt.wantNulls == "" {
				tt.wantNulls = tt.want
			}
			if got := toJSON(t, values.MergeNulls(base, over)); got != tt.wantNulls {
				t.Errorf("MergeNulls gives %s, want %s", got, tt.wantNulls)
			}
			if toJSON(t, base) != tt.base || toJSON(t, over) != tt.over {
				t.Error("an argument was changed")
			}
		})
	}
}

func TestMergeSharesNothing(t *testing.T) {
	t.Parallel()
	const left, right = `{"a":{"b":[{"c":1}]},"x":{"y":1}}`, `{"d":[{"e":{}}],"x":{"z":[1]}}`
	base, over := fromJSON(t, left), fromJSON(t, right)
	scribble(values.Merge(base, over))
	scribble(values.MergeNulls(base, nil))
	scribble(values.Merge(nil, over))
	if toJSON(t, base) != left || toJSON(t, over) != right {
		t.Error("the result shares maps or lists with the arguments")
	}
}

func TestMergeProperties(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		a, b, c := tree(random, 3), tree(random, 3), tree(random, 3)
		if got := values.Merge(a, nil); !reflect.DeepEqual(got, a) {
			t.Fatalf("Merge(a, nil) is %v, not %v", got, a)
		}
		if got := values.Merge(a, a); !reflect.DeepEqual(got, a) {
			t.Fatalf("Merge(a, a) is %v, not %v", got, a)
		}
		// Each key of tree always holds the same type, and never null: then
		// it does not matter which two are merged first.
		first, last := values.Merge(values.Merge(a, b), c), values.Merge(a, values.Merge(b, c))
		if !reflect.DeepEqual(first, last) {
			t.Fatalf("(a+b)+c is %v, a+(b+c) is %v", first, last)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	v := fromJSON(t, `{"a":{"b":{"c":1},"n":null},"l":[1]}`)
	tests := []struct {
		path  string
		want  any
		found bool
	}{
		{"a.b.c", float64(1), true},
		{"a.n", nil, true},
		{"a.x", nil, false},
		{"a.n.x", nil, false},
		{"l.0", nil, false},
		{"", nil, false},
	}
	for _, tt := range tests {
		got, found := values.Lookup(v, tt.path)
		if got != tt.want || found != tt.found {
			t.Errorf("Lookup(%q) = %v, %v, want %v, %v", tt.path, got, found, tt.want, tt.found)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a: {b: [1, null]}\n"))
	f.Add([]byte("\uFEFF%YAML 1.1\n---\na: &x [*x]\n...\n---\n"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		m, err := values.Parse("f", doc)
		if (m == nil) != (err != nil) {
			t.Errorf("got %v and %v", m, err)
		}
		if err == nil && !reflect.DeepEqual(values.Merge(m, nil), m) {
			t.Error("Merge(m, nil) is not m")
		}
	})
}

// tree makes random maps whose keys tell the type of what they hold.
func tree(r *rand.Rand, depth int) map[string]any {
	m := map[string]any{}
	for range r.IntN(4) {
		m[fmt.Sprint("scalar", r.IntN(3))] = r.IntN(10)
		m[fmt.Sprint("list", r.IntN(2))] = []any{r.IntN(10)}
		if depth > 0 {
			m[fmt.Sprint("map", r.IntN(2))] = tree(r, depth-1)
		}
	}
	return m
}

// scribble writes into every map and list.
func scribble(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			scribble(e)
		}
		v["scribble"] = true
	case []any:
		for i, e := range v {
			scribble(e)
			v[i] = "scribble"
		}
	}
}

func fromJSON(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
