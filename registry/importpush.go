package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/strata-go/strata/layer"
)

// An importer pushes manifests of a layout into one repository.
type importer struct {
	client *Client
	dir    string
	to     location
}

// tagged pushes a manifest with what it refers to, and tags it if there is a
// tag.
func (i importer) tagged(ctx context.Context, d ocispec.Descriptor, tag string) error {
	ctx = auth.AppendRepositoryScope(ctx, i.to.Reference, auth.ActionPull, auth.ActionPush)
	data, err := i.read(d)
	if err != nil {
		return err
	}
	t := target{i.client, i.to, newBlob(describeManifest(d.Digest, data).MediaType, data)}
	t.manifest.Digest = d.Digest // of whatever algorithm
	if tag != "" {
		there, err := t.tagged(ctx, tag)
		if err != nil {
			return err
		}
		if there != "" && there != d.Digest && !i.client.Replace {
			return fmt.Errorf("%w: %s:%s is %s, not %s: set Client.Replace to move it", ErrExists, i.to, tag, there, d.Digest)
		}
	}
	if err := i.push(ctx, t.manifest.Descriptor, data, 0); err != nil || tag == "" {
		return err
	}
	return t.tag(ctx, tag)
}

// push pushes a manifest after all that it refers to: registries insist on it.
func (i importer) push(ctx context.Context, d ocispec.Descriptor, data []byte, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("manifest %s: more than %d indexes in each other", d.Digest, maxDepth)
	}
	refs, err := readReferences(data)
	if err != nil {
		return fmt.Errorf("manifest %s: %w", d.Digest, err)
	}
	for _, m := range refs.Manifests {
		child, err := i.read(m)
		if err == nil {
			err = i.push(ctx, m, child, depth+1)
		}
		if err != nil {
			return err
		}
	}
	for _, b := range refs.blobs() {
		if err := i.blob(ctx, b); err != nil {
			return fmt.Errorf("content %s: %w", b.Digest, err)
		}
	}
	err = i.client.repository(i.to).Manifests().Push(ctx, d, bytes.NewReader(data))
	return classify(ctx, i.to.Registry, err)
}

// blob pushes a blob, unless it is there. It is read twice: what is damaged is
// not even begun.
func (i importer) blob(ctx context.Context, d ocispec.Descriptor) error {
	f, err := os.Open(blobFile(i.dir, d.Digest))
	if err != nil {
		return err
	}
	defer f.Close()
	verifier := d.Digest.Verifier()
	size, err := io.Copy(verifier, contextReader{ctx, f})
	if err != nil {
		return err
	}
	if !verifier.Verified() || size != d.Size {
		return layer.ErrDigest
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	blobs := i.client.repository(i.to).Blobs()
	there, err := blobs.Exists(ctx, d)
	if err == nil && !there {
		err = blobs.Push(ctx, d, f)
	}
	return classify(ctx, i.to.Registry, err)
}

// read returns a verified manifest of the layout.
func (i importer) read(d ocispec.Descriptor) ([]byte, error) {
	if err := d.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	f, err := os.Open(blobFile(i.dir, d.Digest))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err == nil && d.Digest.Algorithm().FromBytes(data) != d.Digest {
		err = layer.ErrDigest
	}
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", d.Digest, err)
	}
	return data, nil
}

// fromImport returns a packaged chart of a classic Helm repository from the
// OCI registries that mirror it: there, Import has put it under its digest.
// The error wraps [errors.ErrUnsupported] if the original is to be asked.
func (p chartPlace) fromImport(ctx context.Context, d digest.Digest) (io.ReadCloser, error) {
	routes := p.client.routes(p.url)
	for i, route := range routes {
		if !strings.HasPrefix(route, scheme) {
			continue
		}
		l, err := parseLocation(route + "/" + p.name)
		if err != nil {
			return nil, err
		}
		body, err := p.client.getFrom(ctx, l, "blobs", d.String())
		if err == nil || i == len(routes)-1 || ctx.Err() != nil {
			return body, err
		}
	}
	return nil, errors.ErrUnsupported
}
