package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// A blob is content with its descriptor.
type blob struct {
	ocispec.Descriptor
	data []byte
}

func newBlob(mediaType string, data []byte) blob {
	return blob{
		Descriptor: ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))},
		data:       data,
	}
}

// An artifact is what is pushed: a manifest of two blobs. Equal content makes
// equal artifacts.
type artifact struct {
	ref          layer.Ref // with the exact version, without the registry
	artifactType string
	config       blob
	content      blob
	annotations  map[string]string
}

// newContent packs files into a blob, below the folder prefix.
func newContent(mediaType string, files fs.FS, prefix string) (blob, error) {
	var buf bytes.Buffer
	if err := archive.WriteTarGz(&buf, files, prefix); err != nil {
		return blob{}, err
	}
	return newBlob(mediaType, buf.Bytes()), nil
}

func (a artifact) manifest() (blob, error) {
	data, err := json.Marshal(ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: a.artifactType,
		Config:       a.config.Descriptor,
		Layers:       []ocispec.Descriptor{a.content.Descriptor},
		Annotations:  a.annotations,
	})
	if err != nil {
		return blob{}, err
	}
	return newBlob(ocispec.MediaTypeImageManifest, data), nil
}

// push stores an artifact in a registry, under its name and version.
func (c *Client) push(ctx context.Context, registry string, a artifact) (layer.Pin, error) {
	a.ref.Registry = registry
	pin, err := c.upload(ctx, a)
	if err != nil {
		return layer.Pin{}, fail("push", a.ref, "", err)
	}
	return pin, nil
}

func (c *Client) upload(ctx context.Context, a artifact) (layer.Pin, error) {
	base, err := c.registryURL(a.ref.Registry)
	if err != nil {
		return layer.Pin{}, err
	}
	l, err := locate(base, a.ref)
	if err != nil {
		return layer.Pin{}, err
	}
	if err := c.allow(a.content.Size); err != nil {
		return layer.Pin{}, err
	}
	if c.Offline {
		return layer.Pin{}, ErrOffline
	}
	manifest, err := a.manifest()
	if err != nil {
		return layer.Pin{}, err
	}
	repo := c.repository(l)
	for _, b := range []blob{a.config, a.content} {
		there, err := repo.Blobs().Exists(ctx, b.Descriptor)
		if err == nil && !there {
			err = repo.Blobs().Push(ctx, b.Descriptor, bytes.NewReader(b.data))
		}
		if err != nil {
			return layer.Pin{}, classify(ctx, l.Registry, err)
		}
	}
	// The tag comes last, and is moved if it is there already.
	tag := version.ToTag(a.ref.Version)
	if err := repo.PushReference(ctx, manifest.Descriptor, bytes.NewReader(manifest.data), tag); err != nil {
		return layer.Pin{}, classify(ctx, l.Registry, err)
	}
	return layer.Pin{Ref: a.ref, Repository: l.String(), Resolved: tag, Digest: manifest.Digest}, nil
}
