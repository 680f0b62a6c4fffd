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
	// Registries are all asked when a reference names none; if several have the
	// name, that is [ErrAmbiguous]. A reference may also name one of them, or any
	// other by URL; but folders on disk are read only if they are listed here.
	Registries []Registry
	// Mirrors are asked, in this order, before the originals.
	Mirrors []Mirror
	// PlainHTTP lists the hosts, each "host" or "host:port" as in URLs, that are
	// spoken to without TLS. If empty, none is, not even localhost; and redirects
	// to others are refused.
	PlainHTTP []string
	// TLS says how to talk TLS with hosts ("host" or "host:port" as in URLs). It
	// has no effect if HTTPClient is set.
	TLS map[string]TLS
	// HTTPClient sends the requests. If nil, a client that tries up to six times
	// when a host is busy or hangs up: for some seconds in all, or as long as
	// Retry-After says, up to a minute each time.
	HTTPClient *http.Client
	// Credential returns what to log in with at a host ("host" or "host:port"),
	// two empty strings for nothing. With an empty user the secret is a bearer
	// token. It is called only when the host asks, maybe concurrently. If nil,
	// the Docker configuration and its credential helpers are asked.
	Credential func(ctx context.Context, host string) (user, secret string, err error)
	// CacheDir is the folder of the cache. Processes may share it. If empty,
	// "strata" in [os.UserCacheDir].
	CacheDir string
	// CacheBytes is how much the cache may hold on disk; what was not used for
	// longest goes first, what is being read stays. If zero, it is 10 GiB.
	CacheBytes int64
	// Verifier decides, after the digest is known to be right, whether an
	// artifact is signed as it should be. If nil, digests are all there is.
	Verifier Verifier
	// Offline makes the client fail with [ErrOffline] where it would have to
	// ask a registry.
	Offline bool
	// Replace lets a push put other content under a version that is there
	// already. If false, that is [ErrExists]. Profiles are never replaced.
	Replace bool
	// Architecture is that of the Zarf packages that are resolved, "arm64" for
	// instance. If empty, "amd64".
	Architecture string
	// MaxBytes bounds the size of an artifact, as stored; larger ones are
	// refused. If zero, it is 1 GiB. What the artifact unpacks to is bounded
	// in any case, at 256 MiB.
	MaxBytes int64
	// Logger is told of cache misses and damage, of mirrors that lack something,
	// and of what is broken in indexes and folders. If nil, nobody is.
	Logger *slog.Logger

	login sync.Once
	auth  *auth.Client
	burst burst
}

// A Registry is a place with a name.
type Registry struct {
	Name string
	// URL is one of
	//   - "oci://host[:port][/base]": an OCI registry;
	//   - "https://host/path": a classic Helm repository, which has index.yaml;
	//   - "file:///path", or a path that is absolute or begins with a dot: a
	//     folder, which is an OCI image layout, or else has packs (with pack.json),
	//     charts (Chart.yaml) and profiles (profile.yaml) as its subfolders, beside
	//     packaged charts (.tgz).
	//
	// It holds no user, password or query.
	URL string
}

// allow reports an error if content of that size may not be stored or fetched.
func (c *Client) allow(size int64) error {
	if limit := c.maxBytes(); size < 0 || size > limit {
		return fmt.Errorf("the content has %d bytes, of which Client.MaxBytes allows %d", size, limit)
	}
	return nil
}

func (c *Client) maxBytes() int64 { return cmp.Or(c.MaxBytes, defaultMaxBytes) }

func (c *Client) log() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}
