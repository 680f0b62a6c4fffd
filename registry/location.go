package registry

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	oci "oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/strata-go/strata/layer"
)

const (
	scheme = "oci://"
	// packPath is where packs are, below the base of a registry.
	packPath = "spectro-packs/archive/"

	maxTags     = 100_000
	maxTagPages = 1_000
)

// A location is a repository: "host/path".
type location struct{ oci.Reference }

// String returns the URL, as pins have it.
func (l location) String() string { return scheme + l.Registry + "/" + l.Repository }

// parseLocation parses the URL of a repository.
func parseLocation(text string) (location, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return location{}, errors.New("not a URL: want oci://host/path") // err would show it
	case u.User != nil:
		return location{}, fmt.Errorf("%s: a URL must not hold a user or password: use Client.Credential or docker login", scrubURL(text))
	case u.Scheme == "https" || u.Scheme == "http":
		return location{}, fmt.Errorf("%s: classic Helm repositories: %w: want oci://host/path", scrubURL(text), errors.ErrUnsupported)
	case u.Scheme != "oci" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return location{}, fmt.Errorf("%s: want oci://host/path", scrubURL(text))
	}
	l := location{oci.Reference{Registry: u.Host, Repository: strings.Trim(u.Path, "/")}}
	if err := l.ValidateRegistry(); err != nil {
		return location{}, fmt.Errorf("%s: %w", scrubURL(text), err)
	}
	if err := l.ValidateRepository(); err != nil {
		return location{}, fmt.Errorf("%s: %w", scrubURL(text), err)
	}
	return l, nil
}

// locate returns the repository of ref in the registry of that URL.
func locate(registry string, ref layer.Ref) (location, error) {
	if ref.Name == "" || strings.Contains(ref.Name, "/") {
		return location{}, fmt.Errorf("%q is not a name", ref.Name)
	}
	path := "/" + ref.Name
	switch ref.Format {
	case layer.FormatPack:
		path = "/" + packPath + ref.Name
	case layer.FormatHelm:
	default:
		return location{}, fmt.Errorf("format %q: %w in registries", ref.Format, errors.ErrUnsupported)
	}
	return parseLocation(strings.TrimRight(registry, "/") + path)
}

// candidates returns the repositories that ref may be in, the preferred first.
func (c *Client) candidates(ref layer.Ref) ([]location, error) {
	var urls []string
	switch {
	case ref.Registry != "":
		u, err := c.registryURL(ref.Registry)
		if err != nil {
			return nil, err
		}
		urls = []string{u}
	case len(c.Registries) == 0:
		return nil, errors.New("no registry: name one, or set Client.Registries")
	default:
		for _, r := range c.Registries {
			urls = append(urls, r.URL)
		}
	}
	locations := make([]location, len(urls))
	for i, u := range urls {
		var err error
		if locations[i], err = locate(u, ref); err != nil {
			return nil, err
		}
	}
	return locations, nil
}

// registryURL returns the URL of a registry that is named by name or by URL.
func (c *Client) registryURL(registry string) (string, error) {
	i := slices.IndexFunc(c.Registries, func(r Registry) bool { return r.Name == registry })
	switch {
	case i >= 0:
		return c.Registries[i].URL, nil
	case strings.Contains(registry, "://"):
		return registry, nil
	}
	var names []string
	for _, r := range c.Registries {
		names = append(names, r.Name)
	}
	return "", fmt.Errorf("registry %q is not known: want oci://host/path or one of %q", scrubURL(registry), names)
}

// repository returns the client for a repository.
func (c *Client) repository(l location) *remote.Repository {
	return &remote.Repository{
		Client:          c.authClient(),
		Reference:       l.Reference,
		PlainHTTP:       c.plainHTTP(l),
		TagListMaxPages: maxTagPages,
	}
}

func (c *Client) plainHTTP(l location) bool {
	return slices.ContainsFunc(c.PlainHTTP, func(host string) bool { return strings.EqualFold(host, l.Registry) })
}
