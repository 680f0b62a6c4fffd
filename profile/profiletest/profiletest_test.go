package profiletest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/txtar"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// A recorder is a test that keeps what it is told.
type recorder struct {
	testing.TB
	said strings.Builder
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) { fmt.Fprintf(&r.said, format+"\n", args...) }

const apps = `apiVersion: strata.dev/v1alpha1
kind: ClusterProfile
metadata: {name: apps}
spec:
  version: 1.0.0
  type: add-on
  layers:
  - {name: web, namespace: web, helm: {registry: acme, chart: web, version: 1.x}}
  - {name: shop, pack: {name: shop, version: ">=2.0.0-0"}}
  - {name: any, namespace: any, pack: {registry: acme, name: any}}
  - {name: notes, manifests: {inline: [{name: m, content: "a: 1"}]}}
`

func TestPolicies(t *testing.T) {
	t.Parallel()
	p, err := profile.Parse([]byte(apps))
	if err != nil {
		t.Fatal(err)
	}
	versions := Versions{"helm web": {"1.4.0"}, "pack shop": {"2.0.0-rc.1"}, "pack any": {"0.1.0"}}
	d, err := profile.Resolve(t.Context(), versions, nil, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		policy Policy
		want   string
	}{
		{"namespaced", Namespaced, "layer \"notes\" of apps@1.0.0: names no namespace, so it goes where its content says, or to \"default\"\nlayer \"shop\" of apps@1.0.0: names no namespace, so it goes where its content says, or to \"default\"\n"},
		{"constrained", Constrained, "layer \"any\" of apps@1.0.0: takes any version of pack acme/any\n"},
		{"released", Released, "layer \"shop\" of apps@1.0.0: is at 2.0.0-rc.1, a pre-release\n"},
		{"older", NotOlder("web", "1.4.1"), "layer \"web\" of apps@1.0.0: web is at 1.4.0, older than 1.4.1\n"},
		{"not older", NotOlder("web", "1.4.0"), ""},
		{"of no layer", NotOlder("nothing", "1.0.0"), ""},
		{"no version", NotOlder("web", "new"), `layer "web" of apps@1.0.0: version "new": want two or three numbers` + "\n"},
		{"registries", FromRegistries("acme", "other"), "layer \"shop\" of apps@1.0.0: pack shop@>=2.0.0-0 is not from one of acme, other\n"},
	} {
		r := &recorder{TB: t}
		if Check(r, d, tt.policy); r.said.String() != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, r.said.String(), tt.want)
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	v, err := ParseVersions("# all\npack web: 1.0.0 1.2.0 1.2.3 # new\npack web: 2.0.0\n\npack oci://host/path/web: 9.0.0\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		ref  layer.Ref
		want string
		err  error
	}{
		{layer.Ref{Format: layer.FormatPack, Name: "web"}, "oci://registry.test/web:2.0.0", nil},
		{layer.Ref{Format: layer.FormatPack, Name: "web", Version: "1.x"}, "oci://registry.test/web:1.2.3", nil},
		{layer.Ref{Format: layer.FormatPack, Name: "web", Version: "1.x", Strategy: layer.Oldest}, "oci://registry.test/web:1.0.0", nil},
		{layer.Ref{Format: layer.FormatPack, Name: "web", Version: ">=1.1", Strategy: layer.NewestPatch}, "oci://registry.test/web:1.2.3", nil},
		{layer.Ref{Format: layer.FormatPack, Registry: "acme", Name: "web"}, "oci://acme.test/web:2.0.0", nil},
		{layer.Ref{Format: layer.FormatPack, Registry: "oci://host/path", Name: "web"}, "oci://host/path/web:9.0.0", nil},
		{layer.Ref{Format: layer.FormatPack, Name: "web", Version: "3.x"}, "", layer.ErrNoVersion},
		{layer.Ref{Format: layer.FormatHelm, Name: "web"}, "", layer.ErrNotFound},
	} {
		pin, err := v.Resolve(t.Context(), tt.ref)
		if got := pin.Repository + ":" + pin.Resolved; err == nil && (got != tt.want || pin.Ref != tt.ref) || !errors.Is(err, tt.err) {
			t.Errorf("%s: %s, %v; want %s, %v", tt.ref, got, err, tt.want, tt.err)
		}
		again, _ := v.Resolve(t.Context(), tt.ref)
		if again != pin {
			t.Errorf("%s is %s, then %s", tt.ref, pin, again)
		}
	}
	if _, err := ParseVersions("pack web 1.0.0\nweb: 1\nchart web: 1.0.0\n"); err == nil || !strings.Contains(err.Error(), "versions:1") || !strings.Contains(err.Error(), "versions:2") || !strings.Contains(err.Error(), "versions:3") {
		t.Errorf("wrong lines give %v", err)
	}
}

// A case that is not as it says fails, and says where.
func TestCompare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"another line", "-- want/layers --\na\nb\nx\nd\n", "case: want/layers:\nfrom line 3 (- is wanted, + is there)\n- x\n+ c\n\n"},
		{"as wanted", "-- want/layers --\na\nb\nc\nd\n", ""},
		{"more is wanted", "-- want/layers --\na\nb\nc\nd\n-- want/error --\nbad\n", "case: want/error is wanted, and there is none\n"},
		{"less is wanted", "-- want/values/a.yaml --\na: 1\n", "case: want/layers is not wanted:\na\nb\nc\nd\n\ncase: want/values/a.yaml is wanted, and there is none\n"},
		{"nothing is wanted", "", "case: want/layers is not wanted:\na\nb\nc\nd\n\ncase wants nothing; run the test with -update and look at what it writes\n"},
	} {
		r := &recorder{TB: t}
		if compare(r, "case", txtar.Parse(tt.text), []txtar.File{{Name: "want/layers", Data: "a\nb\nc\nd\n"}}); r.said.String() != tt.want {
			t.Errorf("%s: %q\nwant %q", tt.name, r.said.String(), tt.want)
		}
	}
	r := &recorder{TB: t}
	compare(r, "case", txtar.Parse("-- want/layers --\na\n"), []txtar.File{{Name: "want/error", Data: "bad\n"}})
	if said := r.said.String(); said != "case: no error is wanted, and there is one:\nbad\n\n" {
		t.Errorf("an error is said as %q", said)
	}
}

func TestCaseMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"file", "-- verisons --\n", `there is no file "verisons" in a case`},
		{"versions", "-- apps.yaml --\n" + apps + "-- versions --\nweb\n", `versions:1: "web"`},
		{"variables", "-- apps.yaml --\n" + apps + "-- variables --\n[1]\n", "variables:"},
		{"before", "-- before/a.yaml --\nkind: x\n-- apps.yaml --\n" + apps, "before:"},
	} {
		_, err := resolve(t.Context(), txtar.Parse(tt.text))
		if _, ok := errors.AsType[caseError](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

// A new case gets what it wants written.
func TestUpdate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"-- apps.yaml --\n" + strings.Join(strings.SplitAfter(apps, "\n")[:8], "") + "-- versions --\nhelm web: 1.0.0\n", "web (add-on, apps@1.0.0): helm web 1.0.0 in web\n"},
		{"-- apps.yaml --\nkind: x\n", "apps.yaml: apiVersion: is"},
	} {
		a := txtar.Parse(tt.text)
		o, err := resolve(t.Context(), a)
		got := o.wanted(a, err, true)
		if len(got) != 1 || !strings.HasPrefix(got[0].Data, tt.want) {
			t.Errorf("%q gets %q", tt.text, got)
		}
	}
}
