package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

func chartFiles(version string) fstest.MapFS {
	return fstest.MapFS{
		"Chart.yaml":       {Data: []byte("apiVersion: v2\nname: web\nversion: " + version + "\n")},
		"templates/a.yaml": {Data: []byte("# " + version)},
	}
}

// charts serves files, as a classic Helm repository does.
func charts(t *testing.T, files map[string][]byte) (client *registry.Client, host string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(server.Close)
	host = strings.TrimPrefix(server.URL, "http://")
	return &registry.Client{
		Registries: []registry.Registry{{Name: "charts", URL: server.URL + "/stable/"}},
		PlainHTTP:  []string{host},
		HTTPClient: &http.Client{},
		Credential: func(context.Context, string) (string, string, error) { return "", "", nil },
		CacheDir:   t.TempDir(),
	}, host
}

func chartRef(constraint string) layer.Ref {
	return layer.Ref{Format: layer.FormatHelm, Registry: "charts", Name: "web", Version: constraint}
}

// classicIndex is the index of a repository, with entries that are broken.
func classicIndex(host string, sum func(version string) string) []byte {
	wrong := strings.Repeat("0", 63)
	return []byte(`apiVersion: v1
generated: now
entries:
  other: [{version: 9.9.9, urls: [other-9.9.9.tgz]}]
  broken: nonsense
  web:
  - {version: 1.0.0, urls: [web-1.0.0.tgz], digest: ` + sum("1.0.0") + `}
  - {version: 1.1.0, urls: [sub/web-1.1.0.tgz], digest: "sha256:` + sum("1.1.0") + `"}
  - {version: 1.2.0+up1, urls: ["http://` + host + `/elsewhere/web-1.2.0+up1.tgz"]}
  - {version: 2.0.0-rc.1, urls: [/stable/web-2.0.0-rc.1.tgz], digest: ` + sum("2.0.0-rc.1") + `}
  - {version: 0.9.0, urls: [web-0.9.0.tgz], digest: ` + wrong + `1}
  # Broken in some way:
  -
  - nonsense
  - {version: [1], urls: [x.tgz]}
  - {urls: [web.tgz]}
  - {version: 3.0.0}
  - {version: 3.0.1, urls: []}
  - {version: 3.0.2, urls: ["ftp://example.com/x.tgz"]}
  - {version: 3.0.3, urls: ["https://me:secret@example.com/x.tgz"]}
  - {version: 3.0.4, urls: [web.tgz], digest: nonsense}
  - {version: 1.0.0, urls: [second.tgz], digest: ` + sum("1.1.0") + `}
  - {version: 0.7.0, urls: [missing.tgz], digest: ` + wrong + `2}
  - {version: what, urls: [x.tgz]}
`)
}

func TestClassicRepository(t *testing.T) {
	t.Parallel()
	tgz := map[string][]byte{}
	for _, v := range []string{"1.0.0", "1.1.0", "1.2.0+up1", "2.0.0-rc.1", "0.9.0"} {
		tgz[v] = tarGz(t, chartFiles(v), "web")
	}
	files := map[string][]byte{
		"/stable/web-1.0.0.tgz":        tgz["1.0.0"],
		"/stable/sub/web-1.1.0.tgz":    tgz["1.1.0"],
		"/elsewhere/web-1.2.0+up1.tgz": tgz["1.2.0+up1"],
		"/stable/web-2.0.0-rc.1.tgz":   tgz["2.0.0-rc.1"],
		"/stable/web-0.9.0.tgz":        tgz["0.9.0"],
	}
	client, host := charts(t, files)
	sum := func(v string) string { return digest.FromBytes(tgz[v]).Encoded() }
	files["/stable/index.yaml"] = classicIndex(host, sum)
	var log bytes.Buffer
	client.Logger = slog.New(slog.NewTextHandler(&log, nil))

	got, err := client.Versions(t.Context(), chartRef(""))
	if want := []string{"1.2.0+up1", "1.1.0", "1.0.0", "0.9.0", "0.7.0"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if n := strings.Count(log.String(), "skipping an entry"); n != 10 || strings.Contains(log.String(), "secret") {
		t.Errorf("%d warnings, want 10:\n%s", n, &log)
	}
	for constraint, v := range map[string]string{"": "1.2.0+up1", "1.1.x": "1.1.0", "1.0": "1.0.0", "2.0.0-rc.1": "2.0.0-rc.1"} {
		pin, err := client.Resolve(t.Context(), chartRef(constraint))
		want := layer.Pin{
			Ref: chartRef(constraint), Repository: "http://" + host + "/stable", Resolved: v, Digest: digest.FromBytes(tgz[v]),
		}
		if err != nil || pin != want {
			t.Errorf("%q: got  %v, %v\nwant %v", constraint, pin, err, want)
			continue
		}
		got, err := client.Fetch(t.Context(), pin)
		if err != nil {
			t.Errorf("%q: %v", constraint, err)
			continue
		}
		sameFiles(t, got, chartFiles(v))
		offline := &registry.Client{Offline: true, CacheDir: client.CacheDir}
		if _, err := offline.Fetch(t.Context(), pin); err != nil {
			t.Errorf("%q from the cache: %v", constraint, err)
		}
	}
	mismatches(t, client)
	byDigest := chartRef(digest.FromBytes(tgz["1.0.0"]).String())
	if pin, err := client.Resolve(t.Context(), byDigest); err != nil || pin.Resolved != "1.0.0" {
		t.Errorf("got %v, %v", pin, err)
	}
}

// mismatches tests what is not as the index says.
func mismatches(t *testing.T, client *registry.Client) {
	t.Helper()
	for v, is := range map[string]error{"0.9.0": layer.ErrDigest, "0.7.0": layer.ErrNotFound} {
		pin, err := client.Resolve(t.Context(), chartRef(v))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Fetch(t.Context(), pin); !errors.Is(err, is) {
			t.Errorf("%s: got %v; want %v", v, err, is)
		}
	}
	ref := chartRef("")
	ref.Name = "broken"
	if _, err := client.Resolve(t.Context(), ref); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("got %v; want ErrNotFound", err)
	}
	if _, err := client.PushChart(t.Context(), "charts", chartFiles("1.0.0")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("push: got %v", err)
	}
}

func TestClassicRepositoryBad(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ index, want string }{
		"not YAML":   {"entries: [", "index.yaml"},
		"no entries": {"<html></html>", "not an index"},
		"a list":     {"[]", "not an index"},
		"nothing":    {"", "not an index"},
		"no charts":  {"entries: null", "not found"},
		"too large":  {strings.Repeat("# padding\n", 7<<20), "larger than 64 MiB"},
		"aliases": {"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
			"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n" +
			"entries: {web: [{version: 1.0.0, urls: *f}]}", "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := charts(t, map[string][]byte{"/stable/index.yaml": []byte(test.index)})
			if _, err := client.Resolve(t.Context(), chartRef("")); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v; want %q in it", err, test.want)
			}
		})
	}
	client, host := charts(t, nil)
	client.PlainHTTP = nil
	_, err := client.Resolve(t.Context(), chartRef(""))
	if err == nil || !strings.Contains(err.Error(), "plain HTTP is not allowed with "+host) {
		t.Errorf("got %v", err)
	}
}

// The index decides where charts are, but not who gets the credentials.
func TestClassicRepositoryCredentials(t *testing.T) {
	t.Parallel()
	tgz := tarGz(t, chartFiles("1.0.0"), "web")
	var leaked, asked atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			leaked.Store(true)
		}
		asked.Store(true)
		_, _ = w.Write(tgz)
	}))
	t.Cleanup(other.Close)
	own := httptest.NewServer(basicAuth(func(*http.Request) {})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".tgz") {
			http.Redirect(w, r, other.URL+"/x", http.StatusFound)
			return
		}
		_, _ = fmt.Fprintf(w, "entries: {web: [{version: 1.0.0, urls: [%s/web.tgz]}, {version: 2.0.0, urls: [web.tgz]}]}", other.URL)
	})))
	t.Cleanup(own.Close)
	host := strings.TrimPrefix(own.URL, "http://")
	client := &registry.Client{
		Registries: []registry.Registry{{Name: "charts", URL: own.URL}},
		PlainHTTP:  []string{host, strings.TrimPrefix(other.URL, "http://")},
		HTTPClient: &http.Client{},
		CacheDir:   t.TempDir(),
		Credential: func(_ context.Context, h string) (string, string, error) {
			if h != host {
				return "", "", nil
			}
			return "me", "hunter2", nil
		},
	}
	for _, v := range []string{"1.0.0", "2.0.0"} {
		asked.Store(false)
		pin, err := client.Resolve(t.Context(), chartRef(v))
		if err != nil || pin.Digest != digest.FromBytes(tgz) {
			t.Fatalf("%s: got %v, %v", v, pin, err)
		}
		if _, err := client.Fetch(t.Context(), pin); err != nil || !asked.Load() {
			t.Errorf("%s: %v; asked: %v", v, err, asked.Load())
		}
	}
	if leaked.Load() {
		t.Error("the other host got a credential")
	}
}

// Some repositories list charts that are in an OCI registry.
func TestClassicIndexOfOCI(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	if _, err := s.Client().PushChart(t.Context(), s.URL+"/c", chartFiles("1.0.0")); err != nil {
		t.Fatal(err)
	}
	client, _ := charts(t, map[string][]byte{
		"/stable/index.yaml": []byte("entries: {web: [{version: 1.0.0, urls: ['" + s.URL + "/c/web:1.0.0']}]}"),
	})
	client.PlainHTTP = append(client.PlainHTTP, s.Host)
	pin, err := client.Resolve(t.Context(), chartRef("1.x"))
	if err != nil || pin.Digest != digest.FromBytes(tarGz(t, chartFiles("1.0.0"), "web")) {
		t.Fatalf("got %v, %v", pin, err)
	}
	files, err := client.Fetch(t.Context(), pin)
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, files, chartFiles("1.0.0"))
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("entries: {web: [{version: 1.0.0, urls: [web.tgz], digest: abc}, null, 3]}"))
	f.Add([]byte(`{"entries": {"web": [{"version": "1.0.0", "urls": ["https://h/x"]}]}}`))
	f.Add([]byte("entries: &a {web: *a}"))
	f.Fuzz(func(t *testing.T, index []byte) {
		if len(index) > 1<<16 {
			return
		}
		// No server: the answer is made here.
		client := &registry.Client{
			CacheDir:   t.TempDir(),
			HTTPClient: &http.Client{Transport: answer(index)},
			Credential: func(context.Context, string) (string, string, error) { return "", "", nil },
		}
		ref := chartRef("")
		ref.Registry = "https://charts.example.com"
		versions, err := client.Versions(t.Context(), ref)
		var e *registry.Error
		if err != nil && !errors.As(err, &e) || err == nil && len(versions) == 0 {
			t.Errorf("got %v, %v", versions, err)
		}
		if pin, err := client.Resolve(t.Context(), ref); err == nil && pin.Digest.Validate() != nil {
			t.Errorf("got %v", pin)
		}
	})
}

// answer is a transport that answers everything with the same body.
type answer []byte

func (a answer) RoundTrip(req *http.Request) (*http.Response, error) {
	if _, err := url.Parse(req.URL.String()); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	_, _ = w.Write(a)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}
