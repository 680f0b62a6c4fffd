package profile_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

const baseValues = `# of the web
replicas: 2
image:
  tag: "1.0" # pinned
  pull: {{ .spectro.system.cluster.name }}
hosts: [a, b]
`

func TestMergeOverride(t *testing.T) {
	t.Parallel()
	swap := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(baseValues) }
	for _, tt := range []struct {
		name, base, mine, theirs string
		want                     string
		conflicts                []profile.ValueConflict
	}{
		{"nothing changed", baseValues, baseValues, baseValues, swap("[a, b]", "[a, b]"), nil},
		{"mine alone", baseValues, swap("replicas: 2", "replicas: 5"), baseValues, swap("replicas: 2", "replicas: 5"), nil},
		{"theirs alone", baseValues, baseValues, swap("1.0", "1.1"), swap("1.0", "1.1"), nil},
		{"both, apart", baseValues, swap("replicas: 2", "replicas: 5"), swap("1.0", "1.1"), swap("replicas: 2", "replicas: 5", "1.0", "1.1"), nil},
		{"both, to the same", baseValues, swap("1.0", "1.1"), swap("1.0", "1.1"), swap("1.0", "1.1"), nil},
		{"both, to different ends", baseValues, swap("1.0", "1.2"), swap("1.0", "1.1"), "", []profile.ValueConflict{{"image.tag", `"1.0"`, `"1.2"`, `"1.1"`}}},
		{"I remove, they change", baseValues, swap("hosts: [a, b]\n", ""), swap("[a, b]", "[c]"), "", []profile.ValueConflict{{"hosts", "[a, b]", "", "[c]"}}},
		{"they remove, I do nothing", baseValues, baseValues, swap("hosts: [a, b]\n", ""), swap("hosts: [a, b]\n", ""), nil},
		{"macros", baseValues, swap("cluster.name", "cluster.uid"), swap("cluster.name", "user.name"), "", []profile.ValueConflict{{"image.pull", "{{ .spectro.system.cluster.name }}", "{{ .spectro.system.cluster.uid }}", "{{ .spectro.system.user.name }}"}}},
		{"a text is not the number", "a: 1", "a: '1'", "a: 1.0", "", []profile.ValueConflict{{"a", "1", "'1'", "1.0"}}},
		{"both add a map", "", "a: {b: 1}", "a: {c: 2}", "a: {c: 2, b: 1}\n", nil},
		{"a key with a dot", "a.b: 1", "a.b: 2", "a.b: 3", "", []profile.ValueConflict{{`["a.b"]`, "1", "2", "3"}}},
		{"aliases", "a: &x {k: 1}\nb: *x\n", "a: &x {k: 1}\nb: *x\nc: 1\n", "a: &x {k: 2}\nb: *x\n", "a: {k: 2}\nb: {k: 2}\nc: 1\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, conflicts, err := profile.MergeOverride(tt.base, tt.mine, tt.theirs)
			if err != nil || got != tt.want || !reflect.DeepEqual(conflicts, tt.conflicts) {
				t.Errorf("merged is %q, conflicts %q, %v\nwant      %q, conflicts %q", got, conflicts, err, tt.want, tt.conflicts)
			}
		})
	}
	if _, _, err := profile.MergeOverride("{", "[1]", ""); err == nil || !strings.Contains(err.Error(), "base: invalid YAML") || !strings.Contains(err.Error(), "mine: want a mapping") {
		t.Errorf("error = %v", err)
	}
}

func TestMergeOverrideBoundsAliases(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
	for c := 'b'; c < 'j'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+", ", 10), ", ") + "]\n"
	}
	if _, _, err := profile.MergeOverride(bomb, "", ""); err == nil || !strings.Contains(err.Error(), "once its aliases are written out") {
		t.Errorf("error = %v", err)
	}
}

// layerOf resolves apps, a profile of one chart "web" with values, and returns
// the layer.
func layerOf(t *testing.T, values string, o profile.Override) (profile.PinnedLayer, error) {
	t.Helper()
	web := chart("web")
	web.Values = values
	s, err := profile.Compose(addOn("apps", web))
	if err != nil {
		t.Fatal(err)
	}
	s.Overrides = []profile.Override{o}
	s.System = map[string]string{"cluster.name": "c1"}
	d, err := s.Resolve(t.Context(), world, nil)
	if err != nil {
		return profile.PinnedLayer{}, err
	}
	return d.Layers()[0], nil
}

func TestOverride(t *testing.T) {
	t.Parallel()
	l, err := layerOf(t, baseValues, profile.Override{
		Layer: "web", Values: "replicas: 7\nhosts: null\n", Version: "5.x",
		Manifests: []layer.Manifest{{Name: "extra", Content: "kind: X\nname: {{ .spectro.system.cluster.name }}\n"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "# of the web\nreplicas: 7\nimage:\n  tag: \"1.0\" # pinned\n  pull: c1\nhosts: null\n"; l.Values != want {
		t.Errorf("values are %q, want %q", l.Values, want)
	}
	if l.Pin.Version != "5.x" || l.Helm.Version != "5.x" {
		t.Errorf("the constraint is %q", l.Pin.Version)
	}
	if len(l.AttachedManifests) != 1 || l.AttachedManifests[0].Content != "kind: X\nname: c1\n" {
		t.Errorf("manifests are %v", l.AttachedManifests)
	}
}

func TestOverrideAndUpdate(t *testing.T) {
	t.Parallel()
	updated := strings.Replace(baseValues, "1.0", "1.1", 1)
	clash := strings.Replace(baseValues, "replicas: 2", "replicas: 3", 1)
	mine := strings.Replace(baseValues, "replicas: 2", "replicas: 9", 1)
	stale := profile.ValuesDigest(baseValues)
	for _, tt := range []struct {
		name      string
		now       string
		o         profile.Override
		want      string // in the values
		conflicts int    // -1 if the error has none
	}{
		{"merge, nothing kept", updated, profile.Override{Values: "replicas: 9"}, "replicas: 9", 0},
		{"merge, digest, no update", baseValues, profile.Override{Values: "replicas: 9", BaseDigest: stale}, "replicas: 9", 0},
		{"merge, digest, update", updated, profile.Override{Values: "replicas: 9", BaseDigest: stale}, "", -1},
		{"merge, base, update apart", updated, profile.Override{Values: "replicas: 9", Base: baseValues}, "1.1", 0},
		{"merge, base, update of the same", clash, profile.Override{Values: "replicas: 9", Base: baseValues}, "", 1},
		{"replace, no update", baseValues, profile.Override{Mode: profile.OverrideReplace, Values: mine, BaseDigest: stale}, "replicas: 9", 0},
		{"replace, digest, update", updated, profile.Override{Mode: profile.OverrideReplace, Values: mine, BaseDigest: stale}, "", -1},
		{"replace, base, update apart", updated, profile.Override{Mode: profile.OverrideReplace, Values: mine, Base: baseValues}, "1.1", 0},
		{"replace, base, update of the same", clash, profile.Override{Mode: profile.OverrideReplace, Values: mine, Base: baseValues}, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.o.Layer = "web"
			l, err := layerOf(t, tt.now, tt.o)
			e, failed := errors.AsType[*profile.OverrideError](err)
			if failed != (tt.conflicts != 0) || failed && (len(e.Conflicts) != max(tt.conflicts, 0) || e.Layer != "web" || e.Profile.Name != "apps" || !errors.Is(err, profile.ErrConflict)) {
				t.Fatalf("error = %v", err)
			}
			if !strings.Contains(l.Values, tt.want) {
				t.Errorf("values are %q, want %q in them", l.Values, tt.want)
			}
			if tt.conflicts > 0 && (e.Conflicts[0] != profile.ValueConflict{Path: "replicas", Base: "2", Mine: "9", Theirs: "3"}) {
				t.Errorf("conflict is %v", e.Conflicts[0])
			}
		})
	}
}

func TestOverrideErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		o    profile.Override
		want string
	}{
		{"unknown layer", profile.Override{Layer: "wbe"}, `overrides[0].layer: the stack has no layer "wbe", did you mean "web"?`},
		{"unknown mode", profile.Override{Layer: "web", Mode: "patch"}, `overrides[0].mode: layer "web": is "patch"`},
		{"no YAML", profile.Override{Layer: "web", Values: "{"}, "overrides[0].values"},
		{"nothing to notice updates by", profile.Override{Layer: "web", Mode: profile.OverrideReplace, Values: "a: 1"}, "overrides[0].base"},
		{"wrong digest", profile.Override{Layer: "web", Base: "a: 1", BaseDigest: profile.ValuesDigest("")}, "overrides[0].baseDigest"},
		{"manifests of one name", profile.Override{Layer: "web", Manifests: []layer.Manifest{{Name: "a", Content: "a: 1"}, {Name: "a", Content: "a: 1"}}}, "overrides[0].manifests[1].name"},
		{"unknown variable", profile.Override{Layer: "web", Values: "a: {{ .spectro.var.x }}"}, `has no variable "x"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := layerOf(t, "replicas: 1", tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}
