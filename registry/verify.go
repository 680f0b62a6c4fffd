package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	oci "oras.land/oras-go/v2/registry"

	"github.com/strata-go/strata/layer"
)

// A Verifier decides whether an artifact may be used. It is called with a
// digest, before anything of the artifact is kept or parsed, and it is called
// again for each fetch, from the cache too: what was fine yesterday may have
// expired. It may be called concurrently.
//
// Verify returns nil only for what it has found to be signed as it wants it.
// The client reports any error, wrapped, as a [layer.ErrSignature].
// Packages registry/cosign and registry/notation have implementations.
type Verifier interface {
	Verify(ctx context.Context, a Artifact, signatures Signatures) error
}

// An Artifact is what a [Verifier] decides on.
type Artifact struct {
	// Pin is what is fetched; signatures are made for its digest.
	Pin layer.Pin
	// Descriptor is that of the artifact's manifest: the media type that the
	// manifest claims, the digest of the pin, and its true size.
	Descriptor ocispec.Descriptor
}

// Signatures reads what stands beside an artifact in its repository, with the
// credentials of the client. Nothing of it is to be believed but what a
// signature covers. Errors wrap [layer.ErrNotFound] for what is not there.
type Signatures interface {
	// Tagged returns the manifest that a tag names now, up to 4 MiB.
	Tagged(ctx context.Context, tag string) ([]byte, error)
	// Referrers lists the manifests of an artifact type that refer to the
	// artifact, by the referrers API of the OCI distribution specification 1.1
	// or, where a registry has none, its tag. There may be none.
	Referrers(ctx context.Context, artifactType string) ([]ocispec.Descriptor, error)
	// Content returns the manifest or blob of a descriptor, up to 4 MiB. It
	// matches the digest.
	Content(ctx context.Context, d ocispec.Descriptor) ([]byte, error)
}

// verify asks the client's Verifier about the manifest of a pin. What was good
// enough last time is in the cache and is shown first, so that a warm cache
// needs no registry; if that does not convince, the registry is asked.
func (s source) verify(ctx context.Context, pin layer.Pin, manifest []byte) error {
	if pin.Digest.Algorithm().FromBytes(manifest) != pin.Digest {
		return fmt.Errorf("%s: %w", s.place, layer.ErrDigest)
	}
	a := Artifact{Pin: pin, Descriptor: describeManifest(pin.Digest, manifest)}
	if known := s.cache.evidence(s.place, pin.Digest); len(known.answers) > 0 {
		err := s.client.Verifier.Verify(ctx, a, known)
		if err == nil {
			return nil
		}
		if s.client.Offline && !s.local {
			return unverified(err)
		}
	} else if s.client.Offline && !s.local {
		return unverified(fmt.Errorf("no signatures in the cache: %w", ErrOffline))
	}
	found := &recorder{source: s, subject: a.Descriptor}
	if err := s.client.Verifier.Verify(ctx, a, found); err != nil {
		return unverified(err)
	}
	s.cache.keepEvidence(s.place, pin.Digest, found.answers)
	return nil
}

func unverified(cause error) error {
	if errors.Is(cause, layer.ErrSignature) {
		return cause
	}
	return fmt.Errorf("%w: %w", layer.ErrSignature, cause)
}

func describeManifest(d digest.Digest, manifest []byte) ocispec.Descriptor {
	var head struct {
		MediaType string `json:"mediaType"`
	}
	// A manifest that is not even JSON is refused by who parses it; its
	// signature holds or not all the same.
	_ = json.Unmarshal(manifest, &head)
	if head.MediaType == "" {
		head.MediaType = ocispec.MediaTypeImageManifest
	}
	return ocispec.Descriptor{MediaType: head.MediaType, Digest: d, Size: int64(len(manifest))}
}

// A recorder asks the registry, and keeps the answers.
type recorder struct {
	source
	subject ocispec.Descriptor
	mu      sync.Mutex
	answers answers
	size    int // of all answers
}

func (r *recorder) Tagged(ctx context.Context, tag string) ([]byte, error) {
	if err := (oci.Reference{Reference: tag}).ValidateReferenceAsTag(); err != nil {
		return nil, err
	}
	data, err := getManifest(ctx, r.depot, tag)
	return r.keep(taggedQuestion(tag), data, err)
}

func (r *recorder) Referrers(ctx context.Context, artifactType string) ([]ocispec.Descriptor, error) {
	list, err := r.referrers(ctx, artifactType)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(list)
	_, err = r.keep(referrersQuestion(artifactType), data, err)
	return list, err
}

func (r *recorder) Content(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	if err := d.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	data, err := r.read(ctx, d)
	if err == nil && d.Digest.Algorithm().FromBytes(data) != d.Digest {
		err = fmt.Errorf("%s: %s: %w", r.place, d.Digest, layer.ErrDigest)
	}
	return r.keep(contentQuestion(d.Digest), data, err)
}

func (r *recorder) keep(question string, data []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size += len(data); r.size > maxEvidence {
		return nil, fmt.Errorf("%s: more than %d MiB of signatures", r.place, maxEvidence>>20)
	}
	if r.answers == nil {
		r.answers = answers{}
	}
	r.answers[question] = data
	return data, nil
}

func (r *recorder) read(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	if isManifest(d.MediaType) {
		return getManifest(ctx, r.depot, d.Digest.String())
	}
	body, err := r.depot.get(ctx, "blobs", d.Digest.String())
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxManifest+1))
	if err != nil {
		return nil, classify(ctx, hostOf(r.place), err)
	}
	if len(data) > maxManifest {
		return nil, fmt.Errorf("%s is larger than %d MiB", d.Digest, maxManifest>>20)
	}
	return data, nil
}

// isManifest reports whether content of that type is got as a manifest.
func isManifest(mediaType string) bool {
	return slices.Contains(strings.Split(manifestTypes(), ", "), mediaType)
}
