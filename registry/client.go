package registry

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// defaultMaxBytes is the size of the largest artifact, unless the client says
// otherwise.
const defaultMaxBytes = 1 << 30

// A Client finds, fetches and pushes content. Its zero value is ready: it reads
// registries that references name by URL, with the credentials of the Docker
// configuration. Set fields before the first call; then a Client is safe for
// concurrent use. It must not be copied.
//
// The errors of all methods are [*Error].
type Client struct {
	// Registries are asked in this order when a reference names none; the
	// first that has the name at all is the one whose versions count. A
	// reference may also name one of them, or any other by URL.
	Registries []Registry
	// PlainHTTP lists the hosts, each "host" or "host:port" as in the URL of
	// the registry, that are spoken to without TLS. If empty, none is, not
	// even localhost.
	PlainHTTP []string
	// HTTPClient sends the requests. If nil, a client that tries five times
	// more after 408, 429 and 5xx answers and resets, for some seconds in all.
	HTTPClient *http.Client
	// Credential returns what to log in with at a host ("host" or "host:port"),
	// two empty strings for nothing. With an empty user the secret is a bearer
	// token. It is called only when the host asks, maybe concurrently. If nil,
	// the Docker configuration and its credential helpers are asked.
	Credential func(ctx context.Context, host string) (user, secret string, err error)
	// CacheDir is the folder of the cache. Processes may share it. If empty,
	// "strata" in [os.UserCacheDir].
	CacheDir string
	// Offline makes the client fail with [ErrOffline] where it would have to
	// ask a registry.
	Offline bool
	// MaxBytes bounds the size of an artifact, as stored; larger ones are
	// refused. If zero, it is 1 GiB. What the artifact unpacks to is bounded
	// in any case, at 256 MiB.
	MaxBytes int64
	// Logger is told of cache misses and damage. If nil, nobody is.
	Logger *slog.Logger

	login sync.Once
	auth  *auth.Client
}

// A Registry is a place with a name.
type Registry struct {
	Name string
	URL  string // "oci://host[:port][/base]", without user and password
}

// allow reports an error if content of that size may not be stored or fetched.
func (c *Client) allow(size int64) error {
	if limit := cmp.Or(c.MaxBytes, defaultMaxBytes); size < 0 || size > limit {
		return fmt.Errorf("the content has %d bytes, of which Client.MaxBytes allows %d", size, limit)
	}
	return nil
}

func (c *Client) log() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}
