package profile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

const infra = `apiVersion: strata.dev/v1alpha1
kind: ClusterProfile
metadata:
  name: base
spec:
  version: 1.0.0
  type: infrastructure
  layers:
  - {name: ubuntu, kind: os, pack: {registry: acme, name: ubuntu, version: 22.4.x}}
  - {name: k8s, kind: kubernetes, pack: {name: kubernetes, version: ~1.33}}
  - {name: calico, kind: network, pack: {name: calico}}
  - {name: nfs, kind: storage, helm: {chart: nfs, version: 1.10}}
`

const addon = `apiVersion: strata.dev/v1alpha1
kind: ClusterProfile
metadata:
  name: apps
spec:
  version: 2.1.0
  type: add-on
  variables:
  - {name: replicas, format: number, default: "2"}
  - {name: token, sensitive: true, required: true}
  layers:
  - name: web
    installOrder: 10
    namespace: web
    helm: {chart: web}
    values:
      # how many
      replicas: {{ .spectro.var.replicas }}
      kubernetes: '{{ .spectro.system.kubernetes.version }}'
  - name: first
    installOrder: -1
    manifests:
      inline:
      - name: secret
        content: |
          kind: Secret
          stringData: {token: "{{ .spectro.var.token }}"}
`

func parse(t *testing.T, text string) *profile.Profile {
	t.Helper()
	p, err := profile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// versions is a resolver that knows one version of each source.
type versions map[string]string

func (v versions) Resolve(_ context.Context, ref layer.Ref) (layer.Pin, error) {
	version, ok := v[ref.Name]
	if !ok {
		return layer.Pin{}, fmt.Errorf("%s: %w", ref, layer.ErrNotFound)
	}
	return layer.Pin{Ref: ref, Repository: "oci://test/" + ref.Name, Resolved: version, Digest: digest.FromString(ref.Name + version)}, nil
}

var world = versions{"ubuntu": "22.4.1", "kubernetes": "1.33.2", "calico": "3.30.0", "nfs": "1.10.4", "web": "5.0.0"}

func TestResolve(t *testing.T) {
	t.Parallel()
	stack, err := profile.Compose(parse(t, addon), parse(t, infra))
	if err != nil {
		t.Fatal(err)
	}
	stack.Variables = map[string]string{"token": "s3cr3t-token"}
	desired, err := stack.Resolve(t.Context(), world, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	byName := map[string]profile.PinnedLayer{}
	for _, l := range desired.Layers() {
		names = append(names, l.Name)
		byName[l.Name] = l
	}
	if got, want := strings.Join(names, " "), "ubuntu k8s calico nfs first web"; got != want {
		t.Errorf("layers are %q, want %q", got, want)
	}
	if got, want := byName["web"].Values, "# how many\nreplicas: 2\nkubernetes: '1.33.2'\n"; got != want {
		t.Errorf("values of web are %q, want %q", got, want)
	}
	if got := byName["first"].Manifests.Inline[0].Content; !strings.Contains(got, "s3cr3t-token") {
		t.Errorf("the manifest has no token: %s", got)
	}
	if got := byName["nfs"].Pin.Version; got != "1.10" {
		t.Errorf("constraint of nfs is %q, want 1.10 as it is written", got)
	}
	if got := desired.Redact("the token s3cr3t-token is"); strings.Contains(got, "s3cr3t") {
		t.Errorf("Redact leaves %q", got)
	}
	bound, err := byName["web"].Bind([]byte("name: {{ .spectro.system.clusterprofile.name }}\nbase: {{ .spectro.system.clusterprofile.infra.name }}\n"))
	if err != nil || string(bound) != "name: apps\nbase: base\n" {
		t.Errorf("Bind = %q, %v", bound, err)
	}
}

func TestOrderOfProfilesDoesNotMatter(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"token": "abc"}
	resolve := func(ps ...*profile.Profile) *profile.Desired {
		s, err := profile.Compose(ps...)
		if err != nil {
			t.Fatal(err)
		}
		s.Variables = vars
		d, err := s.Resolve(t.Context(), world, nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a, b := resolve(parse(t, infra), parse(t, addon)), resolve(parse(t, addon), parse(t, infra))
	for i, l := range a.Layers() {
		if other := b.Layers()[i]; l.Digest() != other.Digest() || l.Name != other.Name {
			t.Errorf("layer %d is %s in one order and %s in the other", i, l.Name, other.Name)
		}
	}
	vars = map[string]string{"token": "abd"}
	if c := resolve(parse(t, infra), parse(t, addon)); c.Digest() == a.Digest() {
		t.Error("another value of a variable does not change the digest")
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	p := parse(t, infra)
	desired, err := profile.Resolve(t.Context(), world, nil, p)
	if err != nil {
		t.Fatal(err)
	}
	data, err := desired.Lock().Format()
	if err != nil {
		t.Fatal(err)
	}
	lock, err := profile.ParseLock(data)
	if err != nil {
		t.Fatal(err)
	}
	// Newer versions are out, and no registry is asked.
	again, err := profile.Resolve(t.Context(), nil, lock, p)
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest() != desired.Digest() {
		t.Error("the lock does not lead to the same state")
	}
	if same, _ := again.Lock().Format(); string(same) != string(data) {
		t.Errorf("the lock of the lock is\n%s, want\n%s", same, data)
	}
	changed := parse(t, strings.Replace(infra, "~1.33", "~1.34", 1))
	_, err = profile.Resolve(t.Context(), nil, lock, changed)
	if !errors.Is(err, profile.ErrLock) || !strings.Contains(err.Error(), `layer "k8s"`) {
		t.Errorf("a constraint that the lock does not fit gives %v", err)
	}
	moved, err := profile.Resolve(t.Context(), versions{"kubernetes": "1.34.0"}, lock, changed)
	if err != nil {
		t.Fatal(err)
	}
	if got := moved.Lock().Layers[1].Resolved; got != "1.34.0" {
		t.Errorf("kubernetes is resolved to %s, want 1.34.0", got)
	}
}

func TestParseLockErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, data, want string }{
		{"no JSON", "x", "reading the lock"},
		{"newer format", `{"formatVersion": 99, "profiles": [], "layers": []}`, "formatVersion: is 99; this version reads up to 1"},
		{"no format", `{"profiles": [], "layers": []}`, "formatVersion: is 0"},
		{"unknown field", `{"formatVersion": 1, "lawyers": []}`, "lawyers"},
		{"bad digest", `{"formatVersion": 1, "profiles": [], "layers": [{"layer": "a", "digest": "sha256:12"}]}`, `layers[0].digest: layer "a"`},
		{"trailing", `{"formatVersion": 1, "profiles": [], "layers": []} x`, "something follows its end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := profile.ParseLock([]byte(tt.data))
			if !errors.Is(err, profile.ErrLock) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want an ErrLock with %q", err, tt.want)
			}
		})
	}
}

// Each case changes a valid profile in one place.
func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, old, new string
		sort           error
		line           int
		want           string
	}{
		{"unknown field", "namespace: web", "namspace: web", profile.ErrSyntax, 14, `namspace: unknown field, did you mean "namespace"?`},
		{"two layers of one name", "name: first", "name: web", profile.ErrConflict, 20, `"web" is also the name of spec.layers[0]`},
		{"network layer in an add-on", "name: first\n", "name: first\n    kind: network\n", profile.ErrKind, 22, "an add-on profile may not have"},
		{"unknown kind", "name: first\n", "name: first\n    kind: netwrok\n", profile.ErrInvalid, 21, `is "netwrok"; want one of os, kubernetes`},
		{"no version", "version: 2.1.0", "version: v2", profile.ErrInvalid, 6, `is "v2"; want a semantic version`},
		{"no source", "helm: {chart: web}", "values: {}", profile.ErrSyntax, 16, "is given twice"},
		{"two sources", "helm: {chart: web}", "helm: {chart: web}\n    pack: {name: web}", profile.ErrInvalid, 12, "has 2 sources (pack, helm)"},
		{"no chart", "helm: {chart: web}", "helm: {version: 1}", profile.ErrInvalid, 15, "spec.layers[0].helm.chart: is missing"},
		{"credentials in a URL", "helm: {chart: web}", "helm: {chart: web, registry: 'oci://me:pw@host/x'}", profile.ErrInvalid, 15, "registry: holds credentials; give them to the registry client"},
		{"unknown variable", "var.replicas", "var.replcias", profile.ErrMacro, 18, `has no variable "replcias", did you mean "replicas"?`},
		{"unknown macro", ".spectro.var.replicas", ".spectro.vars.replicas", profile.ErrMacro, 18, "unknown macro"},
		{"wrong default", `default: "2"`, `default: "two"`, profile.ErrVariable, 9, `"two" is not of format number`},
		{"unknown format", "format: number", "format: integer", profile.ErrInvalid, 9, `is "integer"; want string, number`},
		{"other kind of document", "kind: ClusterProfile", "kind: Profile", profile.ErrSyntax, 1, `kind "Profile"; want apiVersion: strata.dev/v1alpha1, kind: ClusterProfile`},
		{"bad name", "name: apps", "name: Apps", profile.ErrInvalid, 4, `is "Apps"; want a DNS label`},
		{"bad type", "type: add-on", "type: addon", profile.ErrInvalid, 7, `is "addon"; want infrastructure, add-on or full`},
		{"values are no mapping", "values:\n      # how many\n      replicas: {{ .spectro.var.replicas }}\n      kubernetes: '{{ .spectro.system.kubernetes.version }}'", "values: '[1]'", profile.ErrSyntax, 16, "want a mapping at the top"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(addon, tt.old) {
				t.Fatalf("the profile has no %q", tt.old)
			}
			name := filepath.Join(t.TempDir(), "apps.yaml")
			if err := os.WriteFile(name, []byte(strings.Replace(addon, tt.old, tt.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := profile.Load(name)
			e, ok := errors.AsType[*profile.Error](err)
			if !ok {
				t.Fatalf("error = %v, want an *Error", err)
			}
			if !errors.Is(err, tt.sort) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %v: %s", err, tt.sort, tt.want)
			}
			if e.Line != tt.line || e.File != name {
				t.Errorf("error is at %s:%d, want line %d", e.File, e.Line, tt.line)
			}
		})
	}
}

func TestSecondNetworkLayer(t *testing.T) {
	t.Parallel()
	_, err := profile.Parse([]byte(infra + "  - {name: cilium, kind: network, pack: {name: cilium}}\n"))
	const want = `profile base@1.0.0: line 13: spec.layers[4].kind: layer "cilium" is a second network layer beside "calico"; a cluster has exactly one, remove one of them`
	if !errors.Is(err, profile.ErrKind) || err.Error() != want {
		t.Errorf("error = %v\nwant    %s", err, want)
	}
	_, err = profile.Parse([]byte(strings.Replace(infra, "kind: network", "kind: add-on", 1)))
	if !errors.Is(err, profile.ErrKind) || !strings.Contains(err.Error(), "there is no network layer") || !strings.Contains(err.Error(), `layer "calico" is an add-on`) {
		t.Errorf("a missing network layer gives %v", err)
	}
}

func TestComposeErrors(t *testing.T) {
	t.Parallel()
	base := parse(t, infra)
	for _, tt := range []struct {
		name     string
		profiles []*profile.Profile
		sort     error
		want     string
	}{
		{"none", nil, profile.ErrInvalid, "the stack has no profile"},
		{"two bases", []*profile.Profile{base, parse(t, strings.ReplaceAll(strings.Replace(infra, "name: base", "name: other", 1), "{name: ", "{name: x-"))}, profile.ErrConflict, "other@1.0.0 is a second infrastructure profile beside base@1.0.0"},
		{"layers of one name", []*profile.Profile{base, parse(t, strings.Replace(addon, "name: web", "name: nfs", 1))}, profile.ErrConflict, `layer "nfs" of apps@2.1.0 is also a layer of base@1.0.0`},
		{"unequal variables", []*profile.Profile{parse(t, addon), parse(t, strings.NewReplacer("name: apps", "name: more", "name: web", "name: w", "name: first", "name: f", `default: "2"`, `default: "3"`).Replace(addon))}, profile.ErrConflict, `variable "replicas" of more@2.1.0 is defined otherwise by apps@2.1.0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := profile.Compose(tt.profiles...)
			if !errors.Is(err, tt.sort) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestVariableErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		variables map[string]string
		want      string
	}{
		{"required and missing", nil, `variable "token" is required`},
		{"unknown", map[string]string{"token": "abc", "replica": "1"}, `variables.replica: no profile of the stack has this variable, did you mean "replicas"?`},
		{"of another format", map[string]string{"token": "abc", "replicas": "many"}, `variable "replicas": "many" is not of format number`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := profile.Compose(parse(t, addon))
			if err != nil {
				t.Fatal(err)
			}
			s.Variables = tt.variables
			_, err = s.Resolve(t.Context(), world, nil)
			if !errors.Is(err, profile.ErrVariable) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestResolveReportsAllLookups(t *testing.T) {
	t.Parallel()
	_, err := profile.Resolve(t.Context(), versions{"ubuntu": "22.4.1", "calico": "3.0.0"}, nil, parse(t, infra))
	if !errors.Is(err, layer.ErrNotFound) || !strings.Contains(err.Error(), `layer "k8s"`) || !strings.Contains(err.Error(), `layer "nfs"`) {
		t.Errorf("error = %v, want both layers that are not found", err)
	}
}

func TestVariableCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		v     profile.Variable
		value string
		ok    bool
	}{
		{profile.Variable{}, "anything", true},
		{profile.Variable{Format: profile.FormatNumber}, "1.5", true},
		{profile.Variable{Format: profile.FormatNumber}, "one", false},
		{profile.Variable{Format: profile.FormatBoolean}, "true", true},
		{profile.Variable{Format: profile.FormatBoolean}, "1", false},
		{profile.Variable{Format: profile.FormatIPv4}, "10.0.0.1", true},
		{profile.Variable{Format: profile.FormatIPv4}, "::1", false},
		{profile.Variable{Format: profile.FormatIPv4CIDR}, "10.0.0.0/8", true},
		{profile.Variable{Format: profile.FormatIPv4CIDR}, "10.0.0.0", false},
		{profile.Variable{Format: profile.FormatIPv6}, "2001:db8::1", true},
		{profile.Variable{Format: profile.FormatIPv6}, "10.0.0.1", false},
		{profile.Variable{Format: profile.FormatVersion}, "1.2.3", true},
		{profile.Variable{Format: profile.FormatVersion}, "v1", false},
		{profile.Variable{Format: profile.FormatBase64}, "YWJj", true},
		{profile.Variable{Format: profile.FormatBase64}, "%", false},
		{profile.Variable{Regex: "^a+$"}, "aaa", true},
		{profile.Variable{Regex: "^a+$"}, "b", false},
	} {
		if err := tt.v.Check(tt.value); (err == nil) != tt.ok {
			t.Errorf("%+v.Check(%q) = %v", tt.v, tt.value, err)
		}
	}
	err := profile.Variable{Format: profile.FormatNumber, Sensitive: true}.Check("hunter2")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows a sensitive value: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(infra)
	f.Add(addon)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := profile.Parse([]byte(text))
		if err == nil && p.Validate() != nil {
			t.Error("Parse returns a profile that is not valid")
		}
	})
}
