package registry_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

// A folder of packs is a registry too, and the cache makes what is pinned stay
// what it is.
func ExampleRegistry() {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	pack := filepath.Join(dir, "packs", "hello")
	if err := os.MkdirAll(pack, 0o700); err != nil {
		log.Fatal(err)
	}
	text := []byte(`{"name": "hello", "displayName": "Hello", "layer": "addon", "version": "1.2.3"}`)
	if err := os.WriteFile(filepath.Join(pack, "pack.json"), text, 0o600); err != nil {
		log.Fatal(err)
	}

	client := &registry.Client{
		Registries: []registry.Registry{
			{Name: "ours", URL: filepath.Join(dir, "packs")},
		},
		CacheDir: filepath.Join(dir, "cache"),
	}
	pin, err := client.Resolve(context.Background(), layer.Ref{
		Format: layer.FormatPack, Name: "hello", Version: "1.x", Strategy: layer.NewestPatch,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pin.Name, pin.Resolved)
	// Output: hello 1.2.3
}

// A profile is published, and found by a constraint.
func ExampleClient_PushProfile() {
	ctx := context.Background()
	server, err := registrytest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	client := server.Client()
	_, err = client.PushProfile(ctx, server.URL, []byte("kind: Profile\nmetadata: {name: base, version: 1.4.0}\n"))
	if err != nil {
		log.Fatal(err)
	}
	pin, err := client.Resolve(ctx, layer.Ref{Format: layer.FormatProfile, Name: "base", Version: "1.x"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pin.Name, pin.Resolved)
	// Output: base 1.4.0
}
