package pack_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/values"
	"github.com/strata-go/strata/pack"
)

const presetsFile = `presets:
- name: private
  displayName: Private Registry
  group: registry
  remove: [charts.web.image.pullSecret, charts.web.not-there]
  add: |
    charts:
      web:
        # from inside
        image: {registry: "10.0.0.1"}
        hosts: [a]
- name: public
  group: registry
- name: big
  group: size
  add: "charts: {web: {replicas: 5}}"
`

const presetValues = `# The values of the pack.

pack:
    namespace: web      # odd indentation

charts:
  # About web.
  web:
    replicas: 1         # at least one

    image:
      pullSecret: x     # gone
      # the name
      name: "web"
    url: {{ .spectro.var.url }}

# The end.
`

func presets(t *testing.T) []pack.Preset {
	t.Helper()
	list, err := pack.ReadPresets([]byte(presetsFile))
	if err != nil || len(list) != 3 || list[0].DisplayName != "Private Registry" || list[2].Line != 14 {
		t.Fatalf("%+v, %v", list, err)
	}
	return list
}

// All but what a preset is about stays as it is written: comments, order,
// indentation, empty lines, macros.
func TestEnablePresets(t *testing.T) {
	t.Parallel()
	list := presets(t)
	got, err := pack.EnablePresets([]byte(presetValues), list, map[string]string{"registry": "private", "size": "big"})
	if err != nil {
		t.Fatal(err)
	}
	want := "# spectrocloud.com/enabled-presets: registry:private,size:big\n" + strings.NewReplacer(
		"    replicas: 1         # at least one\n", "    replicas: 5 # at least one\n",
		"      pullSecret: x     # gone\n", "",
		"      name: \"web\"\n", "      name: \"web\"\n      registry: \"10.0.0.1\"\n",
		"    url: {{ .spectro.var.url }}\n", "    url: {{ .spectro.var.url }}\n    hosts: [a]\n",
	).Replace(presetValues)
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if enabled := pack.EnabledPresets(got); !maps.Equal(enabled, map[string]string{"registry": "private", "size": "big"}) {
		t.Errorf("enabled: %v", enabled)
	}
	again, err := pack.EnablePresets(got, list, map[string]string{"registry": "public"})
	if err != nil || !strings.HasPrefix(string(again), "# spectrocloud.com/enabled-presets: registry:public,size:big\n# The values") {
		t.Errorf("another of the group: %v\n%s", err, again)
	}
	if strings.Count(string(again), "enabled-presets") != 1 {
		t.Errorf("the comment is there twice:\n%s", again)
	}
}

func TestEnablePresetsRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		doc     string
		enabled map[string]string
		want    string
	}{
		"no such group":  {"a: 1", map[string]string{"registri": "private"}, `presets.yaml: there is no preset group "registri", did you mean "registry"?`},
		"no such preset": {"a: 1", map[string]string{"size": "huge"}, `presets.yaml: preset group "size" has no preset "huge": want one of big`},
		"no YAML":        {"a: [", map[string]string{"size": "big"}, "values.yaml:1:1: "},
		"no map":         {"- a", map[string]string{"size": "big"}, "values.yaml: must be a map"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pack.EnablePresets([]byte(test.doc), presets(t), test.enabled)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v; want %s", err, test.want)
			}
		})
	}
}

func TestReadPresetsReportsAll(t *testing.T) {
	t.Parallel()
	_, err := pack.ReadPresets([]byte(`presets:
- {group: g}
- {name: a, group: g}
- {name: a, group: g, add: "x: ["}
- {name: "b:c", remove: x}
- {name: "d,e"}
`))
	const want = `presets.yaml:2:3: presets[0].name: required, but missing
presets.yaml:4:3: presets[2].name: group "g" has two presets called "a"
presets.yaml:4:3: presets[2].add: line 1 of it: did not find expected node content
presets.yaml:5:3: presets[3]: `
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), `presets.yaml:6:3: presets[4]: neither name nor group may hold ":" or ","`) {
		t.Errorf("got:\n%v\nwant:\n%s...", err, want)
	}
	for _, nothing := range []string{"", "# nothing", "presets:", "presets: []"} {
		if list, err := pack.ReadPresets([]byte(nothing)); err != nil || len(list) != 0 {
			t.Errorf("%q: %v, %v", nothing, list, err)
		}
	}
}

func TestMergeValues(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ base, over, want string }{
		"nothing over":     {"a: 1 # x\n", "", "a: 1 # x\n"},
		"over nothing":     {"", "a: 1\n", "a: 1\n"},
		"over a comment":   {"# about\n", "a: 1\n", "# about\n\na: 1\n"},
		"no line break":    {"a: 1", "b: 2", "a: 1\nb: 2\n"},
		"new keys, nested": {"a:\n  b: 1\n\nc: 3\n", "a: {x: {y: 2}}", "a:\n  b: 1\n  x: {y: 2}\n\nc: 3\n"},
		"null stays":       {"a: 1\nb: 2\n", "a: null", "a: null\nb: 2\n"},
		"list replaced":    {"a:\n- 1\n- 2\nb: 2\n", "a: [3]", "a: [3]\nb: 2\n"},
		"block replaced":   {"a: |\n  x\n\n  y\n\n# b\nb: 2\n", "a: z", "a: z\n\n# b\nb: 2\n"},
		"map for a scalar": {"a: 1\nb: 2\n", "a:\n  x: 1", "a:\n  x: 1\nb: 2\n"},
		"scalar for a map": {"a:\n  x: 1\n  # of x\nb: 2\n", "a: 1", "a: 1\nb: 2\n"},
		"empty map":        {"a: {}\nb: 2\n", "a: {x: 1}", "a: {x: 1}\nb: 2\n"},
		"macros":           {"a: {{ .spectro.var.a }}\nb: 1\n", "b: {{ .spectro.var.b }}", "a: {{ .spectro.var.a }}\nb: {{ .spectro.var.b }}\n"},
		"in a list":        {"- a", "", ""},
		// What cannot be edited as text is written anew.
		"flow style":  {"# x\na: {b: 1, c: [2]}\nd: 1\n", "a: {b: 2}", "# x\na:\n  b: 2\n  c: [2]\nd: 1\n"},
		"an anchor":   {"a: &x {b: 1}\nc: *x\n", "d: 1", "a: &x {b: 1}\nc: *x\nd: 1\n"},
		"JSON values": {`{"a": {"b": 1}}`, "a: {c: 2}", "\"a\":\n  \"b\": 1\n  c: 2\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := pack.MergeValues([]byte(test.base), []byte(test.over))
			if test.want == "" {
				if err == nil {
					t.Errorf("got %s; want an error", got)
				}
			} else if err != nil || string(got) != test.want {
				t.Errorf("got %v:\n%s\nwant:\n%s", err, got, test.want)
			}
		})
	}
}

// Every preset of a public catalogue can be enabled, and no comment goes but by
// what it removes.
func TestRealPresets(t *testing.T) {
	t.Parallel()
	found := 0
	files, _ := filepath.Glob(filepath.Join(realPacks(t), "*", "presets.yaml"))
	for _, file := range files {
		p, err := pack.Open(os.DirFS(filepath.Dir(file)))
		if err != nil {
			t.Fatal(err)
		}
		list, err := p.Presets()
		if err != nil {
			t.Fatal(err)
		}
		for _, preset := range list {
			found++
			got, err := pack.EnablePresets(p.Values, list, map[string]string{preset.Group: preset.Name})
			if err != nil {
				t.Errorf("%s: %s: %v", file, preset.Name, err)
			}
			kept := map[string]bool{}
			for line := range strings.Lines(string(got)) {
				kept[line] = true
			}
			for line := range strings.Lines(string(p.Values)) {
				comment := strings.HasPrefix(strings.TrimSpace(line), "#") && !strings.Contains(line, "enabled-presets")
				if comment && !kept[line] && len(preset.Remove) == 0 {
					t.Errorf("%s: %s: a comment is gone: %s", file, preset.Name, line)
				}
			}
		}
	}
	if found < 50 {
		t.Errorf("%d presets", found)
	}
}

func FuzzReadPresets(f *testing.F) {
	f.Add([]byte(presetsFile), []byte(presetValues))
	f.Add([]byte("presets: [{name: a, add: 'a: {b: 1}'}]"), []byte("a: &x {c: 2}\nb: *x"))
	f.Fuzz(func(t *testing.T, file, doc []byte) {
		list, err := pack.ReadPresets(file)
		if err != nil {
			return
		}
		for _, p := range list {
			got, err := pack.EnablePresets(doc, list, map[string]string{p.Group: p.Name})
			if err != nil {
				continue
			}
			if enabled := pack.EnabledPresets(got); enabled[strings.TrimSpace(p.Group)] != strings.TrimSpace(p.Name) {
				t.Errorf("%q says %v", got, enabled)
			}
		}
	})
}

// What comes out says what the two documents say, merged.
func FuzzMergeValues(f *testing.F) {
	f.Add([]byte(presetValues), []byte("charts: {web: {replicas: 2, x: [1]}}"))
	f.Add([]byte("a: |\n  x\nb:\n- 1\n"), []byte("a: {b: 1}\nb: null"))
	f.Add([]byte("\"a b\": 'c'\n# x\n\n"), []byte("\"a b\":\n  d: 1"))
	f.Fuzz(func(t *testing.T, base, over []byte) {
		got, err := pack.MergeValues(base, over)
		if err != nil || strings.Contains(string(base)+string(over), ".spectro.") {
			return
		}
		below, _ := values.Parse("", base)
		above, _ := values.Parse("", over)
		if said, err := values.Parse("", got); err != nil || !reflect.DeepEqual(said, values.MergeNulls(below, above)) {
			t.Errorf("%q over %q: %v:\n%s", over, base, err, got)
		}
	})
}
