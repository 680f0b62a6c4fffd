package strictyaml

import (
	"reflect"
	"testing"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	const original = `# The licence.

# Which one it is.
version: 1.10 # not a number
# waits for the labels

labels:
    b: "yes"
    # about a
    a: "true"   # as text
items: # all of them
- {name: first, size: 3} # small
# the other
- name: second
  # how big
  size: 0
# on or off
on: true
values: # kept
  # a comment
  replicas: 2 # two
name: |
  several
   lines
# the end
`
	const want = `# The licence.

# Which one it is.
version: "1.10" # not a number
# kept
values:
  # a comment
  replicas: 2 # two
# on or off
"on": true
# waits for the labels
labels:
  # about a
  a: "true" # as text
  b: "yes"
# all of them
items:
# small
- name: first
  size: 3
# the other
- name: second
# how big
name: |
  several
   lines
# the end
`
	var v outer
	if _, err := Decode([]byte(original), &v); err != nil {
		t.Fatal(err)
	}
	got, err := Format{Original: original}.Encode(&v)
	if err != nil || string(got) != want {
		t.Errorf("Encode gives %v\n%s\nwant\n%s", err, got, want)
	}
	if again, err := (Format{Original: string(got)}).Encode(&v); err != nil || string(again) != want {
		t.Errorf("the second time it gives %v\n%s", err, again)
	}
}

func TestEncodeTexts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"plain", "1.10", "true", "null", "~", "- x", "a: b", "a #b", "'", `"`, `\`, " x ", "\t", "\x00", "é\u2028\u0085\ufeff", "{}", "[", "*a", "!x", "%x", "---",
		"\n", "\n\n", "a\n", "a\nb", "a\n\n", "\na\n", "  a\nb\n", "a\r\nb\n", "a\n\tb\n", "a\n b\n  \n", "# a\n", "a\n# b\n", "---\na\n", "a: 1\n", "a: 1\n# end\n", "a: 1\nb:\n  - c # d\n",
		"b:\n- c\n", "a: |\n  x\n", "a: |+\n  x\n\n", "&x a: *x\n", "{a: 1}\n", "a: 1\n---\nb: 2\n", "k: 1\nnext: 2\n", "\n# a\nb: 1\n",
	} {
		v := outer{Version: text, Values: text, Labels: map[string]string{text: text}, Items: []inner{{Name: text}}}
		data, err := Format{}.Encode(&v)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got outer
		if _, err := Decode(data, &got); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%q: %v: read as %+v from\n%s", text, err, got, data)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	_, err := Format{}.Encode(&outer{Version: "\xff", Labels: map[string]string{"\xff": ""}})
	if err == nil {
		t.Error("a text that is not UTF-8 is written")
	}
}

// Whatever can be read is written in a form that is read as the same, and that
// is final.
func FuzzEncode(f *testing.F) {
	f.Add("# a\n\n# b\nversion: 1 # c\n# d\n\nlabels: # e\n  # f\n  a: b # g\n  # h\nitems:\n# i\n- name: x # j\n  # k\n\n# l\n- size: 3\n# m\n")
	f.Add("values: # a\n  # b\n  c: d # e\n  # f\n# g\non: true\n")
	f.Add("values: |\n  # b\n  c: d\n\n\n# g\nname: |2+\n   x\n\n")
	f.Add("{version: a, # b\n items: [{name: c}, # d\n {size: 1}]}\n# e\n")
	f.Fuzz(func(t *testing.T, doc string) {
		var v, again outer
		if _, err := Decode([]byte(doc), &v); err != nil {
			return
		}
		once, err := Format{Original: doc}.Encode(&v)
		if err != nil {
			t.Skip()
		}
		if _, err := Decode(once, &again); err != nil || !reflect.DeepEqual(v, again) {
			t.Fatalf("%v: %+v is read as %+v from\n%s", err, v, again, once)
		}
		twice, err := Format{Original: string(once)}.Encode(&again)
		if err != nil || string(twice) != string(once) {
			t.Fatalf("%v: written as\n%q\nthen as\n%q", err, once, twice)
		}
	})
}
