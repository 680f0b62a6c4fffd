package txtar

import (
	"reflect"
	"testing"
	"testing/fstest"
)

func TestArchive(t *testing.T) {
	t.Parallel()
	const text = "What it is.\n\n-- a.yaml --\na: 1\n-- b/c --\n-- d --\nno end"
	a := Parse(text)
	want := &Archive{"What it is.\n\n", []File{{"a.yaml", "a: 1\n"}, {"b/c", ""}, {"d", "no end\n"}}}
	if !reflect.DeepEqual(a, want) {
		t.Fatalf("Parse gives %+v", a)
	}
	if got, err := a.Format(); err != nil || got != text+"\n" {
		t.Errorf("Format gives %q, %v", got, err)
	}
	if err := fstest.TestFS(a.FS(""), "a.yaml", "b/c", "d"); err != nil {
		t.Error(err)
	}
	if _, ok := a.FS("b/")["c"]; !ok {
		t.Error("the folder b has no c")
	}
	a.Set("a.yaml", "a: 2\n")
	a.Set("e", "-- f --\n")
	if got, ok := a.Get("a.yaml"); !ok || got != "a: 2\n" {
		t.Errorf("a.yaml is %q after Set", got)
	}
	if got, err := a.Format(); err == nil {
		t.Errorf("a file with the line of a file is written as %q", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("-- a --\n-- b--\n--  --\r\n-- c --\r\nx")
	f.Fuzz(func(t *testing.T, text string) {
		a := Parse(text)
		once, err := a.Format()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(Parse(once), a) {
			t.Errorf("%q is written as %q, which is another archive", text, once)
		}
	})
}
