package registrytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"

	"github.com/strata-go/strata/registry"
)

// A Server is a running registry. Only [New] and [Start] make one. Its methods
// are safe for concurrent use.
type Server struct {
	Host string // "127.0.0.1:port"
	URL  string // "oci://127.0.0.1:port"

	registry http.Handler // the registry itself
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
	s, err := Start()
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
func Start() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting a registry: %w", err)
	}
	dir, err := os.MkdirTemp("", "registrytest-")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting a registry: %w", err), listener.Close())
	}
	s := &Server{
		dir:      dir,
		Host:     listener.Addr().String(),
		registry: ociserver.New(ocimem.New(), nil),
		done:     make(chan struct{}),
	}
	s.URL = "oci://" + s.Host
	s.Intercept(nil)
	s.http.Handler = http.HandlerFunc(s.serve)
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener) // ends with Close, which has the error
	}()
	return s, nil
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
	(*s.handler.Load()).ServeHTTP(w, r)
}

// Client returns a new client that knows this registry, by the name "test",
// and has an empty cache of its own until the server is closed. It does not
// try again, and reads no credentials. Its fields may be changed before use.
func (s *Server) Client() *registry.Client {
	return &registry.Client{
		Registries: []registry.Registry{{Name: "test", URL: s.URL}},
		PlainHTTP:  []string{s.Host},
		HTTPClient: &http.Client{},
		Credential: func(context.Context, string) (user, secret string, err error) { return "", "", nil },
		CacheDir:   filepath.Join(s.dir, strconv.FormatInt(s.clients.Add(1), 10)),
	}
}
