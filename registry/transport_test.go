package registry_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

// certificate makes a self-signed certificate, in PEM form.
func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(cert)
	server := httptest.NewUnstartedServer(ociserver.New(ocimem.New(), nil))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	host := strings.TrimPrefix(server.URL, "https://")
	otherCert, otherKey := certificate(t)

	tests := map[string]struct {
		host     string
		settings registry.TLS
		want     string // in the error; if empty, it works
	}{
		"right":               {host, registry.TLS{CA: ca, Cert: cert, Key: key}, ""},
		"no CA":               {host, registry.TLS{Cert: cert, Key: key}, "certificate"},
		"wrong CA":            {host, registry.TLS{CA: cert, Cert: cert, Key: key}, "certificate"},
		"no certificate":      {host, registry.TLS{CA: ca}, "certificate"},
		"wrong certificate":   {host, registry.TLS{CA: ca, Cert: otherCert, Key: otherKey}, "tls"},
		"of another host":     {"example.com", registry.TLS{CA: ca, Cert: cert, Key: key}, "certificate"},
		"CA is nonsense":      {host, registry.TLS{CA: []byte("x")}, "Client.TLS"},
		"key is nonsense":     {host, registry.TLS{CA: ca, Cert: cert, Key: []byte("x")}, "Client.TLS"},
		"key of another":      {host, registry.TLS{CA: ca, Cert: cert, Key: otherKey}, "Client.TLS"},
		"certificate, no key": {host, registry.TLS{CA: ca, Cert: cert}, "Client.TLS"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &registry.Client{
				TLS:        map[string]registry.TLS{test.host: test.settings},
				Credential: func(context.Context, string) (string, string, error) { return "", "", nil },
				CacheDir:   t.TempDir(),
			}
			_, err := client.PushPack(t.Context(), "oci://"+host, packFiles("p", "1.0.0"))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v; want %q in it", err, test.want)
			}
			var e *registry.Error
			if errors.As(err, &e) && strings.Contains(name, "CA") && e.Retryable() {
				t.Errorf("%v is retryable", err)
			}
		})
	}
}

// refuses answers the first n requests with a status and Retry-After.
func refuses(n int64, code int, retryAfter string) (func(http.Handler) http.Handler, *atomic.Int64) {
	var asked atomic.Int64
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) > n {
				next.ServeHTTP(w, r)
				return
			}
			if retryAfter == "in a while" {
				retryAfter = time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat)
			}
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "busy")
		})
	}, &asked
}

// A wait that should not be would take an hour, or all the patience of the test.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		refuse     int64
		code       int
		retryAfter string
		patience   time.Duration // of the caller; zero for no end
		works      bool
		atLeast    time.Duration
	}{
		"seconds":           {1, http.StatusTooManyRequests, "1", 0, true, time.Second},
		"date":              {1, http.StatusServiceUnavailable, "in a while", 0, true, 900 * time.Millisecond},
		"date in the past":  {1, http.StatusServiceUnavailable, "Mon, 02 Jan 2006 15:04:05 GMT", 0, true, 0},
		"nonsense":          {1, http.StatusServiceUnavailable, "-7 monkeys", 0, true, 0},
		"too long":          {1, http.StatusTooManyRequests, "3600", 0, false, 0},
		"beyond a deadline": {1, http.StatusTooManyRequests, "3600", time.Hour, false, 0},
		"not worth it":      {1, http.StatusForbidden, "1", 0, false, 0},
		"cancelled":         {100, http.StatusTooManyRequests, "0", 700 * time.Millisecond, false, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.New(t)
			pushPacks(t, s, "p", "1.0.0")
			wrap, asked := refuses(test.refuse, test.code, test.retryAfter)
			s.Intercept(wrap)
			client := s.Client()
			client.HTTPClient = nil
			ctx := t.Context()
			if test.patience > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.patience)
				defer cancel()
			}
			begun := time.Now()
			_, err := client.Resolve(ctx, packRef("p", ""))
			took := time.Since(begun)
			if (err == nil) != test.works || took < test.atLeast {
				t.Errorf("got %v after %s and %d requests", err, took, asked.Load())
			}
		})
	}
}

// A push is sent again with the whole of its body.
func TestPushTriesAgain(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	s.Intercept(func(next http.Handler) http.Handler {
		var mu sync.Mutex
		seen := map[string]bool{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			key := r.Method + r.URL.Path
			first := !seen[key]
			seen[key] = true
			mu.Unlock()
			if first && r.Method == http.MethodPut {
				_, _ = io.CopyN(io.Discard, r.Body, 10)
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	client := s.Client()
	client.HTTPClient = nil
	pin, err := client.PushPack(t.Context(), "test", packFiles("p", "1.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Client().Fetch(t.Context(), pin); err != nil {
		t.Error(err)
	}
}

// paged serves tags in pages of two, as the OCI specification has it.
func paged(link func(next string) string) func(http.Handler) http.Handler {
	tags := []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.3.0", "2.0.0"}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/tags/list") {
				next.ServeHTTP(w, r)
				return
			}
			var at int
			_, _ = fmt.Sscan(r.URL.Query().Get("last"), &at)
			if to := link(fmt.Sprintf("%s?n=2&last=%d", r.URL.Path, at+2)); to != "" && at+2 < len(tags) {
				w.Header().Set("Link", "<"+to+`>; rel="next"`)
			}
			_, _ = fmt.Fprintf(w, `{"tags": [%q, %q]}`, tags[at], tags[at+1])
		})
	}
}

func TestPagedTags(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pushPacks(t, s, "p", "2.0.0")
	s.Intercept(paged(func(next string) string { return next }))
	if got, err := s.Client().Versions(t.Context(), packRef("p", "")); err != nil || fmt.Sprint(got) != "[2.0.0 1.3.0 1.2.0 1.1.0 1.0.0]" {
		t.Errorf("got %v, %v", got, err)
	}
	evil := registrytest.New(t)
	s.Intercept(paged(func(next string) string { return "http://" + evil.Host + next }))
	if got, err := s.Client().Versions(t.Context(), packRef("p", "")); err == nil || evil.Requests() > 0 {
		t.Errorf("pages at another host: got %v after %d requests there", got, evil.Requests())
	}
	s.Intercept(paged(func(string) string { return "/v2/spectro-packs/archive/p/tags/list?last=0" })) // for ever
	before := s.Requests()
	if got, err := s.Client().Versions(t.Context(), packRef("p", "")); err == nil || s.Requests()-before > 1001 {
		t.Errorf("endless pages: got %v after %d requests", got, s.Requests()-before)
	}
}

// A registry must not get at credentials by naming another host to log in at.
func TestHostileRealm(t *testing.T) {
	t.Parallel()
	var leaked atomic.Bool
	evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.ContentLength > 0 {
			leaked.Store(true)
		}
	}))
	t.Cleanup(evil.Close)
	port := evil.URL[strings.LastIndex(evil.URL, ":"):]
	for _, realm := range []string{evil.URL, "http://localhost" + port, "http://[::1]" + port, "file:///etc/passwd", "http://169.254.169.254/", "https://127.1.1.1/"} {
		s := registrytest.New(t)
		s.Intercept(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="`+realm+`",service="x"`)
				w.WriteHeader(http.StatusUnauthorized)
			})
		})
		client := s.Client()
		client.Credential = func(context.Context, string) (string, string, error) { return "me", "hunter2", nil }
		_, err := client.Resolve(t.Context(), packRef("p", ""))
		if err == nil || shows(err, "hunter2") || leaked.Load() {
			t.Errorf("%s: got %v; leaked: %v", realm, err, leaked.Load())
		}
	}
}

// slow adds a latency, and counts lists of tags.
func slow(latency time.Duration, lists *atomic.Int64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/tags/list") {
				lists.Add(1)
			}
			time.Sleep(latency)
			next.ServeHTTP(w, r)
		})
	}
}

func TestBurstSharesLists(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pushPacks(t, s, "p", "1.0.0", "1.1.0")
	var lists atomic.Int64
	s.Intercept(slow(20*time.Millisecond, &lists))
	client := s.Client()
	resolveAll(t, client, 16, 64, func(int) layer.Ref { return packRef("p", "1.x") })
	if n := lists.Load(); n != 1 {
		t.Errorf("%d lists of one repository in one burst", n)
	}
	// Afterwards everything is asked anew.
	s.Intercept(nil)
	pushPacks(t, s, "p", "1.2.0")
	if pin, err := client.Resolve(t.Context(), packRef("p", "")); err != nil || pin.Resolved != "1.2.0" {
		t.Errorf("got %v, %v", pin, err)
	}
}

// One caller that gives up does not take the answer from the others.
func TestBurstOneGivesUp(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pushPacks(t, s, "p", "1.0.0")
	var lists atomic.Int64
	listing, answer := make(chan struct{}, 2), make(chan struct{})
	s.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/tags/list") {
				lists.Add(1)
				listing <- struct{}{}
				<-answer
			}
			next.ServeHTTP(w, r)
		})
	})
	client := s.Client()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := client.Resolve(ctx, packRef("p", "")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v; want context.Canceled", err)
		}
	})
	<-listing
	wg.Go(func() {
		if _, err := client.Resolve(t.Context(), packRef("p", "")); err != nil {
			t.Error(err)
		}
	})
	time.Sleep(50 * time.Millisecond) // until the second waits as well: nothing tells
	cancel()
	close(answer)
	wg.Wait()
	if n := lists.Load(); n != 1 {
		t.Errorf("%d lists", n)
	}
}

// resolveAll resolves n references, some at once, as package profile does.
func resolveAll(t *testing.T, client *registry.Client, atOnce, n int, ref func(int) layer.Ref) {
	t.Helper()
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range n {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if _, err := client.Resolve(t.Context(), ref(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// The lists of as many repositories as are asked for at once are under way
// together: the registry answers none of them before it has been asked for all.
func TestResolveInParallel(t *testing.T) {
	t.Parallel()
	const atOnce = 16
	s := registrytest.New(t)
	for i := range 2 * atOnce {
		pushPacks(t, s, fmt.Sprintf("p%d", i), "1.0.0")
	}
	together, asked := make(chan struct{}), atomic.Int64{}
	s.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/tags/list") {
				if asked.Add(1) == atOnce {
					close(together)
				}
				select {
				case <-together:
				case <-r.Context().Done():
				}
			}
			next.ServeHTTP(w, r)
		})
	})
	client := s.Client()
	client.HTTPClient = nil
	resolveAll(t, client, atOnce, 2*atOnce, func(i int) layer.Ref { return packRef(fmt.Sprintf("p%d", i), "1.x") })
}
