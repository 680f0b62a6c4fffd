package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

// A pack is pushed, found by a train, and fetched.
func Example() {
	ctx := context.Background()
	server, err := registrytest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	client := server.Client() // for other registries: new(registry.Client)
	_, err = client.PushPack(ctx, server.URL, fstest.MapFS{
		"pack.json":   {Data: []byte(`{"name": "hello", "displayName": "Hello", "layer": "addon", "version": "1.2.3"}`)},
		"values.yaml": {Data: []byte("greeting: hello\n")},
	})
	if err != nil {
		log.Fatal(err)
	}

	pin, err := client.Resolve(ctx, layer.Ref{Format: layer.FormatPack, Name: "hello", Version: "1.x"})
	if err != nil {
		log.Fatal(err)
	}
	files, err := client.Fetch(ctx, pin)
	if err != nil {
		log.Fatal(err)
	}
	values, err := fs.ReadFile(files, "values.yaml")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s", pin.Resolved, values)
	// Output: 1.2.3: greeting: hello
}

func ExampleError() {
	client := &registry.Client{Offline: true}
	_, err := client.Resolve(context.Background(), layer.Ref{
		Format: layer.FormatHelm, Registry: "oci://ghcr.io/acme/charts", Name: "web", Version: "^2",
	})
	if e, ok := errors.AsType[*registry.Error](err); ok {
		fmt.Println(e)
		fmt.Println("retry:", e.Retryable(), "name:", e.Ref.Name)
	}
	// Output:
	// resolve helm oci://ghcr.io/acme/charts/web@^2: the client is offline: registry unavailable
	// retry: false name: web
}

// What a lock pins is carried in a file to where there is no internet, and
// fetched there by its old names.
func ExampleClient_Export() {
	ctx := context.Background()
	outside, err := registrytest.Start()
	if err != nil {
		log.Fatal(err)
	}
	pin, err := outside.Client().PushPack(ctx, outside.URL, fstest.MapFS{
		"pack.json": {Data: []byte(`{"name": "hello", "displayName": "Hello", "layer": "addon", "version": "1.2.3"}`)},
	})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "stack.tar")
	if err := outside.Client().Export(ctx, []layer.Pin{pin}, file, registry.ExportOptions{}); err != nil {
		log.Fatal(err)
	}
	outside.Close() // gone

	inside, err := registrytest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer inside.Close()
	client := inside.Client()
	if client.Mirrors, err = inside.Client().Import(ctx, file, inside.URL); err != nil {
		log.Fatal(err)
	}
	files, err := client.Fetch(ctx, pin)
	if err != nil {
		log.Fatal(err)
	}
	_, err = fs.Stat(files, "pack.json")
	fmt.Println(pin.Resolved, err)
	// Output: 1.2.3 <nil>
}
