package registry_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pushPacks(t, s, "k8s", "1.26.9", "1.27.3", "1.27.10", "1.28.0-rc.1", "1.28.0+k3s1")
	pushPacks(t, s, "ubuntu", "22.04", "24.04", "24.04.1")
	pushPacks(t, s, "calico", "v3.26.1", "latest", "next")

	tests := []struct{ name, constraint, want string }{
		{"k8s", "", "1.28.0_k3s1"},
		{"k8s", "1.27.x", "1.27.10"},
		{"k8s", "~1.26", "1.26.9"},
		{"k8s", ">=1.26 <1.27.10", "1.27.3"},
		{"k8s", "1.27.3", "1.27.3"},
		{"k8s", "1.28.0-rc.1", "1.28.0-rc.1"},
		{"k8s", "1.28.0+k3s1", "1.28.0_k3s1"},
		{"ubuntu", "24.04", "24.04"},
		{"ubuntu", "24.x", "24.04.1"},
		{"ubuntu", "22.x", "22.04"},
		{"ubuntu", "<24", "22.04"},
		{"calico", "3.26.1", "v3.26.1"},
		{"calico", "3.x", "v3.26.1"}, // the tag of the train is no version
		{"calico", "next", "next"},
	}
	for _, test := range tests {
		t.Run(test.name+"@"+test.constraint, func(t *testing.T) {
			t.Parallel()
			pin, err := s.Client().Resolve(t.Context(), packRef(test.name, test.constraint))
			if err != nil || pin.Resolved != test.want {
				t.Fatalf("got %q, %v; want %s", pin.Resolved, err, test.want)
			}
			if files, err := s.Client().Fetch(t.Context(), pin); err != nil {
				t.Errorf("got %v, %v", files, err)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pushPacks(t, s, "p", "1.9.0", "2.0.0", "1.10.0+x", "1.10.0", "2.1.0-rc.1")
	got, err := s.Client().Versions(t.Context(), packRef("p", "1.x"))
	if want := []string{"1.10.0+x", "1.10.0", "1.9.0"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestHostileTags(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pushPacks(t, s, "p", "1.0.0")
	const evil = "../../../evil?x="
	s.Intercept(tamper("/tags/list", func([]byte) []byte { return []byte(`{"tags": ["` + evil + `", "9.9.9/../evil"]}`) }))
	for _, constraint := range []string{"", evil} {
		if pin, err := s.Client().Resolve(t.Context(), packRef("p", constraint)); !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("got %v, %v; want ErrNotFound", pin, err)
		}
	}
}

func TestNoVersion(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	var many []string
	for i := range 13 {
		many = append(many, fmt.Sprintf("1.%d.0+b", i))
	}
	pushPacks(t, s, "many", many...)
	pushPacks(t, s, "few", "1.0.0", "2.0.0-rc.1", "latest")
	pushPacks(t, s, "none", "latest")
	url := s.URL + "/spectro-packs/archive/"

	tests := []struct{ name, constraint, want string }{
		{"many", ">=2", `no version satisfies the constraint ">=2": ` + url + `many has 1.12.0+b, 1.11.0+b, 1.10.0+b, ` +
			`1.9.0+b, 1.8.0+b, 1.7.0+b, 1.6.0+b, 1.5.0+b, 1.4.0+b, 1.3.0+b, ... and 3 more`},
		{"few", "2.x", `no version satisfies the constraint "2.x": ` + url + `few has 2.0.0-rc.1, 1.0.0; ` +
			`a pre-release is taken only if the constraint names one`},
		{"none", "", `no version satisfies the constraint "": ` + url + `none has no versions`},
		{"few", "jammy", `no version satisfies the constraint "jammy": ` + url + `few has 2.0.0-rc.1, 1.0.0; ` +
			`constraint "jammy": want something like 1.2.3, ~1.2, 1.2.x or >=1 <3`},
	}
	for _, test := range tests {
		t.Run(test.name+"@"+test.constraint, func(t *testing.T) {
			t.Parallel()
			ref := packRef(test.name, test.constraint)
			_, err := s.Client().Resolve(t.Context(), ref)
			var e *registry.Error
			if !errors.Is(err, layer.ErrNoVersion) || !errors.As(err, &e) || e.Retryable() || e.Ref != ref || e.Op != "resolve" {
				t.Fatalf("got %#v", err)
			}
			if want := "resolve " + ref.String() + ": " + test.want; err.Error() != want {
				t.Errorf("got  %v\nwant %v", err, want)
			}
		})
	}
}

func TestSeveralRegistries(t *testing.T) {
	t.Parallel()
	first, second := registrytest.New(t), registrytest.New(t)
	pushPacks(t, first, "both", "1.0.0")
	pushPacks(t, second, "both", "2.0.0")
	pushPacks(t, second, "one", "3.0.0")
	client := &registry.Client{
		Registries: []registry.Registry{{Name: "a", URL: first.URL}, {Name: "b", URL: second.URL}},
		PlainHTTP:  []string{first.Host, second.Host},
		HTTPClient: &http.Client{},
	}
	tests := []struct{ registry, name, want string }{
		{"", "one", "3.0.0"},
		{"b", "both", "2.0.0"},
		{second.URL, "both", "2.0.0"},
	}
	for _, test := range tests {
		pin, err := client.Resolve(t.Context(), layer.Ref{Format: layer.FormatPack, Registry: test.registry, Name: test.name})
		if err != nil || pin.Resolved != test.want {
			t.Errorf("%s in %q: got %s, %v; want %s", test.name, test.registry, pin.Resolved, err, test.want)
		}
	}
	_, err := client.Resolve(t.Context(), packRef("both", ""))
	if !errors.Is(err, registry.ErrAmbiguous) || !strings.Contains(err.Error(), first.URL) || !strings.Contains(err.Error(), second.URL) {
		t.Errorf("got %v; want ErrAmbiguous that names both registries", err)
	}
	_, err = client.Resolve(t.Context(), packRef("neither", ""))
	if !errors.Is(err, layer.ErrNotFound) || !strings.Contains(err.Error(), first.URL) || !strings.Contains(err.Error(), second.URL) {
		t.Errorf("got %v; want ErrNotFound that names both registries", err)
	}
	// The second must not stand in for the first: it may have something else
	// under the name.
	first.Close()
	if _, err := client.Resolve(t.Context(), packRef("one", "")); !errors.Is(err, layer.ErrUnavailable) {
		t.Errorf("got %v; want ErrUnavailable", err)
	}
}

func TestBadReferences(t *testing.T) {
	t.Parallel()
	client := &registry.Client{Registries: []registry.Registry{{Name: "main", URL: "oci://registry.invalid"}}}
	tests := map[string]struct {
		ref  layer.Ref
		want string
	}{
		"unknown registry":  {layer.Ref{Format: layer.FormatPack, Registry: "other", Name: "p"}, `one of ["main"]`},
		"path as name":      {packRef("../p", ""), "not a name"},
		"dots as name":      {packRef("..", ""), "invalid"},
		"no name":           {packRef("", ""), "not a name"},
		"tag in name":       {packRef("p:1", ""), "invalid"},
		"query in name":     {packRef("p?x=y", ""), "want oci://"},
		"no format":         {layer.Ref{Name: "p"}, "unsupported"},
		"manifests":         {layer.Ref{Format: layer.FormatManifests, Name: "p"}, "unsupported"},
		"classic registry":  {layer.Ref{Format: layer.FormatPack, Registry: "https://charts.example.com", Name: "p"}, "unsupported"},
		"query in URL":      {layer.Ref{Format: layer.FormatHelm, Registry: "https://charts.example.com?a=b", Name: "p"}, "want https://"},
		"strategy":          {layer.Ref{Format: layer.FormatPack, Name: "p", Strategy: "luckiest"}, "want newest"},
		"not a digest":      {packRef("p", "1.0.0@sha256:12"), "no digest"},
		"no host":           {layer.Ref{Format: layer.FormatPack, Registry: "oci:///p", Name: "p"}, "want oci://"},
		"folder not listed": {layer.Ref{Format: layer.FormatPack, Registry: "file:///etc", Name: "p"}, "Client.Registries"},
		"other scheme":      {layer.Ref{Format: layer.FormatPack, Registry: "ftp://example.com", Name: "p"}, "want oci://"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client.Resolve(t.Context(), test.ref)
			var e *registry.Error
			if !errors.As(err, &e) || e.Retryable() || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v; want %q in it", err, test.want)
			}
		})
	}
	if _, err := new(registry.Client).Resolve(t.Context(), packRef("p", "")); err == nil || !strings.Contains(err.Error(), "no registry") {
		t.Errorf("got %v", err)
	}
}
