package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	oci "oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"

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
	immutable    bool   // whatever Client.Replace says
	trains       bool   // whether tags of trains follow it
	group        string // of the version; may be empty
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
	if isClassic(base) || c.isLocal(base) {
		return layer.Pin{}, fmt.Errorf("%s: %w: only OCI registries are pushed to", scrubURL(base), errors.ErrUnsupported)
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
	tag := version.ToTag(a.ref.Version)
	if a.trains && version.Train(tag) {
		return layer.Pin{}, fmt.Errorf("version %q is the name of a train", a.ref.Version)
	}
	ctx = auth.AppendRepositoryScope(ctx, l.Reference, auth.ActionPull, auth.ActionPush)
	to := target{c, l, manifest}
	if err := to.push(ctx, tag, a); err != nil {
		return layer.Pin{}, err
	}
	if a.trains {
		if err := to.moveTrains(ctx, tag, a.group); err != nil {
			return layer.Pin{}, fmt.Errorf("%s is pushed, but its trains are not tagged: push again: %w", tag, err)
		}
	}
	return layer.Pin{Ref: a.ref, Repository: l.String(), Resolved: tag, Digest: manifest.Digest}, nil
}

// A target is a repository and the manifest to be tagged in it.
type target struct {
	client *Client
	location
	manifest blob
}

// push stores the artifact under a tag, unless it is there.
func (t target) push(ctx context.Context, tag string, a artifact) error {
	there, err := t.tagged(ctx, tag)
	switch {
	case err != nil:
		return err
	case there == t.manifest.Digest:
		return nil
	case there != "" && a.immutable:
		return fmt.Errorf("%w: %s:%s is %s, not %s: push it as a new version", ErrExists, t, tag, there, t.manifest.Digest)
	case there != "" && !t.client.Replace:
		return fmt.Errorf("%w: %s:%s is %s, not %s: push it as a new version, or set Client.Replace",
			ErrExists, t, tag, there, t.manifest.Digest)
	}
	blobs := t.client.repository(t.location).Blobs()
	for _, b := range []blob{a.config, a.content} {
		there, err := blobs.Exists(ctx, b.Descriptor)
		if err == nil && !there {
			err = blobs.Push(ctx, b.Descriptor, bytes.NewReader(b.data))
		}
		if err != nil {
			return classify(ctx, t.Registry, err)
		}
	}
	return t.tag(ctx, tag) // last, so that nobody sees it before it is whole
}

// tagged returns the digest of what is tagged now; empty for nothing. Mirrors
// are not asked: they may be behind.
func (t target) tagged(ctx context.Context, tag string) (digest.Digest, error) {
	body, err := t.client.getFrom(ctx, t.location, "manifests", tag)
	if errors.Is(err, layer.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	data, err := t.client.readAll(ctx, body, t.String(), maxManifest)
	return digest.FromBytes(data), err
}

func (t target) tag(ctx context.Context, tag string) error {
	err := t.client.repository(t.location).PushReference(ctx, t.manifest.Descriptor, bytes.NewReader(t.manifest.data), tag)
	return classify(ctx, t.Registry, err)
}

// moveTrains tags the trains that the version is the newest of, and, if it is of
// a group, the version and the trains in that group.
func (t target) moveTrains(ctx context.Context, tag, group string) error {
	all, err := t.client.tags(ctx, t.location)
	if err != nil {
		return err
	}
	wanted := version.Leads(tag, all)
	if err := (oci.Reference{Reference: version.JoinGroup(group, tag)}).ValidateReferenceAsTag(); err != nil {
		t.client.log().WarnContext(ctx, "the group of a pack cannot be a part of a tag", "repository", t.String(), "group", group)
	} else if group != "" {
		var members []string
		for _, other := range all {
			if of, rest := version.SplitGroup(other); of == group {
				members = append(members, rest)
			}
		}
		for _, name := range append(version.Leads(tag, members), tag) {
			wanted = append(wanted, version.JoinGroup(group, name))
		}
	}
	for _, name := range wanted {
		there, err := t.tagged(ctx, name)
		if err == nil && there != t.manifest.Digest {
			err = t.tag(ctx, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
