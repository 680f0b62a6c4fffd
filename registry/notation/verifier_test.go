package notation_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/notaryproject/notation-core-go/signature/cose"
	"github.com/notaryproject/notation-core-go/signature/jws"
	notationgo "github.com/notaryproject/notation-go"
	notationregistry "github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/signer"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/notation"
	"github.com/strata-go/strata/registry/registrytest"
)

// An authority issues signing certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func issue(t *testing.T, template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func subject(name string) pkix.Name {
	return pkix.Name{CommonName: name, Country: []string{"DE"}, Province: []string{"BE"}, Organization: []string{name}}
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: subject("Root"), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return authority{key, issue(t, template, template, key, key)}
}

// signer returns a signer with a certificate that is valid for some time.
func (a authority) signer(t *testing.T, name string, valid time.Duration) notationgo.Signer {
	t.Helper()
	key := newKey(t)
	cert := issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: subject(name), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(valid),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}, a.cert, key, a.key)
	s, err := signer.NewGenericSigner(key, []*x509.Certificate{cert, a.cert})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A fixture is a registry with a pack in it.
type fixture struct {
	*registrytest.Server
	pin  layer.Pin
	desc ocispec.Descriptor
	repo *remote.Repository
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	f := fixture{Server: registrytest.New(t)}
	var err error
	f.repo, err = remote.NewRepository(f.Host + "/spectro-packs/archive/p")
	if err != nil {
		t.Fatal(err)
	}
	f.repo.PlainHTTP = true
	f.pin, f.desc = f.push(t, "1.0.0")
	return f
}

func (f fixture) push(t *testing.T, version string) (layer.Pin, ocispec.Descriptor) {
	t.Helper()
	pin, err := f.Client().PushPack(t.Context(), "test", fstest.MapFS{"pack.json": {
		Data: fmt.Appendf(nil, `{"name": "p", "displayName": "P", "layer": "addon", "version": %q}`, version)}})
	if err != nil {
		t.Fatal(err)
	}
	desc, err := f.repo.Resolve(t.Context(), pin.Digest.String())
	if err != nil {
		t.Fatal(err)
	}
	return pin, desc
}

func sign(t *testing.T, s notationgo.Signer, desc ocispec.Descriptor, mediaType string, expiry time.Duration) []byte {
	t.Helper()
	envelope, _, err := s.Sign(t.Context(), desc, notationgo.SignerSignOptions{SignatureMediaType: mediaType, ExpiryDuration: expiry})
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

// attach stores a signature as notation does.
func (f fixture) attach(t *testing.T, mediaType string, envelope []byte) {
	t.Helper()
	_, _, err := notationregistry.NewRepository(f.repo).PushSignature(t.Context(), mediaType, envelope, f.desc, map[string]string{
		ocispec.AnnotationCreated: time.Now().Format(time.RFC3339)})
	if err != nil {
		t.Fatal(err)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for _, mediaType := range []string{jws.MediaTypeEnvelope, cose.MediaTypeEnvelope} {
		t.Run(mediaType, func(t *testing.T) {
			t.Parallel()
			f, ca := newFixture(t), newAuthority(t)
			f.attach(t, mediaType, sign(t, newAuthority(t).signer(t, "Mallory", time.Hour), f.desc, mediaType, 0))
			f.attach(t, mediaType, sign(t, ca.signer(t, "Acme", time.Hour), f.desc, mediaType, 0))
			client := f.Client()
			client.Verifier = &notation.Verifier{
				Certificates: []*x509.Certificate{newAuthority(t).cert, ca.cert},
				Subjects:     []string{"C=DE, ST=BE, O=Other", "C=DE, ST=BE, O=Acme"},
			}
			if _, err := client.Fetch(t.Context(), f.pin); err != nil {
				t.Fatal(err)
			}
			before := f.Requests()
			client.Offline = true
			if _, err := client.Fetch(t.Context(), f.pin); err != nil {
				t.Errorf("from the cache: %v", err)
			}
			if n := f.Requests() - before; n != 0 {
				t.Errorf("%d requests with a warm cache", n)
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	const mediaType = jws.MediaTypeEnvelope
	ca := newAuthority(t)
	tests := map[string]struct {
		attach   func(t *testing.T, f fixture)
		reason   string
		subjects []string
	}{
		"missing": {attach: func(*testing.T, fixture) {}, reason: "has no signature"},
		"another authority": {attach: func(t *testing.T, f fixture) {
			f.attach(t, mediaType, sign(t, newAuthority(t).signer(t, "Acme", time.Hour), f.desc, mediaType, 0))
		}, reason: "does not contain any trusted certificate"},
		"another subject": {attach: func(t *testing.T, f fixture) {
			f.attach(t, mediaType, sign(t, ca.signer(t, "Mallory", time.Hour), f.desc, mediaType, 0))
		}, reason: "does not match the X.509 trusted identities", subjects: []string{"C=DE, ST=BE, O=Acme"}},
		"another artifact's": {attach: func(t *testing.T, f fixture) {
			_, other := f.push(t, "2.0.0")
			f.attach(t, mediaType, sign(t, ca.signer(t, "Acme", time.Hour), other, mediaType, 0))
		}, reason: "descriptor mismatch"},
		"expired signature": {attach: func(t *testing.T, f fixture) {
			f.attach(t, mediaType, sign(t, ca.signer(t, "Acme", time.Hour), f.desc, mediaType, time.Second))
			time.Sleep(1500 * time.Millisecond)
		}, reason: "expired"},
		"expired certificate": {attach: func(t *testing.T, f fixture) {
			f.attach(t, mediaType, sign(t, ca.signer(t, "Acme", 2*time.Second), f.desc, mediaType, 0))
			time.Sleep(2500 * time.Millisecond)
		}, reason: "expired"},
		"tampered payload": {attach: func(t *testing.T, f fixture) {
			_, other := f.push(t, "2.0.0")
			ours := sign(t, ca.signer(t, "Acme", time.Hour), other, mediaType, 0)
			theirs := sign(t, newAuthority(t).signer(t, "Acme", time.Hour), f.desc, mediaType, 0)
			f.attach(t, mediaType, bytes.Replace(ours, part(t, ours, "payload"), part(t, theirs, "payload"), 1))
		}, reason: "signature"},
		"not an envelope": {attach: func(t *testing.T, f fixture) { f.attach(t, mediaType, []byte("{}")) }, reason: "signature"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			test.attach(t, f)
			client := f.Client()
			client.Verifier = &notation.Verifier{Certificates: []*x509.Certificate{ca.cert}, Subjects: test.subjects}
			refused(t, client, f.pin, test.reason)
		})
	}
}

// part returns a field of a JWS envelope as it stands there.
func part(t *testing.T, envelope []byte, field string) []byte {
	t.Helper()
	_, rest, ok := bytes.Cut(envelope, []byte(`"`+field+`":"`))
	value, _, end := bytes.Cut(rest, []byte(`"`))
	if !ok || !end {
		t.Fatalf("no %s in %s", field, envelope)
	}
	return value
}

func TestVerifyFailsClosed(t *testing.T) {
	t.Parallel()
	f, ca := newFixture(t), newAuthority(t)
	f.attach(t, jws.MediaTypeEnvelope, sign(t, ca.signer(t, "Acme", time.Hour), f.desc, jws.MediaTypeEnvelope, 0))
	nobody := f.Client()
	nobody.Verifier = &notation.Verifier{}
	refused(t, nobody, f.pin, "Certificates is empty")
	odd := f.Client()
	odd.Verifier = &notation.Verifier{Certificates: []*x509.Certificate{ca.cert}, Subjects: []string{"nonsense"}}
	refused(t, odd, f.pin, "nonsense")
	f.Intercept(func(registry http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/referrers/") {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			registry.ServeHTTP(w, r)
		})
	})
	client := f.Client()
	client.Verifier = &notation.Verifier{Certificates: []*x509.Certificate{ca.cert}}
	refused(t, client, f.pin, "registry unavailable")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Fetch(ctx, f.pin); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
}

// refused checks that a fetch fails as it should, and leaves nothing behind.
func refused(t *testing.T, client *registry.Client, pin layer.Pin, reason string) {
	t.Helper()
	files, err := client.Fetch(t.Context(), pin)
	var e *registry.Error
	if files != nil || !errors.Is(err, layer.ErrSignature) || !errors.As(err, &e) || e.Digest != pin.Digest || !strings.Contains(err.Error(), reason) {
		t.Errorf("got %v, %v; want ErrSignature with %q", files, err, reason)
	}
	_ = filepath.WalkDir(client.CacheDir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("left in the cache: %s", path)
		}
		return nil
	})
}
