package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/layer"
)

// maxReferrers bounds how many referrers of one type a registry may list.
const maxReferrers = 1000

// A referrerLister is a [depot] with the referrers API. The other depots have
// the referrers of a manifest in the index under a tag.
type referrerLister interface {
	referrers(ctx context.Context, subject ocispec.Descriptor, artifactType string) ([]ocispec.Descriptor, error)
}

// referrers lists what refers to the subject and is of a type.
func (r *recorder) referrers(ctx context.Context, artifactType string) (list []ocispec.Descriptor, err error) {
	if api, ok := r.depot.(referrerLister); ok {
		list, err = api.referrers(ctx, r.subject, artifactType)
	} else {
		list, err = r.tagReferrers(ctx)
	}
	// Registries need not filter.
	list = slices.DeleteFunc(list, func(d ocispec.Descriptor) bool { return d.ArtifactType != artifactType })
	return list, err
}

func (r *recorder) tagReferrers(ctx context.Context) ([]ocispec.Descriptor, error) {
	data, err := getManifest(ctx, r.depot, strings.Replace(r.subject.Digest.String(), ":", "-", 1))
	if errors.Is(err, layer.ErrNotFound) {
		return nil, nil
	}
	var index ocispec.Index
	if err == nil {
		err = json.Unmarshal(data, &index)
	}
	if err == nil && len(index.Manifests) > maxReferrers {
		err = fmt.Errorf("%s has more than %d referrers", r.place, maxReferrers)
	}
	return index.Manifests, err
}

func (d remoteDepot) referrers(ctx context.Context, subject ocispec.Descriptor, artifactType string) ([]ocispec.Descriptor, error) {
	return viaMirrors(ctx, d.client, d.String(), func(url string) ([]ocispec.Descriptor, error) {
		at, err := parseLocation(url)
		if err != nil {
			return nil, err
		}
		var list []ocispec.Descriptor
		err = d.client.repository(at).Referrers(ctx, subject, artifactType, func(page []ocispec.Descriptor) error {
			if list = append(list, page...); len(list) > maxReferrers {
				return fmt.Errorf("%s has more than %d referrers", at, maxReferrers)
			}
			return nil
		})
		return list, classify(ctx, at.Registry, err)
	})
}
