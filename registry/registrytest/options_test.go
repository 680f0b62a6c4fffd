package registrytest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

func demo() fstest.MapFS {
	return fstest.MapFS{"pack.json": {Data: []byte(`{"name": "p", "displayName": "P", "layer": "addon", "version": "1.0.0"}`)}}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]registrytest.Options{
		"basic":           {User: "me", Password: "hunter2"},
		"token":           {User: "me", Password: "hunter2", Token: true},
		"basic with TLS":  {User: "me", Password: "hunter2", TLS: true},
		"token with TLS":  {User: "me", Password: "hunter2", Token: true, TLS: true},
		"anonymous token": {Token: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.NewWith(t, options)
			pin, err := s.Client().PushPack(t.Context(), "test", demo())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Client().Fetch(t.Context(), pin); err != nil {
				t.Error(err)
			}
			if options.User == "" {
				return
			}
			for user, secret := range map[string]string{"": "", "me": "wrong"} {
				client := s.Client()
				client.Credential = func(context.Context, string) (string, string, error) { return user, secret, nil }
				_, errFetch := client.Fetch(t.Context(), pin)
				_, errPush := client.PushPack(t.Context(), "test", demo())
				if !errors.Is(errFetch, registry.ErrUnauthorized) || errPush == nil {
					t.Errorf("with the password %q: fetch %v, push %v", secret, errFetch, errPush)
				}
			}
		})
	}
}

// A token for one repository opens no other, and one to pull pushes nothing.
func TestTokenScope(t *testing.T) {
	t.Parallel()
	s := registrytest.NewWith(t, registrytest.Options{Token: true})
	web := "http://" + s.Host
	status, body := get(t, web+"/token?scope=repository:a/b:pull", "")
	token, _, _ := strings.Cut(strings.TrimPrefix(body, `{"token":"`), `"`)
	if status != http.StatusOK || token == "" {
		t.Fatalf("status %d, %s", status, body)
	}
	for path, want := range map[string]int{
		"/v2/a/b/tags/list":   http.StatusNotFound, // allowed, and empty
		"/v2/a/bc/tags/list":  http.StatusUnauthorized,
		"/v2/a/tags/list":     http.StatusUnauthorized,
		"/v2/a/b/c/tags/list": http.StatusUnauthorized,
	} {
		if got, _ := get(t, web+path, token); got != want {
			t.Errorf("%s: status %d, want %d", path, got, want)
		}
	}
	if got, _ := get(t, web+"/v2/", ""); got != http.StatusUnauthorized {
		t.Errorf("without a token: status %d", got)
	}
}

func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestLatency(t *testing.T) {
	t.Parallel()
	s := registrytest.NewWith(t, registrytest.Options{Latency: 50 * time.Millisecond})
	begun := time.Now()
	get(t, "http://"+s.Host+"/v2/", "")
	if took := time.Since(begun); took < 50*time.Millisecond {
		t.Errorf("answered after %s", took)
	}
}

func TestCharts(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]registrytest.Options{"open": {}, "login and TLS": {User: "me", Password: "hunter2", TLS: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.Charts = fstest.MapFS{
				"a-1/Chart.yaml": {Data: []byte("apiVersion: v2\nname: a\nversion: 1.0.0\n")},
				"a-2/Chart.yaml": {Data: []byte("apiVersion: v2\nname: a\nversion: 1.1.0\n")},
			}
			s := registrytest.NewWith(t, options)
			pin, err := s.Client().Resolve(t.Context(), layer.Ref{Format: layer.FormatHelm, Registry: s.HelmURL, Name: "a", Version: "1.x"})
			if err != nil || pin.Resolved != "1.1.0" {
				t.Fatalf("got %v, %v", pin, err)
			}
			files, err := s.Client().Fetch(t.Context(), pin)
			if err != nil {
				t.Fatal(err)
			}
			if err := fstest.TestFS(files, "Chart.yaml"); err != nil {
				t.Error(err)
			}
		})
	}
	broken := fstest.MapFS{"x/values.yaml": {}}
	if s, err := registrytest.StartWith(registrytest.Options{Charts: broken}); err == nil {
		t.Errorf("a chart without Chart.yaml is served: %v", s.Close())
	}
}

func TestInject(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	url := "http://" + s.Host + "/v2/"
	s.Inject(
		registrytest.Fault{Match: func(r *http.Request) bool { return r.URL.Path == "/other" }, Times: -1, Reset: true},
		registrytest.Fault{Skip: 1, Times: 2, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"7"}}},
	)
	for i, want := range []int{200, 429, 429, 200, 200} {
		status, body := get(t, url, "")
		if status != want {
			t.Errorf("request %d: status %d, %q; want %d", i, status, body, want)
		}
	}
	s.Inject(registrytest.Fault{Change: func([]byte) []byte { return []byte("changed") }})
	if _, body := get(t, url, ""); body != "changed" {
		t.Errorf("got %q", body)
	}
	try := func(f registrytest.Fault) error {
		s.Inject(f)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
		return err
	}
	if err := try(registrytest.Fault{Reset: true, Times: -1}); !errors.Is(err, io.EOF) {
		t.Errorf("reset: got %v", err)
	}
	if err := try(registrytest.Fault{Hang: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hang: got %v", err)
	}
	if err := try(registrytest.Fault{Truncate: 1, Change: func([]byte) []byte { return make([]byte, 100) }}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("truncate: got %v", err)
	}
	if err := try(registrytest.Fault{Delay: 10 * time.Millisecond}); err != nil {
		t.Errorf("delay: got %v", err)
	}
	s.Inject()
	if status, _ := get(t, url, ""); status != http.StatusOK {
		t.Errorf("afterwards: status %d", status)
	}
}
