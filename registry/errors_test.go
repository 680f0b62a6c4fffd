package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

func status(code int) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
}

func hangUp(http.Handler) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

// cutOff sends less than it promised.
func cutOff(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("   "))
	})
}

func TestErrorKinds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		wrap      func(http.Handler) http.Handler
		want      error // nil for none of the known
		retryable bool
	}{
		"not found":         {status(http.StatusNotFound), layer.ErrNotFound, false},
		"unauthorized":      {status(http.StatusUnauthorized), registry.ErrUnauthorized, false},
		"forbidden":         {status(http.StatusForbidden), registry.ErrUnauthorized, false},
		"too many requests": {status(http.StatusTooManyRequests), layer.ErrUnavailable, true},
		"internal error":    {status(http.StatusInternalServerError), layer.ErrUnavailable, true},
		"bad gateway":       {status(http.StatusBadGateway), layer.ErrUnavailable, true},
		"teapot":            {status(http.StatusTeapot), nil, false},
		"hangs up":          {hangUp, layer.ErrUnavailable, true},
		"cuts off":          {cutOff, layer.ErrUnavailable, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.New(t)
			pin := pushPacks(t, s, "p", "1.0.0")
			s.Intercept(test.wrap)
			_, errResolve := s.Client().Resolve(t.Context(), packRef("p", ""))
			_, errFetch := s.Client().Fetch(t.Context(), pin)
			_, errPush := s.Client().PushPack(t.Context(), "test", packFiles("p", "2.0.0"))
			failed := []error{errResolve, errFetch, errPush}
			if name == "cuts off" {
				failed = failed[:2] // pushing reads no bodies
			}
			for _, err := range failed {
				var e *registry.Error
				if !errors.As(err, &e) || test.want != nil && !errors.Is(err, test.want) || e.Retryable() != test.retryable {
					t.Errorf("got %v; want %v", err, test.want)
				}
			}
		})
	}
}

func TestRegistryDown(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	s.Close()
	client := s.Client()
	client.HTTPClient = nil // the default does not try again when nobody is there
	_, errResolve := client.Resolve(t.Context(), packRef("p", ""))
	_, errFetch := client.Fetch(t.Context(), pin)
	_, errPush := client.PushPack(t.Context(), "test", packFiles("p", "1.0.0"))
	for _, err := range []error{errResolve, errFetch, errPush} {
		var e *registry.Error
		if !errors.Is(err, layer.ErrUnavailable) || !errors.As(err, &e) || !e.Retryable() || !strings.Contains(err.Error(), s.Host) {
			t.Errorf("got %v; want ErrUnavailable that names the host", err)
		}
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	s.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	})
	var e *registry.Error
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := s.Client().Resolve(ctx, packRef("p", ""))
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) || !e.Retryable() {
		t.Errorf("deadline of the caller: got %v", err)
	}
	impatient := s.Client()
	impatient.HTTPClient.Timeout = 20 * time.Millisecond
	_, err = impatient.Resolve(t.Context(), packRef("p", ""))
	if !errors.Is(err, layer.ErrUnavailable) || !errors.As(err, &e) || !e.Retryable() {
		t.Errorf("time-out of the HTTP client: got %v", err)
	}
}

func TestDefaultClientTriesAgain(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	var once sync.Once
	s.Intercept(func(registry http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handler := registry
			once.Do(func() { handler = status(http.StatusServiceUnavailable)(nil) })
			handler.ServeHTTP(w, r)
		})
	})
	client := s.Client()
	client.HTTPClient = nil
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Error(err)
	}
}

func TestPlainHTTPOnlyWhereAskedFor(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	client := s.Client()
	client.PlainHTTP = []string{"127.0.0.1", "localhost", "other:5000"}
	_, err := client.Resolve(t.Context(), packRef("p", ""))
	var e *registry.Error
	if !errors.As(err, &e) || e.Retryable() || !strings.Contains(err.Error(), "PlainHTTP") {
		t.Errorf("got %v; want an error that names PlainHTTP", err)
	}
	if n := s.Requests(); n != 0 {
		t.Errorf("%d requests over plain HTTP", n)
	}
}

// basicAuth asks for a login, and reports what it is given.
func basicAuth(given func(r *http.Request)) func(http.Handler) http.Handler {
	return func(registry http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			given(r)
			if user, secret, ok := r.BasicAuth(); !ok || user != "me" || secret != "hunter2" {
				w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			registry.ServeHTTP(w, r)
		})
	}
}

func TestCredential(t *testing.T) {
	t.Parallel()
	s, other := registrytest.New(t), registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	s.Intercept(basicAuth(func(*http.Request) {}))
	other.Intercept(basicAuth(func(r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the other host got a credential")
		}
	}))
	credential := func(_ context.Context, host string) (string, string, error) {
		if host == s.Host {
			return "me", "hunter2", nil
		}
		return "", "", nil
	}
	client := s.Client()
	client.Credential = credential
	client.PlainHTTP = append(client.PlainHTTP, other.Host)
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Error(err)
	}
	if _, err := client.PushPack(t.Context(), "test", packFiles("p", "2.0.0")); err != nil {
		t.Error(err)
	}
	ref := packRef("p", "")
	ref.Registry = other.URL
	if _, err := client.Resolve(t.Context(), ref); !errors.Is(err, registry.ErrUnauthorized) {
		t.Errorf("got %v; want ErrUnauthorized", err)
	}

	broken := s.Client()
	broken.Credential = func(context.Context, string) (string, string, error) { return "", "", errors.New("vault sealed") }
	_, err := broken.Resolve(t.Context(), packRef("p", ""))
	if !errors.Is(err, registry.ErrUnauthorized) || !strings.Contains(err.Error(), "vault sealed") {
		t.Errorf("got %v; want ErrUnauthorized with the cause", err)
	}
}

// Credentials do not go along when a registry sends us elsewhere; and that URL,
// which may be signed, is not shown when it fails.
func TestRedirect(t *testing.T) {
	t.Parallel()
	s, storage := registrytest.New(t), registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	if pushPacks(t, storage, "p", "1.0.0") != pinAt(pin, storage) {
		t.Fatal("the storage holds something else")
	}
	s.Intercept(func(registry http.Handler) http.Handler {
		return basicAuth(func(*http.Request) {})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.URL.Path, "/blobs/") {
				registry.ServeHTTP(w, r)
				return
			}
			http.Redirect(w, r, "http://"+storage.Host+r.URL.Path+"?signature=hunter3", http.StatusTemporaryRedirect)
		}))
	})
	fetch := func(answer func(http.Handler) http.Handler) error {
		storage.Intercept(func(registry http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "" || r.URL.Query().Get("signature") != "hunter3" {
					t.Errorf("redirected to %s with %v", r.URL, r.Header)
				}
				answer(registry).ServeHTTP(w, r)
			})
		})
		client := s.Client()
		client.PlainHTTP = append(client.PlainHTTP, storage.Host)
		client.Credential = func(context.Context, string) (string, string, error) { return "me", "hunter2", nil }
		_, err := client.Fetch(t.Context(), pin)
		return err
	}
	if err := fetch(func(registry http.Handler) http.Handler { return registry }); err != nil {
		t.Error(err)
	}
	for _, answer := range []func(http.Handler) http.Handler{hangUp, cutOff, status(http.StatusBadGateway)} {
		err := fetch(answer)
		if !errors.Is(err, layer.ErrUnavailable) || shows(err, "hunter") {
			t.Errorf("got %v; want ErrUnavailable without a secret", err)
		}
	}
}

// pinAt is the same pin in another registry.
func pinAt(pin layer.Pin, s *registrytest.Server) layer.Pin {
	pin.Registry = s.URL
	pin.Repository = s.URL + "/spectro-packs/archive/" + pin.Name
	return pin
}

// shows reports whether an error, or anything in it, has a secret in its text.
func shows(err error, secret string) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
			return true
		}
	}
	return false
}

func TestSecretsInURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"oci://me:hunter2@registry.invalid/base",
		"oci://hunter2@registry.invalid/base",
		"oci://me:hunter2%zz@registry.invalid/base",
		"oci://me:hunter2 <x>@registry.invalid/base",
		"https://me:hunter2@registry.invalid/base",
		"oci://registry.invalid/base?token=hunter2",
		"oci://registry.invalid/base#hunter2",
		"me:hunter2@registry.invalid/base",
	} {
		client := &registry.Client{Registries: []registry.Registry{{Name: "main", URL: url}}}
		ref := packRef("p", "")
		_, errName := client.Resolve(t.Context(), ref)
		ref.Registry = url
		_, errURL := client.Resolve(t.Context(), ref)
		_, errPush := client.PushPack(t.Context(), url, packFiles("p", "1.0.0"))
		pin := layer.Pin{Ref: ref, Repository: url + "/p", Resolved: "1.0.0", Digest: "sha256:" + digest.Digest(strings.Repeat("0", 64))}
		_, errFetch := client.Fetch(t.Context(), pin)
		for _, err := range []error{errName, errURL, errPush, errFetch} {
			var e *registry.Error
			if !errors.As(err, &e) || e.Retryable() || shows(err, "hunter2") {
				t.Errorf("%s: got %v", url, err)
			}
		}
	}
}
