package profile_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// same reports whether two profiles say the same; what they were parsed from
// does not matter.
func same(a, b *profile.Profile) bool { return reflect.DeepEqual(said(a), said(b)) }

func said(p *profile.Profile) profile.Profile {
	return profile.Profile{
		Name: p.Name, Version: p.Version, Description: p.Description, Labels: p.Labels, Annotations: p.Annotations,
		Type: p.Type, CloudType: p.CloudType, Variables: p.Variables, Layers: p.Layers,
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	const text = `# Who may change this: the platform team.

kind: ClusterProfile
apiVersion: strata.dev/v1alpha1
spec:
  type: add-on # no infrastructure
  version: 1.10.0
  # What clusters say.
  variables: [{default: "2", name: replicas, format: number}] # one
  layers:
  # The web.
  - helm: {chart: web, version: 1.10}
    values:
      # how many
      replicas: {{ .spectro.var.replicas }}
    name: web

  - name: rules
    manifests:
      inline:
        - {name: "rules", content: "a: 1\nb: '{{ $labels.x }}'\n"}
    namespace: '{{ .spectro.var.replicas | quote }}'
metadata: {name: apps}
`
	const want = `# Who may change this: the platform team.

apiVersion: strata.dev/v1alpha1
kind: ClusterProfile
metadata:
  name: apps
spec:
  version: 1.11.0
  # no infrastructure
  # What clusters say.
  # one
  variables:
  - name: replicas
    format: number
    default: "2"
  layers:
  # The web.
  - name: web
    helm:
      chart: web
      version: "1.10"
    values:
      # how many
      replicas: {{ .spectro.var.replicas }}
  - name: rules
    manifests:
      inline:
      - name: rules
        content: |
          a: 1
          b: '{{ $labels.x }}'
`
	p := parse(t, strings.Replace(text, "    namespace: '{{ .spectro.var.replicas | quote }}'\n", "", 1))
	p.Version = "1.11.0" // comments survive changes
	p.Type = ""
	got, err := p.Format()
	if err != nil || string(got) != want {
		t.Errorf("Format gives %v\n%s", err, got)
	}
	file, err := profile.FormatFile([]byte(text))
	if err != nil || !strings.Contains(string(file), "    namespace: '{{ .spectro.var.replicas | quote }}'\n") || !strings.Contains(string(file), "type: add-on # no infrastructure\n") {
		t.Errorf("FormatFile gives %v\n%s", err, file)
	}
}

func TestFormatFileOfAStack(t *testing.T) {
	t.Parallel()
	const text = "spec: {profiles: [{file: base.yaml}, {version: 1.2, name: apps}]} # all\nkind: ClusterStack\nmetadata: {name: prod}\napiVersion: strata.dev/v1alpha1\n"
	const want = "apiVersion: strata.dev/v1alpha1\nkind: ClusterStack\nmetadata:\n  name: prod\n# all\nspec:\n  profiles:\n  - file: base.yaml\n  - name: apps\n    version: \"1.2\"\n"
	if got, err := profile.FormatFile([]byte(text)); err != nil || string(got) != want {
		t.Errorf("FormatFile gives %v\n%s", err, got)
	}
	if got, err := profile.FormatFile([]byte("kind: ClusterStack\nspec: {profile: []}\n")); err == nil || !strings.Contains(err.Error(), `did you mean "profiles"`) {
		t.Errorf("FormatFile gives %v\n%s", err, got)
	}
}

func TestFormatRefuses(t *testing.T) {
	t.Parallel()
	p := &profile.Profile{Name: "x", Description: "\xff"}
	if data, err := p.Format(); err == nil || !strings.Contains(err.Error(), "profile x@") {
		t.Errorf("Format gives %q, %v", data, err)
	}
}

// Parsing what Format wrote gives the profile again, whatever is in it.
func TestFormatIsTheInverseOfParse(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		p := g.profile()
		if err := p.Validate(); err != nil {
			t.Fatalf("seed %d: the generator makes an invalid profile: %v", seed, err)
		}
		once, err := p.Format()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		again, err := profile.Parse(once)
		if err != nil || !same(p, again) {
			t.Fatalf("seed %d: %v\n%s\nis read as\n%+v\nwant\n%+v", seed, err, once, again, p)
		}
		if twice, err := again.Format(); err != nil || string(twice) != string(once) {
			t.Fatalf("seed %d: the second time it is (%v)\n%s\nfirst\n%s", seed, err, twice, once)
		}
	}
}

// A generator makes valid profiles with the texts that are hard to write.
type generator struct{ *rand.Rand }

func (g generator) profile() *profile.Profile {
	p := &profile.Profile{
		Name: "generated", Version: "1.2.3", Type: profile.AddOn, Description: g.text(),
		Labels: map[string]string{g.text(): g.text(), "b": g.text()}, Annotations: map[string]string{"a": g.text()},
	}
	if g.IntN(4) == 0 {
		p.Labels, p.Annotations = map[string]string{}, nil
	}
	for i := range g.IntN(4) {
		p.Variables = append(p.Variables, profile.Variable{Name: fmt.Sprintf("v%d", i), Description: g.text(), Default: g.text(), Sensitive: g.IntN(2) == 0})
	}
	for i := range 1 + g.IntN(4) {
		l := layer.Layer{Name: fmt.Sprintf("l%d", i), Values: g.document(), InstallOrder: g.IntN(5) - 2}
		switch g.IntN(3) {
		case 0:
			l.Pack = &layer.Pack{Name: "p" + g.text(), Version: g.text()}
		case 1:
			l.Helm = &layer.Helm{Chart: "c" + g.text(), Registry: "oci://host/path"}
		case 2:
			l.Manifests = &layer.Manifests{Inline: []layer.Manifest{{Name: "m", Content: "x: y\n"}, {Name: "n", Content: g.document() + "\n#" + g.word()}}}
		}
		p.Layers = append(p.Layers, l)
	}
	return p
}

func (g generator) text() string {
	pieces := []string{
		"a", " ", "\n", ": ", " #", "'", `"`, `\`, "-", "{{", "}}", "{", "[", "é", "\u2028", "\u0085", "\t", "\x01", "1.10", "null", "yes", "~", "%", "@", "`", "&", "*",
		"---", "\r", "🙂", "{{ .spectro.system.cluster.name }}", "{{.spectro.macro.x}}", "{{ $x }}", "xMACRO00000000x",
	}
	var b strings.Builder
	for range g.IntN(6) {
		b.WriteString(pieces[g.IntN(len(pieces))])
	}
	return b.String()
}

// word is a text on one line that may stand in a comment.
func (g generator) word() string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, g.text())
}

func (g generator) document() string {
	documents := []string{
		"", "{}\n", "a: 1\n", "a: 1", "# only a comment\n", "# first\na: 1 # line\nb:\n  - c\n  # inner\n  - d\n# last\n", "a:\n- b\n", "a: |\n  text\n\n  more\n", "{a: 1, b: [2]}\n",
		"a: {{ .spectro.system.cluster.name }}\nb: '{{ $labels.x }}'\n", "\n\na: 1\n\n\n", "a: &x {b: 1}\nc: *x\n", "\"a b\": \"\\n\"\n", "a: 1\r\nb: 2\r\n", "  a: 1\n  b: 2\n", "a: 1\n#end\n\n", "null\n", "---\na: 1\n",
	}
	return documents[g.IntN(len(documents))]
}

func FuzzFormat(f *testing.F) {
	f.Add(infra)
	f.Add(addon)
	f.Add("# a\n\n" + addon + "# b\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := profile.Parse([]byte(text))
		if err != nil {
			return
		}
		once, err := p.Format()
		if err != nil {
			t.Skip()
		}
		again, err := profile.Parse(once)
		if err != nil || !same(p, again) {
			t.Fatalf("%v: written as\n%s", err, once)
		}
		if twice, err := again.Format(); err != nil || string(twice) != string(once) {
			t.Fatalf("%v: written as\n%s\nthen as\n%s", err, once, twice)
		}
	})
}
