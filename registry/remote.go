package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	oci "oras.land/oras-go/v2/registry"

	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// A remotePlace is a repository of an OCI registry.
type remotePlace struct {
	client *Client
	location
	format layer.Format
}

func (p remotePlace) tags(ctx context.Context) ([]string, error) {
	if p.client.Offline {
		return nil, ErrOffline
	}
	return share(ctx, &p.client.burst, "tags of "+p.String(), func(ctx context.Context) ([]string, error) {
		return viaMirrors(ctx, p.client, p.String(), func(url string) ([]string, error) {
			at, err := parseLocation(url)
			if err != nil {
				return nil, err
			}
			return p.client.tags(ctx, at)
		})
	})
}

func (p remotePlace) pin(ctx context.Context, reference string) (string, digest.Digest, error) {
	if p.client.Offline {
		return "", "", ErrOffline
	}
	return p.client.pin(ctx, remoteDepot{p.client, p.location}, p.format, reference)
}

// tags returns the valid tags of a repository; they become parts of URLs. A
// repository without tags is not found: some registries say so of those that
// they do not have. Pages are followed as the registry links them; old ones
// send everything at once.
func (c *Client) tags(ctx context.Context, l location) ([]string, error) {
	var all []string
	err := c.repository(l).Tags(ctx, "", func(page []string) error {
		if all = append(all, page...); len(all) > maxTags {
			return fmt.Errorf("%s has more than %d tags", l, maxTags)
		}
		return nil
	})
	if err != nil {
		return nil, classify(ctx, l.Registry, err)
	}
	all = slices.DeleteFunc(all, func(tag string) bool {
		return oci.Reference{Reference: tag}.ValidateReferenceAsTag() != nil
	})
	if len(all) == 0 {
		return nil, layer.ErrNotFound
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// pin reads the manifest of a tag or digest, and returns that digest. It is that
// of the bytes that are there, not what a header says.
func (c *Client) pin(ctx context.Context, from depot, format layer.Format, reference string) (string, digest.Digest, error) {
	data, err := getManifest(ctx, from, reference)
	if err != nil {
		return "", "", err
	}
	d := digest.FromBytes(data)
	if want, err := digest.Parse(reference); err == nil {
		if d = want.Algorithm().FromBytes(data); d != want {
			return "", "", fmt.Errorf("%v: %w", from, layer.ErrDigest)
		}
		reference = taggedAs(data, reference)
	}
	if format != layer.FormatZarf {
		return reference, d, nil
	}
	d, err = c.zarfManifest(data, d)
	return reference, d, err
}

// taggedAs returns the version that a manifest says it is of, as a tag, or else
// the fallback.
func taggedAs(manifest []byte, fallback string) string {
	var m ocispec.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return fallback
	}
	text := m.Annotations[ocispec.AnnotationVersion]
	if _, err := version.Parse(text); err != nil {
		return fallback
	}
	return version.ToTag(text)
}
