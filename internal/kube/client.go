package kube

import (
	"net/http"
	"sync/atomic"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// Manager is the field manager of everything that is applied.
const Manager = "strata"

// A Client talks to one API server. Make it with [New]; it is safe for
// concurrent use.
type Client struct {
	dynamic   dynamic.Interface
	metadata  metadata.Interface
	discovery discovery.DiscoveryInterfaceWithContext
	counter   *counter
	host      string
	kinds     kinds
}

// New returns a Client for a configuration, which it does not change. Where the
// configuration sets no rate limit there is none: how much may be in flight is
// for the caller of the Client to bound, and the server's own limits (429) are
// obeyed.
func New(config *rest.Config) (*Client, error) {
	config = rest.CopyConfig(config)
	if config.RateLimiter == nil && config.QPS == 0 {
		config.QPS = -1
	}
	if config.UserAgent == "" {
		config.UserAgent = "strata"
	}
	if config.WarningHandler == nil && config.WarningHandlerWithContext == nil {
		// The default writes to standard error, which is the caller's.
		config.WarningHandler = rest.NoWarnings{}
	}
	c := &Client{counter: new(counter), host: config.Host}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return counting{next, c.counter}
	})
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if c.dynamic, err = dynamic.NewForConfigAndClient(config, httpClient); err != nil {
		return nil, c.unreachable(err)
	}
	if c.metadata, err = metadata.NewForConfigAndClient(config, httpClient); err != nil {
		return nil, c.unreachable(err)
	}
	d, err := discovery.NewDiscoveryClientForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, c.unreachable(err)
	}
	c.discovery = d
	return c, nil
}

// A Cost is what was asked of the API server.
type Cost struct {
	Reads  int64 // GET, LIST and WATCH, discovery, and dry runs
	Writes int64 // everything else
}

// Cost returns the number of requests so far.
func (c *Client) Cost() Cost {
	return Cost{c.counter.reads.Load(), c.counter.writes.Load()}
}

// Reached reports whether the server has ever answered.
func (c *Client) Reached() bool { return c.counter.reached.Load() }

type counter struct {
	reads, writes atomic.Int64
	reached       atomic.Bool
}

type counting struct {
	next http.RoundTripper
	*counter
}

// RoundTrip counts the request.
func (t counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.URL.Query().Get("dryRun") != "" {
		t.reads.Add(1)
	} else {
		t.writes.Add(1)
	}
	response, err := t.next.RoundTrip(r)
	if err == nil {
		t.reached.Store(true)
	}
	return response, err
}
