package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	oci "oras.land/oras-go/v2/registry"

	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// maxListed bounds how many versions an error lists.
const maxListed = 10

// Versions returns the versions that satisfy ref, newest first, with "+" where
// their tags have "_". There is at least one, or else the error wraps
// [layer.ErrNoVersion]; if no registry has the name at all, it wraps
// [layer.ErrNotFound].
func (c *Client) Versions(ctx context.Context, ref layer.Ref) ([]string, error) {
	_, tags, err := c.find(ctx, ref)
	if err != nil {
		return nil, fail("versions", ref, "", err)
	}
	for i, tag := range tags {
		tags[i] = version.FromTag(tag)
	}
	return tags, nil
}

// Resolve returns the newest version that satisfies ref, with its digest. It
// always asks the registry. Errors are as in [Client.Versions].
func (c *Client) Resolve(ctx context.Context, ref layer.Ref) (layer.Pin, error) {
	l, tags, err := c.find(ctx, ref)
	if err != nil {
		return layer.Pin{}, fail("resolve", ref, "", err)
	}
	// The digest is that of the bytes that are there, not what a header says.
	manifest, err := c.getManifest(ctx, l, tags[0])
	if err != nil {
		return layer.Pin{}, fail("resolve", ref, "", err)
	}
	return layer.Pin{Ref: ref, Repository: l.String(), Resolved: tags[0], Digest: digest.FromBytes(manifest)}, nil
}

// find returns the repository of ref and its tags that satisfy ref, newest
// first.
func (c *Client) find(ctx context.Context, ref layer.Ref) (location, []string, error) {
	candidates, err := c.candidates(ref)
	if err != nil {
		return location{}, nil, err
	}
	if c.Offline {
		return location{}, nil, ErrOffline
	}
	for _, l := range candidates {
		all, err := c.tags(ctx, l)
		if errors.Is(err, layer.ErrNotFound) {
			continue
		}
		if err != nil {
			return location{}, nil, err
		}
		tags, err := version.Select(ref.Version, all)
		if err != nil || len(tags) == 0 {
			return location{}, nil, noVersion(l, ref.Version, all, err)
		}
		return l, tags, nil
	}
	return location{}, nil, fmt.Errorf("%w: there is no %s", layer.ErrNotFound, join(candidates, " and no "))
}

// tags returns the valid tags of a repository; they become parts of URLs. A
// repository without tags is not found: some registries say so of those that
// they do not have.
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
	return all, nil
}

// noVersion makes the error that says what there is instead.
func noVersion(l location, constraint string, tags []string, cause error) error {
	known := version.Known(tags)
	listed := known[:min(len(known), maxListed)]
	for i, tag := range listed {
		listed[i] = version.FromTag(tag)
	}
	has := "no versions"
	if len(listed) > 0 {
		has = strings.Join(listed, ", ")
	}
	if more := len(known) - len(listed); more > 0 {
		has += fmt.Sprintf(", ... and %d more", more)
	}
	hint := ""
	if cause != nil {
		hint = "; " + cause.Error()
	} else if slices.ContainsFunc(known, prerelease) {
		hint = "; a pre-release is taken only if the constraint names one"
	}
	return fmt.Errorf("%w %q: %s has %s%s", layer.ErrNoVersion, constraint, l, has, hint)
}

func prerelease(tag string) bool {
	v, err := version.Parse(version.FromTag(tag))
	return err == nil && v.Prerelease()
}

func join(locations []location, separator string) string {
	texts := make([]string, len(locations))
	for i, l := range locations {
		texts[i] = l.String()
	}
	return strings.Join(texts, separator)
}
