package registry_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

// cached returns the files in the cache of a client.
func cached(t *testing.T, c *registry.Client) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(c.CacheDir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// tamper changes the body of the answers whose path holds part.
func tamper(part string, change func(body []byte) []byte) func(http.Handler) http.Handler {
	return func(registry http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, part) {
				registry.ServeHTTP(w, r)
				return
			}
			answer := httptest.NewRecorder()
			registry.ServeHTTP(answer, r)
			for key, values := range answer.Header() {
				if key != "Content-Length" {
					w.Header()[key] = values
				}
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(change(answer.Body.Bytes()))
		})
	}
}

func TestFetchWrongContent(t *testing.T) {
	t.Parallel()
	flip := func(body []byte) []byte {
		body = bytes.Clone(body)
		body[len(body)/2] ^= 1
		return body
	}
	tests := map[string]struct {
		part   string
		change func([]byte) []byte
	}{
		"manifest":            {"/manifests/", flip},
		"manifest of another": {"/manifests/", func([]byte) []byte { return []byte(`{"layers": []}`) }},
		"content":             {"/blobs/", flip},
		"content too short":   {"/blobs/", func(b []byte) []byte { return b[:len(b)-1] }},
		"content too long":    {"/blobs/", func(b []byte) []byte { return append(bytes.Clone(b), 0) }},
		"content endless":     {"/blobs/", func(b []byte) []byte { return append(bytes.Clone(b), make([]byte, 64<<20)...) }},
		"nothing":             {"/blobs/", func([]byte) []byte { return nil }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.New(t)
			pin := pushPacks(t, s, "p", "1.0.0")
			s.Intercept(tamper(test.part, test.change))
			client := s.Client()
			files, err := client.Fetch(t.Context(), pin)
			var e *registry.Error
			if !errors.Is(err, layer.ErrDigest) || !errors.As(err, &e) || e.Retryable() || e.Digest != pin.Digest {
				t.Errorf("got %v, %v; want ErrDigest", files, err)
			}
			if left := cached(t, client); len(left) != 0 {
				t.Errorf("left in the cache: %q", left)
			}
		})
	}
}

func TestFetchEndlessManifest(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	s.Intercept(tamper("/manifests/", func([]byte) []byte { return make([]byte, 64<<20) }))
	client := s.Client()
	if _, err := client.Fetch(t.Context(), pin); err == nil || !strings.Contains(err.Error(), "larger than 4 MiB") {
		t.Errorf("got %v", err)
	}
	if _, err := client.Resolve(t.Context(), packRef("p", "")); err == nil || !strings.Contains(err.Error(), "larger than 4 MiB") {
		t.Errorf("got %v", err)
	}
}

func TestFetchGoesByDigest(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	client := s.Client()
	pushPacks(t, s, "p", "1.0.0")
	pin, err := client.Resolve(t.Context(), packRef("p", "1.x"))
	if err != nil {
		t.Fatal(err)
	}
	moved := packFiles("p", "1.0.0")
	moved["values.yaml"].Data = []byte("pack: {namespace: evil}")
	mover := s.Client()
	mover.Replace = true
	again, err := mover.PushPack(t.Context(), "test", moved)
	if err != nil || again.Digest == pin.Digest {
		t.Fatalf("the tag did not move: %v, %v", again, err)
	}
	files, err := client.Fetch(t.Context(), pin)
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, files, packFiles("p", "1.0.0"))
}

func TestWarmCacheMakesNoRequest(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	client := s.Client()
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Fatal(err)
	}
	before := s.Requests()
	offline := &registry.Client{CacheDir: client.CacheDir, Offline: true}
	var wg sync.WaitGroup
	for _, c := range []*registry.Client{client, client, offline, offline} {
		wg.Go(func() {
			files, err := c.Fetch(t.Context(), pin)
			if err != nil {
				t.Error(err)
				return
			}
			sameFiles(t, files, packFiles("p", "1.0.0"))
		})
	}
	wg.Wait()
	if n := s.Requests() - before; n != 0 {
		t.Errorf("%d requests with a warm cache", n)
	}
}

func TestOffline(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	client := s.Client()
	client.Offline = true
	before := s.Requests()
	_, errResolve := client.Resolve(t.Context(), packRef("p", ""))
	_, errVersions := client.Versions(t.Context(), packRef("p", ""))
	_, errFetch := client.Fetch(t.Context(), pin)
	for _, err := range []error{errResolve, errVersions, errFetch} {
		var e *registry.Error
		if !errors.Is(err, registry.ErrOffline) || !errors.Is(err, layer.ErrUnavailable) || !errors.As(err, &e) || e.Retryable() {
			t.Errorf("got %v; want ErrOffline", err)
		}
	}
	if n := s.Requests() - before; n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestDamagedCacheHeals(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	client := s.Client()
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Fatal(err)
	}
	files := cached(t, client)
	if len(files) != 2 {
		t.Fatalf("cached %q, want manifest and content", files)
	}
	for _, file := range files {
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range [][]byte{nil, good[1:], append([]byte("x"), good[1:]...)} {
			if err := os.WriteFile(file, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := client.Fetch(t.Context(), pin)
			if err != nil {
				t.Fatal(err)
			}
			sameFiles(t, got, packFiles("p", "1.0.0"))
			if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, good) {
				t.Errorf("%s did not heal: %v", file, err)
			}
		}
	}
	if left := cached(t, client); len(left) != 2 {
		t.Errorf("left in the cache: %q", left)
	}
}

// Artifacts that other tools made.
func TestFetchForeignForms(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	files := packFiles("p", "1.0.0")
	compressed := tarGz(t, files, "p-1.0.0")
	twice := func(m *ocispec.Manifest) { m.Layers = append(m.Layers, m.Layers[0]) }
	huge := func(m *ocispec.Manifest) { m.Layers[0].Size = 1 << 40 }
	index := func(m *ocispec.Manifest) { m.MediaType = ocispec.MediaTypeImageIndex }
	negative := func(m *ocispec.Manifest) { m.Layers[0].Size = -1 }
	tests := map[string]struct {
		pin  layer.Pin
		want string // in the error; if empty, it works
	}{
		"as oras push makes it": {pushRaw(t, s, "p", nil, compressed), ""},
		"not compressed":        {pushRaw(t, s, "p", nil, gunzip(t, compressed)), ""},
		"without a folder":      {pushRaw(t, s, "p", nil, tarGz(t, files, "")), ""},
		"of another name":       {pushRaw(t, s, "q", nil, compressed), `this is the pack "p", not "q"`},
		"two layers":            {pushRaw(t, s, "p", twice, compressed), "want one layer, not 2"},
		"no layer":              {pushRaw(t, s, "p", nil), "want one layer, not 0"},
		"an index":              {pushRaw(t, s, "p", index), "want one layer, not 0"},
		"no archive":            {pushRaw(t, s, "p", nil, []byte(strings.Repeat("no", 600))), "not a valid tar or gzip"},
		"cut off":               {pushRaw(t, s, "p", nil, compressed[:len(compressed)/2]), "ends too early"},
		"no pack":               {pushRaw(t, s, "p", nil, tarGz(t, os.DirFS("registrytest"), "p")), "pack.json"},
		"too large":             {pushRaw(t, s, "p", huge, compressed), "MaxBytes"},
		"negative size":         {pushRaw(t, s, "p", negative, compressed), "MaxBytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := s.Client().Fetch(t.Context(), test.pin)
			if test.want != "" {
				var e *registry.Error
				if !errors.As(err, &e) || e.Retryable() || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, %v; want an error with %q", got, err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			sameFiles(t, got, files)
		})
	}
}

func TestFetchBadPins(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	good := pushPacks(t, s, "p", "1.0.0")
	gone := good
	gone.Digest = digest.FromString("gone")
	none, traversal, elsewhere := good, good, good
	none.Digest = ""
	traversal.Digest = "sha256:../../../../etc/passwd"
	elsewhere.Repository = "ftp://example.com/p"
	for name, pin := range map[string]layer.Pin{"none": none, "traversal": traversal, "elsewhere": elsewhere, "gone": gone} {
		client := s.Client()
		_, err := client.Fetch(t.Context(), pin)
		var e *registry.Error
		if !errors.As(err, &e) || errors.Is(err, layer.ErrNotFound) != (name == "gone") {
			t.Errorf("%s: got %v", name, err)
		}
		if left := cached(t, client); len(left) != 0 {
			t.Errorf("%s: left in the cache: %q", name, left)
		}
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	warm := s.Client()
	if _, err := warm.Fetch(t.Context(), pin); err != nil {
		t.Fatal(err)
	}
	// The registry does not answer; only the context can end the call.
	s.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	})
	for name, call := range map[string]func(context.Context) error{
		"resolve":    func(ctx context.Context) error { _, err := s.Client().Resolve(ctx, packRef("p", "")); return err },
		"fetch":      func(ctx context.Context) error { _, err := s.Client().Fetch(ctx, pin); return err },
		"fetch warm": func(ctx context.Context) error { _, err := warm.Fetch(ctx, pin); return err },
		"push": func(ctx context.Context) error {
			_, err := s.Client().PushPack(ctx, "test", packFiles("p", "2.0.0"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			if name == "fetch warm" {
				cancel()
			}
			time.AfterFunc(50*time.Millisecond, cancel)
			err := call(ctx)
			var e *registry.Error
			if !errors.Is(err, context.Canceled) || errors.Is(err, layer.ErrUnavailable) || !errors.As(err, &e) || e.Retryable() {
				t.Errorf("got %v; want context.Canceled", err)
			}
		})
	}
}
