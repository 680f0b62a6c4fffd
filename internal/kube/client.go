package kube

import (
	"context"
	"net/http"
	"net/url"
	"strings"
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

	// Observe, if not nil, is called when a request begins: with its verb and
	// resource, "list" of "deployments.apps". The request gets the context that it
	// returns, and the returned function is called with the status code of the
	// answer or the error. Set it before the first request.
	Observe func(ctx context.Context, verb, resource string) (context.Context, func(int, error))
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
	base := ""
	if host, err := url.Parse(config.Host); err == nil {
		base = strings.TrimSuffix(host.Path, "/")
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return counting{next, c, base}
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
	next   http.RoundTripper
	client *Client
	base   string // the path of the server
}

// RoundTrip counts the request.
func (t counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.URL.Query().Get("dryRun") != "" {
		t.client.counter.reads.Add(1)
	} else {
		t.client.counter.writes.Add(1)
	}
	response, err := t.observed(r)
	if err == nil {
		t.client.counter.reached.Store(true)
	}
	return response, err
}

// observed makes the request, and tells who observes it.
func (t counting) observed(r *http.Request) (*http.Response, error) {
	if t.client.Observe == nil {
		return t.next.RoundTrip(r)
	}
	verb, resource := requested(r, t.base)
	ctx, end := t.client.Observe(r.Context(), verb, resource)
	response, err := t.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		end(0, err)
		return nil, err
	}
	end(response.StatusCode, nil)
	return response, nil
}
