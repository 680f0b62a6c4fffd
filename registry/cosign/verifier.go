package cosign

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
)

// The names of cosign's signature specification.
const (
	payloadType   = "application/vnd.dev.cosign.simplesigning.v1+json"
	artifactType  = "application/vnd.dev.cosign.artifact.sig.v1+json"
	annotation    = "dev.cosignproject.cosign/signature"
	signatureKind = "cosign container image signature"

	// maxSignatures bounds how many signatures are looked at, so that nobody
	// who may push can keep a client busy.
	maxSignatures = 100
)

// A Verifier accepts what one of its keys has signed. Set the fields before
// use; then it is safe for concurrent use.
type Verifier struct {
	// Keys are ECDSA, Ed25519 or RSA public keys, as [ParseKeys] returns them.
	// If there is none, nothing is accepted.
	Keys []crypto.PublicKey
}

var _ registry.Verifier = (*Verifier)(nil)

// Verify implements [registry.Verifier]. Its errors wrap [layer.ErrSignature],
// and say of each signature that was found why it does not count.
func (v *Verifier) Verify(ctx context.Context, a registry.Artifact, signatures registry.Signatures) error {
	if len(v.Keys) == 0 {
		return fmt.Errorf("%w: cosign: Verifier.Keys is empty", layer.ErrSignature)
	}
	s := search{keys: v.Keys, want: a.Descriptor.Digest, signatures: signatures}
	tag := strings.Replace(a.Descriptor.Digest.String(), ":", "-", 1) + ".sig"
	manifest, err := signatures.Tagged(ctx, tag)
	if err == nil {
		err = s.manifest(ctx, manifest)
	} else if errors.Is(err, layer.ErrNotFound) {
		err = nil
	}
	if err == nil && !s.good {
		err = s.referrers(ctx)
	}
	switch {
	case s.good:
		return nil
	case err != nil:
		return fmt.Errorf("%w: cosign: %w", layer.ErrSignature, err)
	case s.seen == 0:
		return fmt.Errorf("%w: cosign: %s has no signature", layer.ErrSignature, s.want)
	}
	return fmt.Errorf("%w: cosign: no signature of %s counts: %w", layer.ErrSignature, s.want, errors.Join(s.reasons...))
}

// A search goes through signatures until one is good.
type search struct {
	keys       []crypto.PublicKey
	want       digest.Digest
	signatures registry.Signatures

	seen    int
	good    bool
	reasons []error // why those that were seen are not
}

func (s *search) referrers(ctx context.Context) error {
	list, err := s.signatures.Referrers(ctx, artifactType)
	if errors.Is(err, layer.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, d := range list {
		if s.good || s.seen > maxSignatures {
			break
		}
		manifest, err := s.signatures.Content(ctx, d)
		if err == nil {
			err = s.manifest(ctx, manifest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// manifest looks at the signatures in a manifest: each layer is a payload, and
// has its signature in an annotation.
func (s *search) manifest(ctx context.Context, data []byte) error {
	var manifest struct {
		Layers []ocispec.Descriptor `json:"layers"`
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		return fmt.Errorf("reading the manifest of signatures: %w", err)
	}
	for _, l := range manifest.Layers {
		if l.MediaType != payloadType {
			continue
		}
		if s.seen++; s.seen > maxSignatures {
			return fmt.Errorf("more than %d signatures", maxSignatures)
		}
		reason, err := s.layer(ctx, l)
		if err != nil {
			return err
		}
		if reason == nil {
			s.good = true
			return nil
		}
		s.reasons = append(s.reasons, reason)
	}
	return nil
}

// layer returns why a signature does not count, or an error if nobody can tell.
func (s *search) layer(ctx context.Context, l ocispec.Descriptor) (reason, err error) {
	signature, err := base64.StdEncoding.DecodeString(l.Annotations[annotation])
	if err != nil || len(signature) == 0 {
		return fmt.Errorf("%s: the annotation %s is not base64", l.Digest, annotation), nil
	}
	payload, err := s.signatures.Content(ctx, l)
	if errors.Is(err, layer.ErrDigest) || errors.Is(err, layer.ErrNotFound) {
		return fmt.Errorf("payload: %w", err), nil
	}
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	return s.check(payload, signature), nil
}

// check is the decision. The payload is parsed only after its signature has
// been found good.
func (s *search) check(payload, signature []byte) error {
	signed := false
	for _, key := range s.keys {
		signed = signed || signedBy(key, payload, signature)
	}
	if !signed {
		return errors.New("a signature is by none of the keys")
	}
	var p struct {
		Critical struct {
			Type  string `json:"type"`
			Image struct {
				Digest digest.Digest `json:"docker-manifest-digest"`
			} `json:"image"`
		} `json:"critical"`
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return fmt.Errorf("reading the payload: %w", err)
	}
	if p.Critical.Type != signatureKind {
		return fmt.Errorf("the payload has the type %.80q", p.Critical.Type)
	}
	if p.Critical.Image.Digest != s.want {
		return fmt.Errorf("a signature is for %.80q", p.Critical.Image.Digest)
	}
	return nil
}
