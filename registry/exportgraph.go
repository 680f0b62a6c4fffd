package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	oci "oras.land/oras-go/v2/registry"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/internal/imageref"
	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// An exporter copies artifacts with all that they refer to.
type exporter struct {
	client *Client
	layout layoutWriter
}

// maxDepth bounds how deep indexes may lie in indexes.
const maxDepth = 4

// pin exports a pinned artifact.
func (e *exporter) pin(ctx context.Context, pin layer.Pin) error {
	if err := pin.Digest.Validate(); err != nil {
		return fmt.Errorf("digest: %w", err)
	}
	from, err := e.client.origin(pin)
	switch {
	case err != nil:
		return err
	case from.local:
		return fmt.Errorf("%s is on this disk only: push it to a registry and pin it there", pin.Repository)
	case from.depot == nil:
		return e.chart(ctx, from, pin)
	}
	data, err := from.manifest(ctx, pin)
	if err != nil {
		return err
	}
	// Blobs come by way of the cache, which may have them already.
	if err := e.copyGraph(ctx, describeManifest(pin.Digest, data), data, cachedSupply{from}, 0); err != nil {
		return err
	}
	e.layout.enter(describeManifest(pin.Digest, data), pin.Repository, pin.Resolved)
	if e.client.Verifier == nil {
		return nil
	}
	return e.signatures(ctx, from, pin)
}

// chart exports a chart of a classic Helm repository as the artifact that helm
// push would make of it. Its layer has the digest of the pin.
func (e *exporter) chart(ctx context.Context, from source, pin layer.Pin) error {
	f, err := from.content(ctx, pin)
	if err != nil {
		return err
	}
	defer f.Close()
	packed, err := io.ReadAll(io.LimitReader(contextReader{ctx, f}, maxChart+1))
	if err == nil && len(packed) > maxChart {
		err = fmt.Errorf("the chart is larger than %d MiB", maxChart>>20)
	}
	if err != nil {
		return err
	}
	files, err := archive.ReadTarGz(bytes.NewReader(packed), archive.Limits{})
	if err != nil {
		return err
	}
	a, err := chartArtifact(files)
	if err != nil {
		return err
	}
	a.content = newBlob(chartContentType, packed)
	manifest, err := a.manifest()
	if err != nil {
		return err
	}
	for _, b := range []blob{a.config, a.content, manifest} {
		if err := e.layout.add(b.Digest, bytes.NewReader(b.data)); err != nil {
			return err
		}
	}
	e.layout.enter(manifest.Descriptor, pin.Repository+"/"+pin.Name, version.ToTag(pin.Resolved))
	return nil
}

// signatures exports what convinced the Verifier.
func (e *exporter) signatures(ctx context.Context, from source, pin layer.Pin) error {
	for question, data := range from.cache.evidence(from.place, pin.Digest).answers {
		if tag, ok := strings.CutPrefix(question, taggedQuestion("")); ok {
			d := describeManifest(digest.FromBytes(data), data)
			if err := e.copyGraph(ctx, d, data, cachedSupply{from}, 0); err != nil {
				return err
			}
			e.layout.enter(d, pin.Repository, tag)
		}
		if !strings.HasPrefix(question, referrersQuestion("")) {
			continue
		}
		var list []ocispec.Descriptor
		if err := json.Unmarshal(data, &list); err != nil {
			return err
		}
		for _, d := range list {
			if err := e.copyManifest(ctx, d, cachedSupply{from}, 0); err != nil {
				return err
			}
			e.layout.enter(d, pin.Repository, "")
		}
	}
	return nil
}

// image exports a container image.
func (e *exporter) image(ctx context.Context, text string) error {
	l, reference, err := parseImage(text)
	if err != nil {
		return err
	}
	if e.client.Offline {
		return ErrOffline
	}
	from := directSupply{e.client, remoteDepot{e.client, l}}
	data, err := getManifest(ctx, from.depot, reference)
	if err != nil {
		return err
	}
	d := describeManifest(digest.FromBytes(data), data)
	tag := reference
	if want, err := digest.Parse(reference); err == nil {
		if d = describeManifest(want, data); want.Algorithm().FromBytes(data) != want {
			return fmt.Errorf("%s: %w", l, layer.ErrDigest)
		}
		tag = ""
	}
	if err := e.copyGraph(ctx, d, data, from, 0); err != nil {
		return err
	}
	e.layout.enter(d, l.String(), tag)
	return nil
}

// parseImage reads a reference as container runtimes do: the host may be
// missing, and so may the tag.
func parseImage(text string) (l location, reference string, err error) {
	image := imageref.Parse(text)
	if l, err = parseLocation(scheme + image.Repository); err != nil {
		return location{}, "", err
	}
	reference = image.Reference()
	if err := (oci.Reference{Registry: l.Registry, Repository: l.Repository, Reference: reference}).ValidateReference(); err != nil {
		return location{}, "", fmt.Errorf("tag or digest: %w", err)
	}
	return l, reference, nil
}

// imageRef is an image as the subject of an error, which must not show what may
// be a password.
func imageRef(text string) layer.Ref {
	if _, _, err := parseImage(text); err != nil {
		text = strings.TrimPrefix(scrubURL(scheme+text), scheme)
	}
	return layer.Ref{Format: "image", Name: text}
}
