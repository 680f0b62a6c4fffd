package profile_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// addOn returns a valid add-on profile of layers.
func addOn(name string, layers ...layer.Layer) *profile.Profile {
	return &profile.Profile{Name: name, Version: "1.0.0", Type: profile.AddOn, Layers: layers}
}

func chart(name string) layer.Layer {
	return layer.Layer{Name: name, Source: layer.Source{Helm: &layer.Helm{Chart: name}}}
}

func manifests(name string, content ...string) layer.Layer {
	m := &layer.Manifests{}
	for i, c := range content {
		m.Inline = append(m.Inline, layer.Manifest{Name: fmt.Sprintf("m%d", i), Content: c})
	}
	return layer.Layer{Name: name, Source: layer.Source{Manifests: m}}
}

// Each case changes a valid layer in one place.
var rulesOfLayers = []struct {
	name   string
	change func(p *profile.Profile, l *layer.Layer)
	want   string // "" if it is valid
}{
	{"nothing", func(*profile.Profile, *layer.Layer) {}, ""},
	{"cloud all", func(p *profile.Profile, _ *layer.Layer) { p.CloudType = "all" }, ""},
	{"known cloud", func(p *profile.Profile, _ *layer.Layer) { p.CloudType = "vsphere" }, ""},
	{"custom cloud", func(p *profile.Profile, _ *layer.Layer) { p.CloudType = "nutanix" }, ""},
	{"mistyped cloud", func(p *profile.Profile, _ *layer.Layer) { p.CloudType = "vshpere" }, `spec.cloudType: "vshpere" is not known, did you mean "vsphere"?`},
	{"impossible cloud", func(p *profile.Profile, _ *layer.Layer) { p.CloudType = "My Cloud" }, "the name of a custom cloud"},
	{"presets of a chart", func(_ *profile.Profile, l *layer.Layer) { l.Presets = map[string]string{"a": "b"} }, "presets: are switched on for a source that has none"},
	{"preset without name", func(_ *profile.Profile, l *layer.Layer) {
		l.Source = layer.Source{Pack: &layer.Pack{Name: "x"}}
		l.Presets = map[string]string{"registry": ""}
	}, "presets.registry: names no preset"},
	{"attached twice", func(_ *profile.Profile, l *layer.Layer) {
		l.AttachedManifests = []layer.Manifest{{Name: "a", Content: "a: 1"}, {Name: "a", Content: "a: 1"}}
	}, `attachedManifests[1].name: "a" is also the name of spec.layers[0].attachedManifests[0]`},
	{"attached and inline of one name", func(_ *profile.Profile, l *layer.Layer) {
		*l = manifests("web", "a: 1")
		l.AttachedManifests = []layer.Manifest{{Name: "m0", Content: "a: 1"}}
	}, `is also the name of spec.layers[0].manifests.inline[0]`},
	{"unknown macro attached", func(_ *profile.Profile, l *layer.Layer) {
		l.AttachedManifests = []layer.Manifest{{Name: "a", Content: "a: {{ .spectro.var.x }}"}}
	}, `has no variable "x"`},
	{"readiness without kind", func(_ *profile.Profile, l *layer.Layer) { l.Readiness = []layer.Check{{Name: "a", Version: "v1"}} }, "readiness[0].kind: is missing"},
	{"readiness twice", func(_ *profile.Profile, l *layer.Layer) {
		c := layer.Check{Name: "a", Version: "v1", Kind: "X"}
		l.Readiness = []layer.Check{c, c}
	}, `readiness[1].name: "a" is also the name of`},
	{"readiness without path", func(_ *profile.Profile, l *layer.Layer) {
		l.Readiness = []layer.Check{{Name: "a", Version: "v1", Kind: "X", Fields: []layer.Expectation{{Value: "1"}}}}
	}, "readiness[0].fields[0].path: is missing"},
	{"definitions", func(_ *profile.Profile, l *layer.Layer) { l.CRDs = "always" }, `crds: is "always"; want create, upgrade or never`},
	{"adoption", func(_ *profile.Profile, l *layer.Layer) { l.Adopt = "maybe" }, `adopt: is "maybe"; want never, if-unowned or always`},
	{"kept kind", func(_ *profile.Profile, l *layer.Layer) { l.Keep = []string{"pvc"} }, `keep[0]: is "pvc"; want a kind`},
	{"kept kinds", func(_ *profile.Profile, l *layer.Layer) {
		l.Keep = []string{"PersistentVolumeClaim", "Certificate.cert-manager.io"}
	}, ""},
	{"allowed kind", func(_ *profile.Profile, l *layer.Layer) { l.Allow.Kinds = []string{"pods"} }, `allow.kinds[0]: is "pods"; want a kind`},
	{"macro in a namespace", func(_ *profile.Profile, l *layer.Layer) { l.Namespace = "{{ .spectro.var.team }}" }, `namespace: is "{{ .spectro.var.team }}"; macros stand in values and manifests only`},
	{"allowed namespace", func(_ *profile.Profile, l *layer.Layer) { l.Allow.Namespaces = []string{"", "a/b"} }, `allow.namespaces[1]: is "a/b"; want a DNS label`},
	{"nothing allowed", func(_ *profile.Profile, l *layer.Layer) { l.Allow.Kinds = []string{} }, "allow.kinds: is empty, which allows all"},
	{"namespace of its own not allowed", func(_ *profile.Profile, l *layer.Layer) {
		l.Namespace, l.Allow.Namespaces = "web", []string{""}
	}, `allow.namespaces: does not have "web", where the layer is installed`},
	{"allowance", func(_ *profile.Profile, l *layer.Layer) {
		l.Namespace, l.Allow = "web", layer.Allowance{Namespaces: []string{"", "web"}, Kinds: []string{"Deployment.apps", "Secret"}}
	}, ""},
	{"drift path", func(_ *profile.Profile, l *layer.Layer) {
		l.Drift.Rules = []layer.DriftRule{{Paths: []string{"spec.replicas"}}}
	}, `drift.rules[0].paths[0]: is "spec.replicas"; want a JSON pointer`},
	{"drift escape", func(_ *profile.Profile, l *layer.Layer) {
		l.Drift.Rules = []layer.DriftRule{{Paths: []string{"/metadata/annotations/a~1b", "/x~2"}}}
	}, `paths[1]: is "/x~2"`},
	{"drift of everything", func(_ *profile.Profile, l *layer.Layer) {
		l.Drift.Rules = []layer.DriftRule{{Mode: layer.DriftReport}}
	}, "drift.rules[0]: matches everything"},
	{"drift pattern", func(_ *profile.Profile, l *layer.Layer) {
		l.Drift.Rules = []layer.DriftRule{{Name: "web-["}}
	}, `drift.rules[0].name: is "web-["`},
	{"drift kind", func(_ *profile.Profile, l *layer.Layer) {
		l.Drift.Rules = []layer.DriftRule{{Kind: "deploy"}}
	}, `drift.rules[0].kind: is "deploy"; want a kind`},
	{"drift rule mode", func(_ *profile.Profile, l *layer.Layer) {
		l.Drift.Rules = []layer.DriftRule{{Kind: "*", Mode: "ignore"}}
	}, `drift.rules[0].mode: is "ignore"; want correct, report or off`},
	{"drift rules", func(_ *profile.Profile, l *layer.Layer) {
		l.Drift.Rules = []layer.DriftRule{{Kind: "*", Name: "web-*", Manager: "kube-*", Mode: layer.DriftReport}}
	}, ""},
	{"drift mode", func(_ *profile.Profile, l *layer.Layer) { l.Drift.Mode = "on" }, `drift.mode: is "on"; want correct, report or off`},
	{"files without a folder", func(_ *profile.Profile, l *layer.Layer) {
		*l = layer.Layer{Name: "web", Source: layer.Source{Manifests: &layer.Manifests{Files: []string{"*.yaml"}}}}
	}, "files: names files, but the profile has no folder"},
	{"no manifests", func(_ *profile.Profile, l *layer.Layer) { *l = manifests("web") }, "manifests.inline: is empty"},
	{"release name", func(_ *profile.Profile, l *layer.Layer) { l.Helm.ReleaseName = strings.Repeat("x", 54) }, "helm.releaseName: is"},
	{"strategy", func(_ *profile.Profile, l *layer.Layer) { l.Helm.Strategy = "latest" }, `helm.strategy: is "latest"`},
}

func TestRulesOfLayers(t *testing.T) {
	t.Parallel()
	for _, tt := range rulesOfLayers {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := addOn("apps", chart("web"))
			tt.change(p, &p.Layers[0])
			err := p.Validate()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestCloudAllIsForAddOns(t *testing.T) {
	t.Parallel()
	_, err := profile.Parse([]byte(strings.Replace(infra, "type: infrastructure", "type: infrastructure\n  cloudType: all", 1)))
	if !errors.Is(err, profile.ErrInvalid) || !strings.Contains(err.Error(), "which only an add-on profile may say") {
		t.Errorf("error = %v", err)
	}
}

func TestImmutable(t *testing.T) {
	t.Parallel()
	published := parse(t, addon)
	for _, tt := range []struct{ name, old, new, want string }{
		{"the same", "", "", ""},
		{"another description", "name: apps\n", "name: apps\n  description: new\n", ""},
		{"a new version", "version: 2.1.0", "version: 2.1.1", ""},
		{"a default written out", "installOrder: 10", "installOrder: 10\n    kind: add-on", ""},
		{"other comments", "# how many", "# so many", ""},
		{"other values", "# how many", "more: 1", "apps@2.1.0 is published with other content: layer web changed (values.more)"},
		{"another default", `default: "2"`, `default: "3"`, "variable replicas changed"},
		{"a layer less", "  - name: first\n    installOrder: -1\n", "  - name: last\n    installOrder: 1\n", "layer first removed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := parse(t, strings.Replace(addon, tt.old, tt.new, 1))
			err := profile.CheckImmutable(published, now)
			if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, profile.ErrImmutable) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestCollisions(t *testing.T) {
	t.Parallel()
	release := func(name, namespace, releaseName string) layer.Layer {
		l := chart(name)
		l.Namespace, l.Helm.ReleaseName = namespace, releaseName
		return l
	}
	in := func(l layer.Layer, namespace string) layer.Layer {
		l.Namespace = namespace
		return l
	}
	const configMap, role = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x}\n"
	aws := addOn("apps", chart("web"))
	aws.CloudType = "aws"
	for _, tt := range []struct {
		name     string
		profiles []*profile.Profile
		want     string // "" if they go together
	}{
		{"one release", []*profile.Profile{addOn("a", release("x", "", "same")), addOn("b", release("same", "default", ""))},
			`layer "same" of b@1.0.0 is installed as the release "same" in namespace "default", as is layer "x" of a@1.0.0`},
		{"releases in two namespaces", []*profile.Profile{addOn("a", release("x", "one", "same")), addOn("b", release("y", "two", "same"))}, ""},
		{"one object", []*profile.Profile{addOn("a", manifests("x", configMap)), addOn("b", manifests("y", "kind: List\nitems:\n- "+strings.ReplaceAll(configMap, "\n", "\n  ")))},
			`manifest "m0" of layer "y" of b@1.0.0 holds ConfigMap default/x, as does manifest "m0" of layer "x" of a@1.0.0`},
		{"one object in one profile", []*profile.Profile{addOn("a", manifests("x", configMap, configMap))}, `manifest "m1" of layer "x" of a@1.0.0 holds ConfigMap default/x`},
		{"objects in two namespaces", []*profile.Profile{addOn("a", in(manifests("x", configMap), "one"), in(manifests("y", configMap), "two"))}, ""},
		{"one object without namespaces", []*profile.Profile{addOn("a", in(manifests("x", role), "one"), in(manifests("y", role), "two"))}, "ClusterRole.rbac.authorization.k8s.io x"},
		{"names that a macro makes", []*profile.Profile{
			addOn("a", manifests("x", strings.ReplaceAll(configMap, "x}", "{{ .spectro.system.clusterprofile.name }}}"))),
			addOn("b", manifests("y", strings.ReplaceAll(configMap, "x}", "{{ .spectro.system.clusterprofile.name }}}")))}, ""},
		{"broken manifests are not ours to report", []*profile.Profile{addOn("a", manifests("x", "{", configMap))}, ""},
		{"two clouds", []*profile.Profile{parse(t, infra), aws}, "apps@1.0.0 is for aws, and base@1.0.0 for generic"},
		{"two versions of a profile", []*profile.Profile{addOn("a", chart("x")), {Name: "a", Version: "1.1.0", Type: profile.AddOn, Layers: []layer.Layer{chart("y")}}}, "a@1.1.0 is in the stack beside a@1.0.0; keep one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := profile.Compose(tt.profiles...)
			if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, profile.ErrConflict) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

// shelf is a registry of profiles, by digest.
type shelf map[string]string

func (s shelf) Fetch(_ context.Context, pin layer.Pin) (fs.FS, error) {
	text, ok := s[pin.Name+pin.Resolved]
	if !ok {
		return nil, layer.ErrNotFound
	}
	return fstest.MapFS{"profile.yaml": {Data: []byte(text)}}, nil
}

func TestResolveProfiles(t *testing.T) {
	t.Parallel()
	registry := shelf{"apps2.1.0": addon, "base1.0.0": infra, "odd1.0.0": infra}
	refs := []profile.Reference{{Name: "apps", Version: "2.x"}, {Registry: "acme", Name: "base"}}
	known := versions{"apps": "2.1.0", "base": "1.0.0"}
	maps.Copy(known, world)
	stack := &profile.Stack{References: refs, Variables: map[string]string{"token": "abc"}}
	if _, err := stack.Resolve(t.Context(), known, nil); err == nil || !strings.Contains(err.Error(), "call ResolveProfiles first") {
		t.Errorf("a stack with references resolves: %v", err)
	}
	whole, err := stack.ResolveProfiles(t.Context(), known, registry, nil)
	if err != nil {
		t.Fatal(err)
	}
	desired, err := whole.Resolve(t.Context(), known, nil)
	if err != nil {
		t.Fatal(err)
	}
	lock := desired.Lock()
	if got := lock.Profiles[1]; got.Source.Version != "2.x" || got.Source.Resolved != "2.1.0" || got.Digest != parse(t, addon).Digest() {
		t.Errorf("the lock has %+v", got)
	}
	// With the lock nobody needs to know which versions there are.
	again, err := stack.ResolveProfiles(t.Context(), nil, registry, lock)
	if err != nil {
		t.Fatal(err)
	}
	if restored, err := again.Restore(t.Context(), lock); err != nil || restored.Digest() != desired.Digest() {
		t.Errorf("the lock does not lead to the same state: %v", err)
	}
	stack.References = []profile.Reference{{Name: "odd"}, {Name: "none"}}
	known["odd"] = "1.0.0"
	_, err = stack.ResolveProfiles(t.Context(), known, registry, nil)
	if !errors.Is(err, layer.ErrNotFound) || !strings.Contains(err.Error(), "holds base@1.0.0, not odd@1.0.0") {
		t.Errorf("error = %v, want both problems", err)
	}
}
