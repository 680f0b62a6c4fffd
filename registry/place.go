package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
)

// A place may have versions of what a reference names: it is a repository of an
// OCI registry, a classic Helm repository, or a folder.
type place interface {
	// String returns the repository, as pins have it.
	fmt.Stringer
	// tags returns what versions are tagged as, in any order. There is one at
	// least, else the error wraps [layer.ErrNotFound].
	tags(ctx context.Context) ([]string, error)
	// pin returns what a tag, or a digest, stands for: the tag, which a digest
	// may have to do without, and the digest.
	pin(ctx context.Context, reference string) (tag string, d digest.Digest, err error)
}

// places returns where ref may be: all registries, if it names none.
func (c *Client) places(ref layer.Ref) ([]place, error) {
	if ref.Name == "" || strings.ContainsAny(ref.Name, `/\`) {
		return nil, fmt.Errorf("%q is not a name", ref.Name)
	}
	if ref.Registry != "" {
		url, err := c.registryURL(ref.Registry)
		if err != nil {
			return nil, err
		}
		p, err := c.place(url, ref)
		return []place{p}, err
	}
	if len(c.Registries) == 0 {
		return nil, errors.New("no registry: name one, or set Client.Registries")
	}
	var places []place
	var refused error // by a registry of a kind that never has such things
	for _, r := range c.Registries {
		p, err := c.place(r.URL, ref)
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			refused = errors.Join(refused, err)
		case err != nil:
			return nil, err
		case !slices.ContainsFunc(places, func(q place) bool { return q.String() == p.String() }):
			places = append(places, p)
		}
	}
	if len(places) == 0 {
		return nil, refused
	}
	return places, nil
}

// place returns where ref may be in the registry of that URL.
func (c *Client) place(url string, ref layer.Ref) (place, error) {
	switch {
	case isClassic(url):
		return c.chartRepository(url, ref)
	case c.isLocal(url):
		return c.folder(url, ref)
	}
	l, err := locate(url, ref)
	return remotePlace{c, l, ref.Format}, err
}

// origin returns where the content of a pin comes from.
func (c *Client) origin(pin layer.Pin) (source, error) {
	store, err := c.cache()
	if err != nil {
		return source{}, err
	}
	s := source{client: c, cache: store, place: pin.Repository}
	switch {
	case isClassic(pin.Repository):
		r, err := c.chartRepository(pin.Repository, pin.Ref)
		s.load = r.load
		return s, err
	case c.isLocal(pin.Repository):
		s.local = true
		p, err := c.folder(pin.Repository, pin.Ref)
		switch p := p.(type) {
		case layout:
			s.depot = p
		case folder:
			s.load = p.load
		}
		return s, err
	}
	s.location, err = parseLocation(pin.Repository)
	s.depot = remoteDepot{c, s.location}
	return s, err
}

// registryURL returns the URL of a registry that is named by name or by URL.
func (c *Client) registryURL(registry string) (string, error) {
	var names []string
	for _, r := range c.Registries {
		if r.Name == registry {
			return r.URL, nil
		}
		names = append(names, r.Name)
	}
	if strings.Contains(registry, "://") || c.isLocal(registry) {
		return registry, nil
	}
	return "", fmt.Errorf("registry %q is not known: want oci://host/path or one of %q", scrubURL(registry), names)
}
