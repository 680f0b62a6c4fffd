package profile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// addOnPacks returns a profile of packs, each with values.
func addOnPacks(values ...string) *profile.Profile {
	p := &profile.Profile{Name: "packs", Version: "1.0.0", Type: profile.AddOn}
	for i, v := range values {
		name := string(rune('a' + i))
		p.Layers = append(p.Layers, layer.Layer{Name: "l" + name, Source: layer.Source{Pack: &layer.Pack{Name: name}}, Values: v})
	}
	return p
}

// packContent returns the content of packs that have values.
func packContent(values map[string]string) profile.Content {
	return func(pin layer.Pin) (fs.FS, error) {
		v, ok := values[pin.Name]
		if !ok {
			return nil, fmt.Errorf("%s: %w", pin, layer.ErrNotFound)
		}
		return fstest.MapFS{
			"pack.json":   {Data: fmt.Appendf(nil, `{"name": %q, "displayName": "x", "version": "1.0.0", "layer": "addon"}`, pin.Name)},
			"values.yaml": {Data: []byte(v)},
		}, nil
	}
}

var anyVersion = versions{"a": "1.0.0", "b": "1.0.0", "c": "1.0.0", "web": "1.0.0"}

func resolve(t *testing.T, s *profile.Stack) *profile.Desired {
	t.Helper()
	d, err := s.Resolve(t.Context(), anyVersion, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func withContent(d *profile.Desired, name string, content profile.Content) (profile.PinnedLayer, error) {
	for _, l := range d.Layers() {
		if l.Name == name {
			return l.WithContent(content)
		}
	}
	panic("no layer " + name)
}

func TestMacroScopes(t *testing.T) {
	t.Parallel()
	s, err := profile.Compose(addOnPacks("a: {{ .spectro.macro.x }}\nb: {{ .spectro.macro.y }}\nc: {{ .spectro.macro.z | upper }}\nd: {{ .spectro.macro.none | default \"d\" }}\ne: {{ .spectro.system.cluster.kubevip | default \"e\" }}\nf: {{ .spectro.system.cluster.name }}\n"))
	if err != nil {
		t.Fatal(err)
	}
	s.System = map[string]string{"cluster.name": "prod"}
	s.Macros = profile.Macros{
		System:  map[string]string{"x": "system", "y": "system", "z": "{{ .spectro.macro.x }}"},
		Tenant:  map[string]string{"x": "tenant", "y": "tenant"},
		Project: map[string]string{"x": "project"},
	}
	want := "a: project\nb: tenant\nc: \"{{ .SPECTRO.MACRO.X }}\"\nd: d\ne: e\nf: prod\n"
	if got := resolve(t, s).Layers()[0].Values; got != want {
		t.Errorf("values are\n%s, want\n%s", got, want)
	}
}

func TestUnknownMacros(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ values, want string }{
		{"a: 1\nb: {{ .spectro.macro.regoin }}", `line 2: {{ .spectro.macro.regoin }}: no value for .spectro.macro.regoin, did you mean "region"?; set it in Stack.Macros`},
		{"a: {{ .spectro.system.cluster.nmae }}", `no value for .spectro.system.cluster.nmae, did you mean "cluster.name"?; set it in Stack.System`},
		{"a: {{ .spectro.system.user.email }}", "no value for .spectro.system.user.email; set it in Stack.System"},
		{"a: {{ .spectro.pack.aa.x }}", `the stack has no pack "aa"`},
		{"a: {{ .spectro.pack.a }}", "want .spectro.pack.<pack>.<path of a value>"},
		{"a: {{ .spectro.pcak.a.b }}", `unknown macro, did you mean "pack"?`},
		{"a: {{ .spectro.macro.region | uper }}", `unknown function "uper", did you mean "upper"? (known: b64dec, `},
		{"a: {{ .spectro.macro.region | substr 0 }}", "substr takes 2 arguments before the value, not 1"},
		{"a: {{ .spectro.macro.region | default region }}", "default: want a text in double quotes, not region"},
		{"a: {{ .spectro.macro.region | b64dec }}", "b64dec: the value is not base64"},
	} {
		t.Run(tt.values, func(t *testing.T) {
			t.Parallel()
			s := &profile.Stack{Profiles: []*profile.Profile{addOnPacks(tt.values)}, Macros: profile.Macros{Tenant: map[string]string{"region": "eu-west"}}}
			_, err := s.Resolve(t.Context(), anyVersion, nil)
			if !errors.Is(err, profile.ErrMacro) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestPackReferences(t *testing.T) {
	t.Parallel()
	s, err := profile.Compose(addOnPacks(
		"own: {{ .spectro.pack.a.port }}\nother: {{ .spectro.pack.b.deep.oidc-issuer-url }}\nlayer: {{ .spectro.pack.lb.deep.of | upper }}\n",
		"port: '{{ .spectro.pack.a.port }}1'\nnull: {{ .spectro.pack.a.gone | default \"none\" }}\n",
	))
	if err != nil {
		t.Fatal(err)
	}
	d := resolve(t, s)
	content := packContent(map[string]string{
		"a": "# {{ .spectro.pack.nothing.here }}\nport: 8080\ngone: ~\n",
		"b": "deep: {oidc-issuer-url: 'https://{{ .spectro.pack.b.deep.of }}:{{ .spectro.pack.b.port }}', of: &x host}\n",
	})
	if got := d.Layers()[0].Values; !strings.Contains(got, "own: {{ .spectro.pack.a.port }}\n") {
		t.Errorf("without content the references stay; values are\n%s", got)
	}
	if _, err := d.Layers()[0].Bind([]byte("a: {{ .spectro.pack.a.port }}")); err == nil || !strings.Contains(err.Error(), "call WithContent first") {
		t.Errorf("Bind without content: %v", err)
	}
	a, err := withContent(d, "la", content)
	if err != nil {
		t.Fatal(err)
	}
	if want := "own: 8080\nother: https://host:80801\nlayer: HOST\n"; a.Values != want {
		t.Errorf("values of a are\n%s, want\n%s", a.Values, want)
	}
	b, err := withContent(d, "lb", content)
	if err != nil {
		t.Fatal(err)
	}
	if want := "port: '80801'\nnull: none\n"; b.Values != want {
		t.Errorf("values of b are\n%s, want\n%s", b.Values, want)
	}
	bound, err := b.Bind([]byte("x: {{ .spectro.pack.a.port }}\ny: '{{ .spectro.pack.a.unset }}'\n"))
	if err != nil || string(bound) != "x: 8080\ny: ''\n" {
		t.Errorf("Bind = %q, %v", bound, err)
	}
	if a.Digest() != d.Layers()[0].Digest() {
		t.Error("the content changes the digest")
	}
}

func TestPackReferenceErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, values, a, b, want string }{
		{"a cycle", "x: {{ .spectro.pack.a.y }}", "y: '{{ .spectro.pack.b.z }}'", "z: '{{ .spectro.pack.a.y }}'", "values refer to each other in a cycle: la.y → lb.z → la.y"},
		{"a cycle of one", "x: {{ .spectro.pack.la.x }}", "", "", "cycle: la.x → la.x"},
		{"a map", "x: {{ .spectro.pack.a.m }}", "m: {a: 1}", "", "value m of layer la is a map; a macro takes single values only"},
		{"no content", "x: {{ .spectro.pack.b.m }}", "", "missing", `layer "lb": oci://test/b:1.0.0@`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			content := map[string]string{"a": tt.a, "b": tt.b}
			if tt.b == "missing" {
				delete(content, "b")
			}
			d := resolve(t, &profile.Stack{Profiles: []*profile.Profile{addOnPacks(tt.values, "")}})
			_, err := withContent(d, "la", packContent(content))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

// The value of a variable may look like a macro, and stays what it is.
func TestValuesAreNotMacros(t *testing.T) {
	t.Parallel()
	p := addOnPacks("a: {{ .spectro.var.v }}\nb: {{ .spectro.pack.a.secret }}\n")
	p.Variables = []profile.Variable{{Name: "v"}}
	s := &profile.Stack{Profiles: []*profile.Profile{p}, Variables: map[string]string{"v": "{{ .spectro.pack.a.secret }}"}}
	l, err := withContent(resolve(t, s), "la", packContent(map[string]string{"a": "secret: s3cret\n"}))
	if want := "a: \"{{ .spectro.pack.a.secret }}\"\nb: s3cret\n"; err != nil || l.Values != want {
		t.Errorf("values are\n%s, want\n%s(%v)", l.Values, want, err)
	}
}

// The mark of a sensitive variable follows its value through functions, other
// packs and encodings.
func TestSensitiveMarks(t *testing.T) {
	t.Parallel()
	p := addOnPacks("url: 'db://u:{{ .spectro.var.pw }}@h'\nup: {{ .spectro.var.pw | upper }}\ncut: {{ .spectro.var.pw | substr 2 7 }}\n", "dsn: {{ .spectro.pack.a.url | b64enc }}\nfrom: {{ .spectro.pack.a.url | trunc 12 }}\n")
	p.Variables = []profile.Variable{{Name: "pw", Sensitive: true}}
	s := &profile.Stack{Profiles: []*profile.Profile{p}, Variables: map[string]string{"pw": `it's "x<y" \o/`}}
	d := resolve(t, s)
	l, err := withContent(d, "lb", packContent(map[string]string{"a": "", "b": ""}))
	if err != nil {
		t.Fatal(err)
	}
	shown := d.Redact(d.Layers()[0].Values + l.Values)
	for _, leak := range []string{"it's", "it''s", "IT'S", "x<y", `'s "`, "ZGI6", `x\u003cy`} {
		if strings.Contains(shown, leak) {
			t.Errorf("%s is still in\n%s", leak, shown)
		}
	}
	e, err := d.Explain(packContent(map[string]string{"a": "", "b": ""}), "la", "up")
	if err != nil || strings.Contains(e.String(), "IT'S") || !strings.Contains(e.String(), "(sensitive)") {
		t.Errorf("the explanation is\n%v, %v", e, err)
	}
}

func TestHelmLayersDependOnTheirOwnMacrosOnly(t *testing.T) {
	t.Parallel()
	p := addOnPacks("x: 1\n")
	p.Variables = []profile.Variable{{Name: "v"}}
	p.Layers = append(p.Layers, layer.Layer{Name: "chart", Source: layer.Source{Helm: &layer.Helm{Chart: "web"}}, Values: "x: 1\n"})
	digests := func(value string) (pack, chart any) {
		d := resolve(t, &profile.Stack{Profiles: []*profile.Profile{p}, Variables: map[string]string{"v": value}})
		return d.Layers()[1].Digest(), d.Layers()[0].Digest()
	}
	pack1, chart1 := digests("1")
	pack2, chart2 := digests("2")
	if pack1 == pack2 || chart1 != chart2 {
		t.Error("a variable changes packs, whose content may hold it, and not charts")
	}
}

func TestTimesDoNotMakeAnotherLayer(t *testing.T) {
	t.Parallel()
	digest := func(timeout layer.Duration) any {
		p := addOnPacks("x: 1\n")
		p.Layers[0].HookTimeout = timeout
		d := resolve(t, &profile.Stack{Profiles: []*profile.Profile{p}})
		if got := d.Layers()[0].HookTimeout; got != timeout {
			t.Errorf("the layer has %q, want %q", got, timeout)
		}
		return d.Layers()[0].Digest()
	}
	if digest("") != digest("40m") {
		t.Error("the time that hooks may take makes another layer")
	}
}
