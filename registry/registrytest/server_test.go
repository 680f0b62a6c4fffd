package registrytest_test

import (
	"net/http"
	"os"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry/registrytest"
)

func TestServer(t *testing.T) {
	t.Parallel()
	s, err := registrytest.Start()
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Requests(); n != 0 {
		t.Errorf("%d requests before the first", n)
	}
	client := s.Client()
	files := fstest.MapFS{"pack.json": {Data: []byte(`{"name": "p", "displayName": "P", "layer": "addon", "version": "1.0.0"}`)}}
	pin, err := client.PushPack(t.Context(), "test", files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Error(err)
	}
	if s.Client().CacheDir == client.CacheDir {
		t.Error("two clients share a cache")
	}

	before := s.Requests()
	s.Intercept(func(http.Handler) http.Handler { return http.NotFoundHandler() })
	ref := layer.Ref{Format: layer.FormatPack, Name: "p"}
	if _, err := client.Resolve(t.Context(), ref); err == nil {
		t.Error("nothing was intercepted")
	}
	if s.Requests() == before {
		t.Error("intercepted requests are not counted")
	}
	s.Intercept(nil)
	if got, err := client.Resolve(t.Context(), ref); err != nil || got.Digest != pin.Digest {
		t.Errorf("got %v, %v; want %s", got, err, pin.Digest)
	}

	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.Resolve(t.Context(), ref); err == nil {
		t.Error("the server runs after Close")
	}
	if _, err := os.Stat(client.CacheDir); !os.IsNotExist(err) {
		t.Errorf("the cache is left: %v", err)
	}
}
