package pack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/strata-go/strata/pack"
)

// rule is a schema.yaml with one rule for the value "v".
func rule(pipeline string) []byte { return fmt.Appendf(nil, "v:\n  schema: '{{ %s }}'\n", pipeline) }

func TestSchemaFormats(t *testing.T) {
	t.Parallel()
	tests := []struct{ pipeline, good, bad string }{ // values with ; between them
		{`format "${string}"`, "a;a b;1;true", ""},
		{`format "${string:/^[a-z].*$/}"`, "a1;abc", "1a;A"},
		{`format "${string:/[0-9]{2}/}"`, "a12;123", "a1"},
		{`format "${number}"`, "1;-1.5;1e3;'7'", "a;1a;--1"},
		{`format "${number:[5000-5005]}"`, "5000;5005;5002.5", "4999;5006;a"},
		{`format "${number:[-5--1]}"`, "-5;-1", "0"},
		{`format "${number:/^[0-9]$/}"`, "7", "77;1.5"},
		{`format "${boolean}"`, "true;false;'true'", "yes please;1"},
		{`format "${password}"`, "x", ""},
		{`format "${password:/.{8}/}"`, "12345678", "1234567"},
		{`format "${list:[A, B C,D.E]}"`, "A;B C;D.E", "B;DxE;A B"},
		{`format "${ipv4}"`, "10.0.0.1", "10.0.0;10.0.0.256;'::1'"},
		{`format "${version}"`, "1.2.3;v1.2;24.04", "latest;1"},
		{`format "${ipv4} - ${ipv4}"`, "10.0.0.1 - 10.0.0.9", "10.0.0.1;10.0.0.1-10.0.0.9;10.0.0.1 - x"},
		{`format "${string}, ${string:/size=\d+/}"`, "a, size=3;a, b, size=3", "a, size=x;size=3"},
		{`format "${string}/${string}:${version}"`, "ghcr.io/a/b:1.2.3", "ghcr.io/a/b;b:1.2"},
		{`format "${number}m"`, "500m", "500;m"},
		{`required`, "a;0;false", "'';null"},
		{`required | format "${string}"`, "a", "''"},
		{`format "${number}"`, "'';null;'{{ .spectro.var.n }}'", "{};[1]"},
		{`format "${input}" | unknown`, "a;{}", ""},
	}
	for _, test := range tests {
		t.Run(test.pipeline, func(t *testing.T) {
			t.Parallel()
			schema, _ := pack.ReadSchema(rule(strings.ReplaceAll(test.pipeline, "'", "''")))
			if len(schema) != 1 {
				t.Fatalf("schema is %v", schema)
			}
			for v := range strings.SplitSeq(test.good, ";") {
				if err := schema.Check(parse(t, "v: "+v)); err != nil {
					t.Errorf("%s: %v", v, err)
				}
			}
			for v := range strings.SplitSeq(test.bad, ";") {
				if test.bad == "" {
					break
				}
				err := schema.Check(parse(t, "v: "+v))
				if err == nil || !strings.HasPrefix(err.Error(), "v: ") {
					t.Errorf("%s: %v, want an error", v, err)
				}
				if plain := strings.Trim(v, "'"); err != nil && len(plain) > 4 && strings.Contains(err.Error(), plain) {
					t.Errorf("%s: the message holds the value: %v", v, err)
				}
			}
		})
	}
}

func TestReadSchema(t *testing.T) {
	t.Parallel()
	schema, problems := pack.ReadSchema([]byte(`# comment
charts.web.password:
  schema: '{{ required | format "${password}" | hints "A text" "say \"x\"" }}'
charts.web.kind:
  schema: '{{ readonly|format "${list:[A,B]}" }}'
new:
  schema: '{{ format "${input}" | shiny }}'
`))
	var got []string
	for _, r := range schema {
		got = append(got, fmt.Sprint(r.Path, " ", r.Required, r.ReadOnly, r.Secret, r.Line, r.Hints, r.Options, " ", r.Format))
	}
	want := []string{
		`charts.web.password true false true 2 [A text say "x"] [] ${password}`,
		`charts.web.kind false true false 4 [] [A B] ${list:[A,B]}`,
		`new false false false 6 [] [] ${input}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	texts(t, problems,
		`warning: schema.yaml:7:11: new: format "${input}": ${input} is not known, and admits everything`,
		`warning: schema.yaml:7:11: new: "shiny" is not known: want required, readonly, format or hints`)
}

func TestReadSchemaReportsAll(t *testing.T) {
	t.Parallel()
	schema, problems := pack.ReadSchema([]byte(`a: x
b: {schema: required}
c: {schema: '{{ format }}'}
d: {schema: '{{ format "${string:/[/}" }}'}
e: {schema: '{{ hints "x }}'}
f: {schema: '{{ required readonly }}'}
g: {schema: '{{ required | }}'}
h: {schema: '{{ format "${number:x}" }}'}
i: {schema: '{{ format "${string" }}'}
j: {schema: '{{ required }}'}
`))
	if len(problems) != 9 || len(schema) != 5 {
		t.Errorf("%d rules, %d problems: %v", len(schema), len(problems), problems)
	}
	for i, p := range problems {
		if p.Line != i+1 || p.Severity != pack.SeverityError || p.Field == "" {
			t.Errorf("problem %d is %v", i, p)
		}
	}
	for _, doc := range []string{"a: [", "- a"} {
		if _, problems := pack.ReadSchema([]byte(doc)); len(problems) != 1 || problems[0].Line != 1 {
			t.Errorf("%q: %v", doc, problems)
		}
	}
}

func TestSchemaCheck(t *testing.T) {
	t.Parallel()
	schema, _ := pack.ReadSchema([]byte(`
hosts.$[].name: {schema: '{{ required | format "${string:/^[a-z]+$/}" }}'}
a.b.c/d: {schema: '{{ format "${number}" }}'}
gone: {schema: '{{ required | hints "Enter it" }}'}
fixed: {schema: '{{ readonly }}'}
`))
	before := parse(t, "hosts: [{name: a}, {name: B}, {}]\na: {b.c/d: x}\nfixed: 1")
	const want = `hosts[1].name: want a text that matches /^[a-z]+$/
a.b.c/d: want a number
gone: required, but not set (Enter it)`
	if err := schema.Check(before); err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if err := schema.CheckChange(before, before); err != nil {
		t.Error(err)
	}
	for _, after := range []string{"fixed: 2", "{}"} {
		if err := schema.CheckChange(before, parse(t, after)); err == nil || !strings.HasPrefix(err.Error(), "fixed: is read-only") {
			t.Errorf("%s: %v", after, err)
		}
	}
}

// texts compares problems with what they should say.
func texts(t *testing.T, problems []pack.Problem, want ...string) {
	t.Helper()
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func FuzzReadSchema(f *testing.F) {
	f.Add(rule(`required | format "${string}, ${number:[1-2]}" | hints "a" "b"`), "v: a, 1")
	f.Add(rule(`format "${list:[A,B]} ${ipv4}"`), "v: [1]")
	f.Add([]byte("a.$[].b: {schema: '{{ readonly }}'}"), "a: [{b: 1}, 2]")
	f.Fuzz(func(t *testing.T, doc []byte, text string) {
		schema, problems := pack.ReadSchema(doc)
		for _, p := range problems {
			if p.Message == "" || p.File != "schema.yaml" {
				t.Errorf("problem %+v", p)
			}
		}
		v := map[string]any{"v": text, "a": []any{map[string]any{"b": text}}}
		_ = schema.Check(v)
		if err := schema.CheckChange(v, v); err != nil {
			t.Error(err)
		}
	})
}
