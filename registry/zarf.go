package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/layer"
)

// zarfManifest returns the digest of the manifest for the client's architecture,
// given what a Zarf package is tagged as: an index with a manifest for each
// architecture, or the manifest itself.
func (c *Client) zarfManifest(data []byte, d digest.Digest) (digest.Digest, error) {
	var index ocispec.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return "", fmt.Errorf("manifest: %w", err)
	}
	if len(index.Manifests) == 0 {
		return d, nil
	}
	want := cmp.Or(c.Architecture, "amd64")
	var have []string
	for _, m := range index.Manifests {
		if m.Platform == nil {
			continue
		}
		if m.Platform.Architecture == want {
			return m.Digest, m.Digest.Validate()
		}
		have = append(have, m.Platform.Architecture)
	}
	slices.Sort(have)
	return "", fmt.Errorf("%w: the package is for %q, not for %q: see Client.Architecture", layer.ErrNotFound, have, want)
}

// titled returns the layers of an artifact as files, named by their titles.
func (s source) titled(ctx context.Context, pin layer.Pin) (fs.FS, error) {
	layers, err := s.layers(ctx, pin)
	if err != nil {
		return nil, err
	}
	var total int64
	files := titles{}
	for _, d := range layers {
		if err := s.client.allow(d.Size); err != nil {
			return nil, err
		}
		total += d.Size
		if err := s.client.allow(total); err != nil {
			return nil, err
		}
		if err := files.add(d.Annotations[ocispec.AnnotationTitle], s.cached(d)); err != nil {
			return nil, err
		}
	}
	for _, d := range layers {
		f, err := s.blob(ctx, d)
		if err != nil {
			return nil, err
		}
		_ = f.Close()
	}
	return files, nil
}

// cached returns the file for a layer that is in the cache.
func (s source) cached(d ocispec.Descriptor) titledFile {
	return titledFile{size: d.Size, open: func() (content, error) {
		// A file system has no context to give up by; this reads a local file.
		return s.cache.open(context.Background(), d.Digest)
	}}
}
