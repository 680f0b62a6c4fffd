package reconciletest

import (
	"net/http"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/reconcile/reconciletest/internal/apiserver"
)

// A Simulation is a cluster in this process: an API server whose objects are
// merged, owned and patched by Kubernetes' own libraries, and controllers that
// are scripted. See the package comment on what it can and cannot do.
//
// The zero Simulation is a new cluster, where everything becomes ready at once.
// It is safe for concurrent use, and nothing of it runs while nobody asks, so
// there is nothing to close. Do not copy it.
//
// It has no sockets, so it works in a bubble of [testing/synctest], whose clock
// is then that of the cluster, of client-go and of the engine. Make its first use
// in the bubble.
type Simulation struct {
	// Version of Kubernetes is what it says of itself. Set it before the first
	// use. If empty, that of the real control plane.
	Version string

	once   sync.Once
	server *apiserver.Server
	err    error
	script script
}

// Config returns the credentials of an administrator. Change it as you like:
// wrap it in [Faults], for example.
func (s *Simulation) Config() *rest.Config {
	return &rest.Config{Host: "https://simulation.invalid", Transport: apiserver.Transport{Handler: s}, QPS: -1}
}

// ServeHTTP answers requests of clients that need a socket, as kubectl does: give
// the Simulation to [net/http/httptest.NewServer].
func (s *Simulation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	server, err := s.start()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	server.ServeHTTP(w, r)
}

// Forget makes the API server forget its history: a watch from before, and the
// rest of a list, are answered with 410 Gone.
func (s *Simulation) Forget() {
	if server, err := s.start(); err == nil {
		server.Forget()
	}
}

func (s *Simulation) start() (*apiserver.Server, error) {
	s.once.Do(func() {
		version := s.Version
		if version == "" {
			version = kubernetesVersion
		}
		s.script.server = s.start
		s.server, s.err = apiserver.New(version, &s.script)
	})
	return s.server, s.err
}
