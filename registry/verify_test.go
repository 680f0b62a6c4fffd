package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

type verifierFunc func(context.Context, registry.Artifact, registry.Signatures) error

func (f verifierFunc) Verify(ctx context.Context, a registry.Artifact, s registry.Signatures) error {
	return f(ctx, a, s)
}

func TestVerifierIsAskedFirst(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	manifest := rawGet(t, s, "spectro-packs/archive/p/manifests/"+pin.Digest.String())
	client := s.Client()
	answer := errors.New("not today")
	before, calls := s.Requests(), 0
	client.Verifier = verifierFunc(func(_ context.Context, a registry.Artifact, _ registry.Signatures) error {
		calls++
		left := files(t, filepath.Join(client.CacheDir, "blobs"))
		if n := s.Requests() - before; n > 1 || len(left) > 0 {
			t.Errorf("asked after %d requests, with %q in the cache", n, left)
		}
		if a.Pin != pin || a.Descriptor.Digest != pin.Digest || a.Descriptor.Size != int64(len(manifest)) ||
			a.Descriptor.MediaType != ocispec.MediaTypeImageManifest {
			t.Errorf("asked about %+v", a)
		}
		return answer
	})
	_, err := client.Fetch(t.Context(), pin)
	if !errors.Is(err, layer.ErrSignature) || !errors.Is(err, answer) || calls != 1 {
		t.Errorf("got %v after %d calls; want ErrSignature with the cause", err, calls)
	}
	if left := cached(t, client); len(left) != 0 {
		t.Errorf("left in the cache: %q", left)
	}
	answer = nil
	before = s.Requests()
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Error(err)
	}
}

// A Verifier is asked again when everything is in the cache.
func TestVerifierIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	client := s.Client()
	var calls atomic.Int32
	client.Verifier = verifierFunc(func(ctx context.Context, a registry.Artifact, signatures registry.Signatures) error {
		if calls.Add(1) > 1 {
			return errors.New("expired")
		}
		return nil
	})
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Fetch(t.Context(), pin); !errors.Is(err, layer.ErrSignature) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("got %v; want ErrSignature", err)
	}
}

// A registry cannot fill the memory with what it calls signatures.
func TestVerifierReadsWithinBounds(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	s.Intercept(func(registry http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/manifests/sig") {
				_, _ = w.Write(make([]byte, 4<<20))
				return
			}
			registry.ServeHTTP(w, r)
		})
	})
	client := s.Client()
	var read int
	client.Verifier = verifierFunc(func(ctx context.Context, _ registry.Artifact, signatures registry.Signatures) error {
		for i := range 100 {
			data, err := signatures.Tagged(ctx, fmt.Sprintf("sig%d", i))
			if err != nil {
				return err
			}
			read += len(data)
		}
		return nil
	})
	if _, err := client.Fetch(t.Context(), pin); !errors.Is(err, layer.ErrSignature) || !strings.Contains(err.Error(), "64 MiB") || read > 64<<20 {
		t.Errorf("got %v after %d bytes", err, read)
	}
}

// What can have no signature is refused by a client with a Verifier.
func TestVerifierRefusesClassicRepositories(t *testing.T) {
	t.Parallel()
	s := registrytest.NewWith(t, registrytest.Options{Charts: fstest.MapFS{
		"web/Chart.yaml": {Data: []byte("apiVersion: v2\nname: web\nversion: 1.0.0\n")}}})
	client := s.Client()
	client.Verifier = verifierFunc(func(context.Context, registry.Artifact, registry.Signatures) error { return nil })
	pin, err := client.Resolve(t.Context(), layer.Ref{Format: layer.FormatHelm, Registry: s.HelmURL, Name: "web"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Fetch(t.Context(), pin); !errors.Is(err, layer.ErrSignature) {
		t.Errorf("got %v; want ErrSignature", err)
	}
	warm := s.Client()
	if _, err := warm.Fetch(t.Context(), pin); err != nil {
		t.Fatal(err)
	}
	client.CacheDir = warm.CacheDir
	if _, err := client.Fetch(t.Context(), pin); !errors.Is(err, layer.ErrSignature) {
		t.Errorf("from the cache: got %v; want ErrSignature", err)
	}
}
