package registrytest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"

	"github.com/strata-go/strata/registry"
)

// A Server is a running registry. Only [New] and [Start] make one, or [NewWith]
// and [StartWith]. Its methods are safe for concurrent use.
type Server struct {
	Host    string // "127.0.0.1:port"
	URL     string // "oci://127.0.0.1:port"
	HelmURL string // "http(s)://127.0.0.1:port/charts", with [Options.Charts]
	CA      []byte // the certificate of the authority in PEM form, with [Options.TLS]

	options  Options
	registry http.Handler // the registry itself, with its login and its faults
	faults   atomic.Pointer[script]
	handler  atomic.Pointer[http.Handler]
	requests atomic.Int64
	http     http.Server
	done     chan struct{} // closed when http has stopped

	dir     string       // of the caches of all clients
	clients atomic.Int64 // made
}

// New starts a server that is closed at the end of the test.
func New(t testing.TB) *Server {
	t.Helper()
	return NewWith(t, Options{})
}

// NewWith starts such a server, which is closed at the end of the test.
func NewWith(t testing.TB, options Options) *Server {
	t.Helper()
	s, err := StartWith(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Start starts a server. It runs until it is closed.
func Start() (*Server, error) { return StartWith(Options{}) }

// StartWith starts such a server. It runs until it is closed.
func StartWith(options Options) (*Server, error) {
	s := &Server{options: options, done: make(chan struct{})}
	if err := s.start(); err != nil {
		return nil, fmt.Errorf("starting a registry: %w", err)
	}
	return s, nil
}

func (s *Server) start() error {
	handler, err := s.assemble()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "registrytest-"); err != nil {
		return errors.Join(err, listener.Close())
	}
	s.Host = listener.Addr().String()
	s.URL = "oci://" + s.Host
	if s.options.Charts != nil {
		s.HelmURL = s.web() + chartsPath
	}
	if s.options.TLS {
		var config *tls.Config
		if s.CA, config, err = newCertificate(); err != nil {
			return errors.Join(err, listener.Close())
		}
		listener = tls.NewListener(listener, config)
	}
	s.registry = handler
	s.Intercept(nil)
	s.http.Handler = http.HandlerFunc(s.serve)
	s.http.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust the certificate
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener) // ends with Close, which has the error
	}()
	return nil
}

// assemble returns the registry with what the options put around it.
func (s *Server) assemble() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("/", ociserver.New(ocimem.New(), nil))
	if s.options.Charts != nil {
		charts, err := chartRepository(s.options.Charts)
		if err != nil {
			return nil, err
		}
		mux.Handle(chartsPath+"/", charts)
	}
	return s.faulty(s.login(mux)), nil
}

// web returns the URL that clients use.
func (s *Server) web() string {
	if s.options.TLS {
		return "https://" + s.Host
	}
	return "http://" + s.Host
}

// Close stops the server, with all requests that are under way, and removes
// the caches of its clients. What it held is lost.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Requests returns how many requests the server has had, those that an
// interceptor answered included.
func (s *Server) Requests() int { return int(s.requests.Load()) }

// Intercept sends later requests to the handler that wrap makes of the
// registry, to change what goes in or comes out. With nil they go to the
// registry itself again.
func (s *Server) Intercept(wrap func(registry http.Handler) http.Handler) {
	handler := s.registry
	if wrap != nil {
		handler = wrap(s.registry)
	}
	s.handler.Store(&handler)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	if !wait(r, s.options.Latency) {
		return
	}
	(*s.handler.Load()).ServeHTTP(w, r)
}

// wait reports whether the client is still there after some time.
func wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	select {
	case <-r.Context().Done():
		return false
	case <-time.After(d):
		return true
	}
}

// Client returns a new client that knows this registry, by the name "test",
// and has an empty cache of its own until the server is closed. It trusts and
// logs in at the server as its options ask for; it does not try again, and
// reads no credentials. Its fields may be changed before use.
func (s *Server) Client() *registry.Client {
	client := &registry.Client{
		Registries: []registry.Registry{{Name: "test", URL: s.URL}},
		HTTPClient: &http.Client{},
		Credential: s.credential,
		CacheDir:   filepath.Join(s.dir, strconv.FormatInt(s.clients.Add(1), 10)),
	}
	if !s.options.TLS {
		client.PlainHTTP = []string{s.Host}
		return client
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA)
	client.HTTPClient.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	return client
}

// credential gives nothing to other hosts.
func (s *Server) credential(_ context.Context, host string) (user, secret string, err error) {
	if host != s.Host {
		return "", "", nil
	}
	return s.options.User, s.options.Password, nil
}
