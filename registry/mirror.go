package registry

import (
	"context"
	"strings"
)

// A Mirror says where else content is that references, pins and errors name by
// its original URL.
type Mirror struct {
	// From and To are URLs of registries, or of what is in them: "oci://ghcr.io"
	// or "https://charts.example.com/stable". What begins with From, up to the
	// end or a slash, is asked for where it begins with To instead.
	From, To string
	// Only keeps the client from asking the original if this mirror and those
	// after it do not have the content.
	Only bool
}

// routes returns the URLs to ask in turn for what is at a URL.
func (c *Client) routes(url string) []string {
	var routes []string
	for _, m := range c.Mirrors {
		rest, ok := strings.CutPrefix(url, strings.TrimRight(m.From, "/"))
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		routes = append(routes, strings.TrimRight(m.To, "/")+rest)
		if m.Only {
			return routes
		}
	}
	return append(routes, url)
}

// viaMirrors asks the mirrors of a URL and then the original, until one has an
// answer. If none has, the error is that of the last.
func viaMirrors[T any](ctx context.Context, c *Client, url string, ask func(url string) (T, error)) (T, error) {
	var answer T
	var err error
	routes := c.routes(url)
	for i, route := range routes {
		if answer, err = ask(route); err == nil || i == len(routes)-1 || ctx.Err() != nil {
			break
		}
		c.log().WarnContext(ctx, "a mirror does not have it", "mirror", scrubURL(route), "original", url, "error", err)
	}
	return answer, err
}
