package registry_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

func TestMirrors(t *testing.T) {
	t.Parallel()
	original, mirror := registrytest.New(t), registrytest.New(t)
	const base = "/acme"
	push := func(s *registrytest.Server, at string, versions ...string) {
		for _, v := range versions {
			if _, err := s.Client().PushPack(t.Context(), s.URL+at, packFiles("p", v)); err != nil {
				t.Fatal(err)
			}
		}
	}
	push(original, base, "1.0.0", "1.1.0")
	push(mirror, "/cache/acme", "1.0.0")
	client := func(mirrors ...registry.Mirror) *registry.Client {
		c := original.Client()
		c.Registries[0].URL = original.URL + base
		c.PlainHTTP = append(c.PlainHTTP, mirror.Host)
		c.Mirrors = mirrors
		return c
	}
	name := original.URL + base + "/spectro-packs/archive/p"
	to := registry.Mirror{From: original.URL, To: mirror.URL + "/cache/"}
	only := to
	only.Only = true
	gone := registry.Mirror{From: original.URL, To: "oci://127.0.0.1:1"}

	tests := map[string]struct {
		client *registry.Client
		want   string
		asked  bool // whether the original was
	}{
		"none":          {client(), "1.1.0", true},
		"mirror":        {client(to), "1.0.0", false},
		"only":          {client(only), "1.0.0", false},
		"down, then it": {client(gone, to), "1.0.0", false},
		"down":          {client(gone), "1.1.0", true},
		"lacks it":      {client(registry.Mirror{From: original.URL, To: mirror.URL}), "1.1.0", true},
		"of others":     {client(registry.Mirror{From: original.URL + "/ac", To: mirror.URL + "/cache/ac"}), "1.1.0", true},
		"of the base":   {client(registry.Mirror{From: original.URL + "/acme/", To: mirror.URL + "/cache/acme"}), "1.0.0", false},
	}
	for name2, test := range tests {
		before := original.Requests()
		pin, err := test.client.Resolve(t.Context(), packRef("p", ""))
		if err != nil || pin.Resolved != test.want || pin.Repository != name {
			t.Errorf("%s: got %v, %v; want %s of %s", name2, pin, err, test.want, name)
			continue
		}
		if _, err := test.client.Fetch(t.Context(), pin); err != nil {
			t.Errorf("%s: %v", name2, err)
		}
		if asked := original.Requests() > before; asked != test.asked {
			t.Errorf("%s: the original was asked: %v", name2, asked)
		}
	}
	// What a mirror sends is checked as everything is.
	pin, err := client().Resolve(t.Context(), packRef("p", "1.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	mirror.Intercept(tamper("/blobs/", func([]byte) []byte { return []byte("evil") }))
	if _, err := client(to).Fetch(t.Context(), pin); !errors.Is(err, layer.ErrDigest) {
		t.Errorf("got %v; want ErrDigest", err)
	}
	// A rewrite does without the original, and still names it.
	before := original.Requests()
	mirror.Intercept(func(http.Handler) http.Handler { return http.NotFoundHandler() })
	_, err = client(only).Resolve(t.Context(), packRef("p", ""))
	if !errors.Is(err, layer.ErrNotFound) || !strings.Contains(err.Error(), name) || original.Requests() != before {
		t.Errorf("got %v; want ErrNotFound that names %s", err, name)
	}
}

func TestMirrorOfClassicRepository(t *testing.T) {
	t.Parallel()
	client, host := charts(t, map[string][]byte{
		"/mirror/index.yaml":    []byte("entries: {web: [{version: 1.0.0, urls: ['https://charts.example.com/web-1.0.0.tgz']}]}"),
		"/mirror/web-1.0.0.tgz": tarGz(t, chartFiles("1.0.0"), "web"),
	})
	client.Registries[0].URL = "https://charts.example.com"
	client.Mirrors = []registry.Mirror{{From: "https://charts.example.com", To: "http://" + host + "/mirror", Only: true}}
	pin, err := client.Resolve(t.Context(), chartRef(""))
	if err != nil || pin.Repository != "https://charts.example.com" {
		t.Fatalf("got %v, %v", pin, err)
	}
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Error(err)
	}
}
