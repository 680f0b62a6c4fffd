package cosign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/cosign"
	"github.com/strata-go/strata/registry/registrytest"
)

const (
	payloadType  = "application/vnd.dev.cosign.simplesigning.v1+json"
	artifactType = "application/vnd.dev.cosign.artifact.sig.v1+json"
	annotation   = "dev.cosignproject.cosign/signature"
)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// verifier goes by way of the file that cosign writes.
func verifier(t *testing.T, keys ...crypto.Signer) *cosign.Verifier {
	t.Helper()
	var file []byte
	for _, key := range keys {
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		file = append(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...)
	}
	public, err := cosign.ParseKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	return &cosign.Verifier{Keys: public}
}

// payload is what cosign signs for a digest.
func payload(d digest.Digest) []byte {
	return fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":"example.com/p"},"image":{"docker-manifest-digest":"%s"},`+
		`"type":"cosign container image signature"},"optional":null}`, d)
}

func sign(t *testing.T, key crypto.Signer, data []byte) string {
	t.Helper()
	message, hash := data, crypto.Hash(0)
	if _, pure := key.(ed25519.PrivateKey); !pure {
		sum := sha256.Sum256(data)
		message, hash = sum[:], crypto.SHA256
	}
	signature, err := key.Sign(rand.Reader, message, hash)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

// A signed is a payload with its signature.
type signed struct {
	payload   []byte
	signature string
}

// A fixture is a registry with a pack in it.
type fixture struct {
	*registrytest.Server
	pin  layer.Pin
	repo *remote.Repository
}

func newFixture(t *testing.T, version string) fixture {
	t.Helper()
	s := registrytest.New(t)
	f := fixture{Server: s, pin: push(t, s, version)}
	repo, err := remote.NewRepository(strings.TrimPrefix(f.pin.Repository, "oci://"))
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	f.repo = repo
	return f
}

func push(t *testing.T, s *registrytest.Server, version string) layer.Pin {
	t.Helper()
	pin, err := s.Client().PushPack(t.Context(), "test", fstest.MapFS{"pack.json": {
		Data: fmt.Appendf(nil, `{"name": "p", "displayName": "P", "layer": "addon", "version": %q}`, version)}})
	if err != nil {
		t.Fatal(err)
	}
	return pin
}

func (f fixture) blob(t *testing.T, mediaType string, data []byte) ocispec.Descriptor {
	t.Helper()
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	if err := f.repo.Push(t.Context(), d, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return d
}

// attach stores signatures under the tag for a digest, or, without a tag, as
// a referrer of subject.
func (f fixture) attach(t *testing.T, tag string, subject *ocispec.Descriptor, signatures ...signed) {
	t.Helper()
	manifest := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Subject: subject}
	manifest.SchemaVersion = 2
	manifest.Config = f.blob(t, "application/vnd.oci.image.config.v1+json", []byte("{}"))
	if subject != nil {
		manifest.ArtifactType = artifactType
	}
	for _, s := range signatures {
		d := f.blob(t, payloadType, s.payload)
		d.Annotations = map[string]string{annotation: s.signature}
		manifest.Layers = append(manifest.Layers, d)
	}
	data, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	d := f.blob(t, ocispec.MediaTypeImageManifest, data)
	if tag == "" {
		return
	}
	if err := f.repo.Tag(t.Context(), d, tag); err != nil {
		t.Fatal(err)
	}
}

func sigTag(d digest.Digest) string { return "sha256-" + d.Encoded() + ".sig" }

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

func TestVerify(t *testing.T) {
	t.Parallel()
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"ECDSA": newKey(t), "Ed25519": edwards, "RSA": large} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "1.0.0")
			good, other := payload(f.pin.Digest), newKey(t)
			f.attach(t, sigTag(f.pin.Digest), nil,
				signed{good, sign(t, other, good)}, signed{good, sign(t, key, good)})
			client := f.Client()
			client.Verifier = verifier(t, newKey(t), key)
			if _, err := client.Fetch(t.Context(), f.pin); err != nil {
				t.Fatal(err)
			}
			// Again, from the cache alone; and not with other keys.
			before := f.Requests()
			client.Offline = true
			if _, err := client.Fetch(t.Context(), f.pin); err != nil {
				t.Error(err)
			}
			client.Verifier = verifier(t, newKey(t))
			if _, err := client.Fetch(t.Context(), f.pin); !errors.Is(err, layer.ErrSignature) {
				t.Errorf("got %v; want ErrSignature", err)
			}
			if n := f.Requests() - before; n != 0 {
				t.Errorf("%d requests with a warm cache", n)
			}
		})
	}
}

func TestVerifyReferrer(t *testing.T) {
	t.Parallel()
	f, key := newFixture(t, "1.0.0"), newKey(t)
	subject, err := f.repo.Resolve(t.Context(), f.pin.Digest.String())
	if err != nil {
		t.Fatal(err)
	}
	good := payload(f.pin.Digest)
	f.attach(t, "", &subject, signed{good, sign(t, key, good)})
	client := f.Client()
	client.Verifier = verifier(t, key)
	if _, err := client.Fetch(t.Context(), f.pin); err != nil {
		t.Error(err)
	}
	// Referrers are found on registries without the API, too.
	f.Intercept(func(registry http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/referrers/") {
				http.NotFound(w, r)
				return
			}
			registry.ServeHTTP(w, r)
		})
	})
	client = f.Client()
	client.Verifier = verifier(t, key)
	refused(t, client, f.pin, "no signature")
	index, err := json.Marshal(ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: f.referrers(t, subject)})
	if err != nil {
		t.Fatal(err)
	}
	d := f.blob(t, ocispec.MediaTypeImageIndex, index)
	if err := f.repo.Tag(t.Context(), d, "sha256-"+f.pin.Digest.Encoded()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Fetch(t.Context(), f.pin); err != nil {
		t.Error(err)
	}
}

// referrers lists them by the API, which is off for others.
func (f fixture) referrers(t *testing.T, subject ocispec.Descriptor) (list []ocispec.Descriptor) {
	t.Helper()
	f.Intercept(nil)
	defer f.Intercept(func(registry http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/referrers/") {
				http.NotFound(w, r)
				return
			}
			registry.ServeHTTP(w, r)
		})
	})
	repo, err := remote.NewRepository(f.repo.Reference.Registry + "/" + f.repo.Reference.Repository)
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	err = repo.Referrers(t.Context(), subject, "", func(page []ocispec.Descriptor) error {
		list = append(list, page...)
		return nil
	})
	if err != nil || len(list) != 1 {
		t.Fatalf("referrers %v, %v", list, err)
	}
	return list
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	tests := map[string]struct {
		attach func(t *testing.T, f fixture)
		reason string
	}{
		"missing": {func(*testing.T, fixture) {}, "has no signature"},
		"wrong key": {func(t *testing.T, f fixture) {
			p := payload(f.pin.Digest)
			f.attach(t, sigTag(f.pin.Digest), nil, signed{p, sign(t, newKey(t), p)})
		}, "none of the keys"},
		"another artifact's": {func(t *testing.T, f fixture) {
			p := payload(push(t, f.Server, "2.0.0").Digest)
			f.attach(t, sigTag(f.pin.Digest), nil, signed{p, sign(t, key, p)})
		}, "a signature is for"},
		"tampered payload": {func(t *testing.T, f fixture) {
			signature := sign(t, key, payload(digest.FromString("other")))
			f.attach(t, sigTag(f.pin.Digest), nil, signed{payload(f.pin.Digest), signature})
		}, "none of the keys"},
		"payload swapped on the way": {func(t *testing.T, f fixture) {
			other := payload(digest.FromString("other"))
			f.attach(t, sigTag(f.pin.Digest), nil, signed{other, sign(t, key, other)})
			f.Intercept(func(registry http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, digest.FromBytes(other).String()) {
						_, _ = w.Write(payload(f.pin.Digest))
						return
					}
					registry.ServeHTTP(w, r)
				})
			})
		}, "does not match its digest"},
		"tag moved": {func(t *testing.T, f fixture) {
			good := payload(f.pin.Digest)
			f.attach(t, sigTag(f.pin.Digest), nil, signed{good, sign(t, key, good)})
			evil := payload(push(t, f.Server, "6.6.6").Digest)
			f.attach(t, sigTag(f.pin.Digest), nil, signed{evil, sign(t, key, evil)})
		}, "a signature is for"},
		"of another type": {func(t *testing.T, f fixture) {
			p := bytes.Replace(payload(f.pin.Digest), []byte("cosign container image signature"), []byte("atomic container signature"), 1)
			f.attach(t, sigTag(f.pin.Digest), nil, signed{p, sign(t, key, p)})
		}, "atomic container signature"},
		"no digest in it": {func(t *testing.T, f fixture) {
			p := []byte(`{"critical": {"type": "cosign container image signature"}}`)
			f.attach(t, sigTag(f.pin.Digest), nil, signed{p, sign(t, key, p)})
		}, "a signature is for"},
		"no signature in it": {func(t *testing.T, f fixture) {
			f.attach(t, sigTag(f.pin.Digest), nil, signed{payload(f.pin.Digest), ""})
		}, "not base64"},
		"too many": {func(t *testing.T, f fixture) {
			p := payload(f.pin.Digest)
			many := make([]signed, 101)
			for i := range many {
				many[i] = signed{p, sign(t, newKey(t), p)}
			}
			f.attach(t, sigTag(f.pin.Digest), nil, many...)
		}, "more than 100"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "1.0.0")
			test.attach(t, f)
			client := f.Client()
			client.Verifier = verifier(t, key)
			refused(t, client, f.pin, test.reason)
		})
	}
}

// When nobody can tell, the answer is no, and that trying again may help.
func TestVerifyFailsClosed(t *testing.T) {
	t.Parallel()
	f, key := newFixture(t, "1.0.0"), newKey(t)
	good := payload(f.pin.Digest)
	f.attach(t, sigTag(f.pin.Digest), nil, signed{good, sign(t, key, good)})
	warm := f.Client() // has the content, and has not verified it
	if _, err := warm.Fetch(t.Context(), f.pin); err != nil {
		t.Fatal(err)
	}
	f.Intercept(func(registry http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ".sig") {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			registry.ServeHTTP(w, r)
		})
	})
	cold := f.Client()
	cold.Verifier = verifier(t, key)
	refused(t, cold, f.pin, "registry unavailable")
	offline := &registry.Client{CacheDir: warm.CacheDir, Offline: true, Verifier: cold.Verifier}
	noKeys := f.Client()
	noKeys.Verifier = &cosign.Verifier{}
	refused(t, noKeys, f.pin, "Keys is empty")
	warm = &registry.Client{CacheDir: warm.CacheDir, PlainHTTP: warm.PlainHTTP, HTTPClient: &http.Client{}, Verifier: cold.Verifier}
	for _, client := range []*registry.Client{warm, offline} {
		_, err := client.Fetch(t.Context(), f.pin)
		var e *registry.Error
		if !errors.Is(err, layer.ErrSignature) || !errors.Is(err, layer.ErrUnavailable) || !errors.As(err, &e) || e.Retryable() == client.Offline {
			t.Errorf("offline %v: got %v", client.Offline, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := warm.Fetch(ctx, f.pin); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
}

// What a registry said is kept only to save asking; somebody who can write to
// the cache cannot make anything count.
func TestVerifyDistrustsTheCache(t *testing.T) {
	t.Parallel()
	f, key := newFixture(t, "1.0.0"), newKey(t)
	good := payload(f.pin.Digest)
	f.attach(t, sigTag(f.pin.Digest), nil, signed{good, sign(t, key, good)})
	client := f.Client()
	client.Verifier = verifier(t, key)
	if _, err := client.Fetch(t.Context(), f.pin); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(client.CacheDir, "signatures", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("kept %q, %v", files, err)
	}
	kept, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"empty": nil, "not JSON": []byte("{"), "other": []byte(`{"tag x": "eA=="}`),
		"changed": bytes.ReplaceAll(kept, []byte("A"), []byte("B"))} {
		if err := os.WriteFile(files[0], bad, 0o600); err != nil {
			t.Fatal(err)
		}
		offline := &registry.Client{CacheDir: client.CacheDir, Offline: true, Verifier: client.Verifier}
		if _, err := offline.Fetch(t.Context(), f.pin); !errors.Is(err, layer.ErrSignature) {
			t.Errorf("%s: got %v; want ErrSignature", name, err)
		}
		if _, err := client.Fetch(t.Context(), f.pin); err != nil {
			t.Errorf("%s: it does not heal: %v", name, err)
		}
	}
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(small.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{
		"nothing":     nil,
		"text":        []byte("hello"),
		"private key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"garbage":     pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}),
		"small RSA":   pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	} {
		if keys, err := cosign.ParseKeys(file); err == nil {
			t.Errorf("%s: got %v", name, keys)
		}
	}
}

// What is exported with a Verifier is accepted by it where it is imported.
func TestExportTakesSignaturesAlong(t *testing.T) {
	t.Parallel()
	f, key := newFixture(t, "1.0.0"), newKey(t)
	good := payload(f.pin.Digest)
	f.attach(t, sigTag(f.pin.Digest), nil, signed{good, sign(t, key, good)})

	byReferrer := push(t, f.Server, "2.0.0")
	subject, err := f.repo.Resolve(t.Context(), byReferrer.Digest.String())
	if err != nil {
		t.Fatal(err)
	}
	other := payload(byReferrer.Digest)
	f.attach(t, "", &subject, signed{other, sign(t, key, other)})

	client := f.Client()
	client.Verifier = verifier(t, key)
	dst := filepath.Join(t.TempDir(), "out.tar")
	pins := []layer.Pin{f.pin, byReferrer}
	if err := client.Export(t.Context(), pins, dst, registry.ExportOptions{}); err != nil {
		t.Fatal(err)
	}
	stranger := f.Client()
	stranger.Verifier = verifier(t, newKey(t))
	if err := stranger.Export(t.Context(), pins, dst+".2", registry.ExportOptions{}); !errors.Is(err, layer.ErrSignature) {
		t.Errorf("got %v; want ErrSignature", err)
	}
	inside := registrytest.New(t)
	mirrors, err := inside.Client().Import(t.Context(), dst, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pin := range pins {
		client := inside.Client()
		client.Mirrors = mirrors
		client.Verifier = verifier(t, key)
		if _, err := client.Fetch(t.Context(), pin); err != nil {
			t.Error(err)
		}
		client = inside.Client()
		client.Mirrors = mirrors
		client.Verifier = verifier(t, newKey(t))
		refused(t, client, pin, "none of the keys")
	}
}
