package registry_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

// tarFile makes a tar file of headers, whose content is zeros.
func tarFile(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		h.Mode = 0o600
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// bomb is 10 MB that unpack to 10 GB, of files none of which is too large. A
// gzip file may have many members; so it is made in no time.
func bomb(t *testing.T) []byte {
	t.Helper()
	const size = 60 << 20
	zeros := gzipped(t, make([]byte, size))
	var buf bytes.Buffer
	for i := range 170 {
		header := tarFile(t, tar.Header{Name: fmt.Sprintf("p/%d", i), Typeflag: tar.TypeReg})[:512]
		// The size in the header is made right, with its checksum.
		copy(header[124:], fmt.Sprintf("%011o", size))
		copy(header[148:156], "        ")
		sum := 0
		for _, b := range header {
			sum += int(b)
		}
		copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
		buf.Write(gzipped(t, header))
		buf.Write(zeros)
	}
	return buf.Bytes()
}

// Content that is what its digest says, and is refused all the same.
func TestFetchHostileArchives(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	entry := func(kind byte, name, to string) tar.Header {
		return tar.Header{Typeflag: kind, Name: name, Linkname: to}
	}
	many := make([]tar.Header, 110_000)
	for i := range many {
		many[i] = entry(tar.TypeReg, fmt.Sprint(i), "")
	}
	whole := tarGz(t, packFiles("p", "1.0.0"), "p")
	tests := map[string]struct {
		data []byte
		want archive.Problem
	}{
		"traversal":        {tarFile(t, entry(tar.TypeReg, "../../etc/cron.d/x", "")), archive.BadPath},
		"absolute":         {tarFile(t, entry(tar.TypeReg, "/etc/passwd", "")), archive.BadPath},
		"symbolic link":    {tarFile(t, entry(tar.TypeSymlink, "pack.json", "/etc/passwd")), archive.Link},
		"hard link":        {tarFile(t, entry(tar.TypeLink, "pack.json", "../secret")), archive.Link},
		"device":           {tarFile(t, entry(tar.TypeBlock, "sda", "")), archive.Special},
		"fifo":             {tarFile(t, entry(tar.TypeFifo, "pack.json", "")), archive.Special},
		"bomb":             {bomb(t), archive.TooLarge},
		"many entries":     {gzipped(t, tarFile(t, many...)), archive.TooManyEntries},
		"truncated":        {whole[:len(whole)/2], archive.Truncated},
		"a second archive": {append(tarFile(t, entry(tar.TypeReg, "a", "")), tarFile(t, entry(tar.TypeReg, "b", ""))...), archive.Trailing},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pin := pushRaw(t, s, "p", nil, test.data)
			client := s.Client()
			_, err := client.Fetch(t.Context(), pin)
			var e *registry.Error
			var problem *archive.Error
			if !errors.As(err, &e) || e.Retryable() || !errors.As(err, &problem) || problem.Problem != test.want {
				t.Errorf("got %v; want %q", err, test.want)
			}
			if left := cached(t, client); len(left) != 0 {
				t.Errorf("left in the cache: %q", left)
			}
		})
	}
}

// A registry may lie in its headers; they are not believed.
func TestFetchLyingHeaders(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	other := digest.FromString("other").String()
	s.Intercept(func(registry http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			registry.ServeHTTP(&liar{w, other}, r)
		})
	})
	client := s.Client()
	got, err := client.Resolve(t.Context(), packRef("p", ""))
	if err != nil || got.Digest != pin.Digest {
		t.Errorf("got %v, %v; want %s", got, err, pin.Digest)
	}
	files, err := client.Fetch(t.Context(), pin)
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, files, packFiles("p", "1.0.0"))
}

type liar struct {
	http.ResponseWriter
	digest string
}

func (l *liar) WriteHeader(code int) {
	l.Header().Set("Docker-Content-Digest", l.digest)
	l.Header().Set("Content-Type", "text/html")
	l.ResponseWriter.WriteHeader(code)
}

func (l *liar) Write(p []byte) (int, error) {
	l.Header().Set("Docker-Content-Digest", l.digest)
	return l.ResponseWriter.Write(p)
}

// A connection that breaks in the middle leaves nothing half done.
func TestFetchTruncated(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	s.Inject(registrytest.Fault{Match: isBlob, Truncate: 50}, registrytest.Fault{Match: isBlob, Reset: true})
	client := s.Client()
	for range 2 {
		_, err := client.Fetch(t.Context(), pin)
		var e *registry.Error
		if !errors.Is(err, layer.ErrUnavailable) || !errors.As(err, &e) || !e.Retryable() {
			t.Errorf("got %v; want ErrUnavailable", err)
		}
		if left := cached(t, client); len(left) != 1 { // the manifest, which is whole
			t.Errorf("left in the cache: %q", left)
		}
	}
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Errorf("the third time: %v", err)
	}
}

func isBlob(r *http.Request) bool { return strings.Contains(r.URL.Path, "/blobs/") }

// That plain HTTP with a host is allowed does not make it the place to send
// another host's credential to.
func TestForeignRealm(t *testing.T) {
	t.Parallel()
	s, thief := registrytest.New(t), registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	thief.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			t.Errorf("the other host got %s %s with %q and %q", r.Method, r.URL, r.Header.Get("Authorization"), body)
			_, _ = w.Write([]byte(`{"token": "x"}`))
		})
	})
	s.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+thief.Host+`/token",service="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		})
	})
	client := s.Client()
	client.PlainHTTP = append(client.PlainHTTP, thief.Host)
	client.Credential = func(context.Context, string) (string, string, error) { return "me", "hunter2", nil }
	_, errFetch := client.Fetch(t.Context(), pin)
	_, errResolve := client.Resolve(t.Context(), packRef("p", ""))
	for _, err := range []error{errFetch, errResolve} {
		var e *registry.Error
		if !errors.As(err, &e) || e.Retryable() || shows(err, "hunter2") || !strings.Contains(err.Error(), "plain HTTP") {
			t.Errorf("got %v", err)
		}
	}
}

// A token realm on the same host, over TLS, is what registries have.
func TestTokenLogin(t *testing.T) {
	t.Parallel()
	s := registrytest.NewWith(t, registrytest.Options{User: "me", Password: "hunter2", Token: true, TLS: true})
	pin := pushPacks(t, s, "p", "1.0.0")
	if _, err := s.Client().Fetch(t.Context(), pin); err != nil {
		t.Error(err)
	}
	stranger := s.Client()
	stranger.Credential = func(context.Context, string) (string, string, error) { return "me", "wrong", nil }
	if _, err := stranger.Fetch(t.Context(), pin); !errors.Is(err, registry.ErrUnauthorized) || shows(err, "wrong") {
		t.Errorf("got %v; want ErrUnauthorized", err)
	}
	distrustful := s.Client()
	distrustful.HTTPClient = &http.Client{}
	var e *registry.Error
	if _, err := distrustful.Fetch(t.Context(), pin); !errors.As(err, &e) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v; want an error about the certificate", err)
	}
}
