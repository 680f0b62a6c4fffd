package notation

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
)

const (
	// artifactType is that of signatures, see
	// https://github.com/notaryproject/specifications/blob/main/specs/signature-specification.md.
	artifactType = "application/vnd.cncf.notary.signature"

	// maxSignatures bounds how many signatures are looked at, so that nobody
	// who may push can keep a client busy.
	maxSignatures = 50

	storeName = "strata"
)

// A Verifier accepts what is signed with a certificate that leads to one of
// Certificates. Set the fields before use; then it is safe for concurrent use.
type Verifier struct {
	// Certificates are trusted: roots of certificate authorities, or signing
	// certificates that signed themselves. If there is none, nothing is
	// accepted.
	Certificates []*x509.Certificate
	// TimestampCertificates are roots of time-stamping authorities. A signature
	// outlives its certificate only with a time stamp of one of them.
	TimestampCertificates []*x509.Certificate
	// Subjects limits who may have signed: distinguished names, of which the
	// signing certificate's subject has all attributes of one
	// ("C=DE, ST=BE, O=Acme"). If empty, everyone with a certificate may.
	Subjects []string
	// SkipRevocation leaves out asking the services that a certificate names
	// whether it is revoked. Without it, verifying asks them, by HTTP, also
	// when the client is offline, and fails if they do not answer.
	SkipRevocation bool
}

var _ registry.Verifier = (*Verifier)(nil)

// Verify implements [registry.Verifier]. Its errors wrap [layer.ErrSignature],
// and say of each signature that was found why it does not count.
func (v *Verifier) Verify(ctx context.Context, a registry.Artifact, signatures registry.Signatures) error {
	if len(v.Certificates) == 0 {
		return fmt.Errorf("%w: notation: Verifier.Certificates is empty", layer.ErrSignature)
	}
	checker, err := v.checker()
	if err != nil {
		return fmt.Errorf("%w: notation: %w", layer.ErrSignature, err)
	}
	list, err := signatures.Referrers(ctx, artifactType)
	if err != nil && !errors.Is(err, layer.ErrNotFound) {
		return fmt.Errorf("%w: notation: %w", layer.ErrSignature, err)
	}
	if len(list) == 0 {
		return fmt.Errorf("%w: notation: %s has no signature", layer.ErrSignature, a.Descriptor.Digest)
	}
	if len(list) > maxSignatures {
		return fmt.Errorf("%w: notation: more than %d signatures", layer.ErrSignature, maxSignatures)
	}
	var reasons []error
	for _, d := range list {
		err := check(ctx, checker, a, signatures, d)
		if err == nil {
			return nil
		}
		reasons = append(reasons, err)
	}
	return fmt.Errorf("%w: notation: no signature of %s counts: %w", layer.ErrSignature, a.Descriptor.Digest, errors.Join(reasons...))
}

// check looks at one signature. Notation's own walk through a repository is
// not used: it wants to resolve and fetch by itself.
func check(ctx context.Context, checker notation.Verifier, a registry.Artifact, signatures registry.Signatures, d ocispec.Descriptor) error {
	data, err := signatures.Content(ctx, d)
	if err != nil {
		return err
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(data, &manifest); err != nil {
		return fmt.Errorf("reading the manifest of a signature: %w", err)
	}
	if len(manifest.Layers) != 1 {
		return fmt.Errorf("the manifest of a signature has %d layers, not one", len(manifest.Layers))
	}
	envelope, err := signatures.Content(ctx, manifest.Layers[0])
	if err != nil {
		return err
	}
	_, err = checker.Verify(ctx, a.Descriptor, envelope, notation.VerifierVerifyOptions{
		ArtifactReference:  reference(a),
		SignatureMediaType: manifest.Layers[0].MediaType,
	})
	return err
}

// reference names the artifact in the form that notation wants.
func reference(a registry.Artifact) string {
	_, repository, _ := strings.Cut(a.Pin.Repository, "://")
	return repository + "@" + a.Descriptor.Digest.String()
}

// checker returns notation's verifier for one signature.
func (v *Verifier) checker() (notation.Verifier, error) {
	policy := trustpolicy.TrustPolicy{
		Name:                  storeName,
		RegistryScopes:        []string{"*"},
		SignatureVerification: trustpolicy.SignatureVerification{VerificationLevel: trustpolicy.LevelStrict.Name},
		TrustStores:           []string{"ca:" + storeName},
		TrustedIdentities:     []string{"*"},
	}
	if len(v.TimestampCertificates) > 0 {
		policy.TrustStores = append(policy.TrustStores, "tsa:"+storeName)
	}
	if v.SkipRevocation {
		policy.SignatureVerification.Override = map[trustpolicy.ValidationType]trustpolicy.ValidationAction{
			trustpolicy.TypeRevocation: trustpolicy.ActionSkip,
		}
	}
	if len(v.Subjects) > 0 {
		policy.TrustedIdentities = nil
		for _, subject := range v.Subjects {
			policy.TrustedIdentities = append(policy.TrustedIdentities, "x509.subject: "+subject)
		}
	}
	document := &trustpolicy.Document{Version: "1.0", TrustPolicies: []trustpolicy.TrustPolicy{policy}}
	// No plug-ins: they are programs, which a signature could name.
	return verifier.New(document, store{v}, nil)
}

// A store is notation's view of the certificates.
type store struct{ *Verifier }

func (s store) GetCertificates(_ context.Context, kind truststore.Type, _ string) ([]*x509.Certificate, error) {
	switch kind {
	case truststore.TypeCA:
		return slices.Clone(s.Certificates), nil
	case truststore.TypeTSA:
		return slices.Clone(s.TimestampCertificates), nil
	default:
		return nil, nil
	}
}
