package registry_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"testing"
	"testing/fstest"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

// packFiles returns a small pack.
func packFiles(name, version string) fstest.MapFS {
	return fstest.MapFS{
		"pack.json": {Data: fmt.Appendf(nil,
			`{"name": %q, "version": %q, "displayName": "D", "layer": "addon", "kubeManifests": ["manifests/m.yaml"]}`, name, version)},
		"values.yaml":      {Data: []byte("pack:\n  namespace: n\n")},
		"manifests/m.yaml": {Data: []byte("kind: ConfigMap\n# " + version + "\n")},
	}
}

func packRef(name, constraint string) layer.Ref {
	return layer.Ref{Format: layer.FormatPack, Name: name, Version: constraint}
}

// pushPacks pushes a pack in some versions, and returns the last pin.
func pushPacks(t *testing.T, s *registrytest.Server, name string, versions ...string) (pin layer.Pin) {
	t.Helper()
	client := s.Client()
	for _, v := range versions {
		var err error
		if pin, err = client.PushPack(t.Context(), s.URL, packFiles(name, v)); err != nil {
			t.Fatal(err)
		}
	}
	return pin
}

// pushRaw stores a pack with other means than the client's, and returns its pin.
func pushRaw(t *testing.T, s *registrytest.Server, name string, change func(*ocispec.Manifest), blobs ...[]byte) layer.Pin {
	t.Helper()
	path := "spectro-packs/archive/" + name
	d := pushRawAt(t, s, path, "", change, blobs...)
	return layer.Pin{Ref: packRef(name, ""), Repository: s.URL + "/" + path, Resolved: "1.0.0", Digest: d}
}

// pushRawAt stores an artifact at a path, with a tag if there is one.
func pushRawAt(t *testing.T, s *registrytest.Server, path, tag string, change func(*ocispec.Manifest), blobs ...[]byte) digest.Digest {
	t.Helper()
	repo := rawRepository(t, s, path)
	push := func(mediaType string, data []byte) ocispec.Descriptor {
		d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
		if err := repo.Push(t.Context(), d, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		return d
	}
	manifest := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest}
	manifest.SchemaVersion = 2
	manifest.Config = push("application/vnd.unknown.config.v1+json", []byte("{}"))
	for _, data := range blobs {
		manifest.Layers = append(manifest.Layers, push("application/vnd.oci.image.layer.v1.tar", data))
	}
	if change != nil {
		change(&manifest)
	}
	data, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	return putManifest(t, s, path, tag, manifest.MediaType, data)
}

func rawRepository(t *testing.T, s *registrytest.Server, path string) *remote.Repository {
	t.Helper()
	repo, err := remote.NewRepository(s.Host + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	return repo
}

// putManifest stores a manifest, with a tag if there is one.
func putManifest(t *testing.T, s *registrytest.Server, path, tag, mediaType string, data []byte) digest.Digest {
	t.Helper()
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	if tag == "" {
		tag = d.Digest.String()
	}
	if err := rawRepository(t, s, path).PushReference(t.Context(), d, bytes.NewReader(data), tag); err != nil {
		t.Fatal(err)
	}
	return d.Digest
}

func tarGz(t *testing.T, files fs.FS, prefix string) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := archive.WriteTarGz(&buf, files, prefix); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gunzip(t *testing.T, data []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// rawGet returns what a registry has at a path below /v2/.
func rawGet(t *testing.T, s *registrytest.Server, path string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Host+"/v2/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", path, resp.StatusCode, err)
	}
	return data
}

func sameFiles(t *testing.T, got fs.FS, want fstest.MapFS) {
	t.Helper()
	var names []string
	_ = fs.WalkDir(got, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if len(names) != len(want) {
		t.Errorf("got the files %q, want %d", names, len(want))
	}
	for name, file := range want {
		if data, err := fs.ReadFile(got, name); err != nil || !bytes.Equal(data, file.Data) {
			t.Errorf("%s: got %q, %v", name, data, err)
		}
	}
}

// What package profile and package reconcile ask for.
var _ interface {
	Resolve(context.Context, layer.Ref) (layer.Pin, error)
	Fetch(context.Context, layer.Pin) (fs.FS, error)
} = (*registry.Client)(nil)
