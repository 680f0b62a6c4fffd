package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/layer"
)

// A supply has blobs and manifests by descriptor. What it returns may be
// anything: whoever asks verifies it.
type supply interface {
	manifest(ctx context.Context, d ocispec.Descriptor) ([]byte, error)
	blob(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error)
}

// A cachedSupply goes by way of the cache.
type cachedSupply struct{ source }

func (s cachedSupply) manifest(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	f, err := s.open(ctx, d.Digest, func() (io.ReadCloser, error) {
		data, err := getManifest(ctx, s.depot, d.Digest.String())
		return io.NopCloser(bytes.NewReader(data)), err
	})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxManifest))
}

func (s cachedSupply) blob(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	return s.source.blob(ctx, d)
}

// A directSupply leaves the cache alone: images are large, and are not fetched
// again by anything here.
type directSupply struct {
	client *Client
	depot  depot
}

func (s directSupply) manifest(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	return getManifest(ctx, s.depot, d.Digest.String())
}

func (s directSupply) blob(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	if err := s.client.allow(d.Size); err != nil {
		return nil, err
	}
	body, err := s.depot.get(ctx, "blobs", d.Digest.String())
	if err != nil {
		return nil, err
	}
	return limited{io.LimitReader(body, d.Size+1), body}, nil
}

// copyManifest exports the manifest of a descriptor, with what it refers to.
func (e *exporter) copyManifest(ctx context.Context, d ocispec.Descriptor, from supply, depth int) error {
	if err := d.Digest.Validate(); err != nil {
		return fmt.Errorf("digest: %w", err)
	}
	data, err := from.manifest(ctx, d)
	if err != nil {
		return fmt.Errorf("manifest %s: %w", d.Digest, err)
	}
	if d.Digest.Algorithm().FromBytes(data) != d.Digest {
		return fmt.Errorf("manifest %s: %w", d.Digest, layer.ErrDigest)
	}
	return e.copyGraph(ctx, d, data, from, depth)
}

// copyGraph exports a manifest that is known to be right, with what it refers
// to. Blobs that are elsewhere by their manifest (foreign layers) stay there.
func (e *exporter) copyGraph(ctx context.Context, d ocispec.Descriptor, data []byte, from supply, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("manifest %s: more than %d indexes in each other", d.Digest, maxDepth)
	}
	refs, err := readReferences(data)
	if err != nil {
		return fmt.Errorf("manifest %s: %w", d.Digest, err)
	}
	for _, m := range refs.Manifests {
		if err := e.copyManifest(ctx, m, from, depth+1); err != nil {
			return err
		}
	}
	for _, b := range refs.blobs() {
		if err := e.copyBlob(ctx, b, from); err != nil {
			return fmt.Errorf("content %s: %w", b.Digest, err)
		}
	}
	return e.layout.add(d.Digest, bytes.NewReader(data))
}

func (e *exporter) copyBlob(ctx context.Context, d ocispec.Descriptor, from supply) error {
	if e.layout.has(d.Digest) {
		return nil
	}
	body, err := from.blob(ctx, d)
	if err != nil {
		return err
	}
	defer body.Close()
	return e.layout.add(d.Digest, contextReader{ctx, body})
}

// References are what a manifest or an index refers to.
type references struct {
	Config    *ocispec.Descriptor  `json:"config"`
	Layers    []ocispec.Descriptor `json:"layers"`
	Manifests []ocispec.Descriptor `json:"manifests"`
}

func readReferences(data []byte) (references, error) {
	var r references
	if err := json.Unmarshal(data, &r); err != nil {
		return references{}, err
	}
	for _, d := range append(r.blobs(), r.Manifests...) {
		if err := d.Digest.Validate(); err != nil {
			return references{}, fmt.Errorf("digest: %w", err)
		}
	}
	return r, nil
}

func (r references) blobs() []ocispec.Descriptor {
	var blobs []ocispec.Descriptor
	if r.Config != nil {
		blobs = append(blobs, *r.Config)
	}
	for _, l := range r.Layers {
		if len(l.URLs) == 0 {
			blobs = append(blobs, l)
		}
	}
	return blobs
}
