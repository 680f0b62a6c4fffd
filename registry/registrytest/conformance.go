package registrytest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
)

// A Resolver resolves references and fetches what they were resolved to, as
// packages profile and reconcile want it of a registry.
type Resolver interface {
	Resolve(ctx context.Context, ref layer.Ref) (layer.Pin, error)
	Fetch(ctx context.Context, pin layer.Pin) (fs.FS, error)
}

// TestResolver tests an implementation of [Resolver]. It calls make for one
// that has these packs and nothing else; each is the directory of a pack. The
// resolver is used by several goroutines.
func TestResolver(t *testing.T, make func(t testing.TB, packs ...fs.FS) Resolver) {
	t.Helper()
	c := conformance{make(t, demoPacks()...)}
	t.Run("versions", c.versions)
	t.Run("absent", c.absent)
	t.Run("pin", c.pin)
	t.Run("fetch", c.fetch)
	t.Run("other content", c.otherContent)
	t.Run("cancelled", c.cancelled)
}

func demoVersions() []string { return []string{"1.0.0", "1.10.0", "1.2.0", "2.0.0-rc.1"} }

func demoPacks() (packs []fs.FS) {
	for _, v := range demoVersions() {
		packs = append(packs, demoPack("demo", v))
	}
	return append(packs, demoPack("other", "1.0.0"))
}

func demoPack(name, version string) fstest.MapFS {
	return fstest.MapFS{
		"pack.json": {Data: fmt.Appendf(nil,
			`{"name": %q, "version": %q, "displayName": "Demo", "layer": "addon", "kubeManifests": ["manifests/demo.yaml"]}`, name, version)},
		"values.yaml":         {Data: []byte("pack:\n  namespace: demo\n")},
		"manifests/demo.yaml": {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: demo}\n# " + version + "\n")},
	}
}

func demoRef(constraint string) layer.Ref {
	return layer.Ref{Format: layer.FormatPack, Name: "demo", Version: constraint}
}

// A conformance is a resolver with [demoPacks].
type conformance struct{ resolver Resolver }

func (c conformance) versions(t *testing.T) {
	tests := []struct {
		constraint string
		strategy   layer.Strategy
		want       string
	}{
		{"", "", "1.10.0"},
		{"1.2.0", "", "1.2.0"},
		{"1.x", "", "1.10.0"},
		{"~1.2", "", "1.2.0"},
		{">=1.0.0 <1.10.0", "", "1.2.0"},
		{"2.0.0-rc.1", "", "2.0.0-rc.1"},
		{">=1", layer.Oldest, "1.0.0"},
		{">=1", layer.NewestPatch, "1.0.0"},
	}
	for _, test := range tests {
		ref := demoRef(test.constraint)
		ref.Strategy = test.strategy
		pin, err := c.resolver.Resolve(t.Context(), ref)
		if err != nil || pin.Resolved != test.want {
			t.Errorf("%s, strategy %q: got %q, %v; want %s", ref, test.strategy, pin.Resolved, err, test.want)
		}
	}
}

func (c conformance) absent(t *testing.T) {
	for ref, want := range map[layer.Ref]error{
		{Format: layer.FormatPack, Name: "absent"}: layer.ErrNotFound,
		demoRef("3.0.0"): layer.ErrNoVersion,
		demoRef(">=2"):   layer.ErrNoVersion, // a pre-release is not asked for
	} {
		if pin, err := c.resolver.Resolve(t.Context(), ref); !errors.Is(err, want) {
			t.Errorf("%s: got %v, %v; want an error that wraps %q", ref, pin, err, want)
		}
	}
}

func (c conformance) pin(t *testing.T) {
	ref := demoRef("1.x")
	pin, err := c.resolver.Resolve(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if pin.Ref != ref {
		t.Errorf("the pin has the reference %+v; want the one asked for, %+v", pin.Ref, ref)
	}
	if err := pin.Digest.Validate(); err != nil {
		t.Errorf("digest %q: %v", pin.Digest, err)
	}
	if pin.Repository == "" {
		t.Error("the pin names no repository")
	}
	if again, err := c.resolver.Resolve(t.Context(), ref); err != nil || again != pin {
		t.Errorf("asked again: got %v, %v; want %v", again, err, pin)
	}
	other, err := c.resolver.Resolve(t.Context(), demoRef("1.2.0"))
	if err != nil || other.Digest == pin.Digest {
		t.Errorf("another version has the digest %s, %v", other.Digest, err)
	}
}

func (c conformance) fetch(t *testing.T) {
	for _, version := range demoVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			pin, err := c.resolver.Resolve(t.Context(), demoRef(version))
			if err != nil {
				t.Fatal(err)
			}
			files, err := c.resolver.Fetch(t.Context(), pin)
			if err != nil {
				t.Fatal(err)
			}
			want := demoPack("demo", version)
			for name, file := range want {
				got, err := fs.ReadFile(files, name)
				if err != nil || string(got) != string(file.Data) {
					t.Errorf("%s: got %q, %v; want %q", name, got, err, file.Data)
				}
			}
			if err := fstest.TestFS(files, "pack.json", "values.yaml", "manifests/demo.yaml"); err != nil {
				t.Error(err)
			}
		})
	}
}

// otherContent: what a pin does not name by its digest is not returned.
func (c conformance) otherContent(t *testing.T) {
	pin, err := c.resolver.Resolve(t.Context(), demoRef("1.x"))
	if err != nil {
		t.Fatal(err)
	}
	absent, broken, other := pin, pin, pin
	absent.Digest = digest.FromString("absent")
	broken.Digest = digest.Digest("sha256:" + strings.Repeat("../", 21) + "x")
	elsewhere, err := c.resolver.Resolve(t.Context(), layer.Ref{Format: layer.FormatPack, Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	other.Digest = elsewhere.Digest
	for name, pin := range map[string]layer.Pin{"absent": absent, "broken": broken, "of another pack": other} {
		if files, err := c.resolver.Fetch(t.Context(), pin); err == nil {
			t.Errorf("a digest that is %s: got %v; want an error", name, files)
		}
	}
	if _, err := c.resolver.Fetch(t.Context(), absent); !errors.Is(err, layer.ErrNotFound) && !errors.Is(err, layer.ErrDigest) {
		t.Errorf("got %v; want an error that wraps %q or %q", err, layer.ErrNotFound, layer.ErrDigest)
	}
}

func (c conformance) cancelled(t *testing.T) {
	pin, err := c.resolver.Resolve(t.Context(), demoRef("1.x"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.resolver.Resolve(ctx, demoRef("1.x")); !errors.Is(err, context.Canceled) {
		t.Errorf("resolve: got %v; want context.Canceled", err)
	}
	if _, err := c.resolver.Fetch(ctx, pin); !errors.Is(err, context.Canceled) {
		t.Errorf("fetch: got %v; want context.Canceled", err)
	}
}
