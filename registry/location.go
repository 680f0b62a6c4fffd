package registry

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	oci "oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/strata-go/strata/layer"
)

const (
	scheme = "oci://"
	// packPath and profilePath are where packs and profiles are, below the base
	// of a registry.
	packPath    = "spectro-packs/archive/"
	profilePath = "strata-profiles/"

	maxTags     = 100_000
	maxTagPages = 1_000
	// maxTagBytes bounds one page; old registries send all tags in one.
	maxTagBytes = 16 << 20
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
	case u.Scheme == "file":
		return location{}, fmt.Errorf("%s: folders are read only if Client.Registries lists them", scrubURL(text))
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

// locate returns the repository of ref in the OCI registry of that URL.
func locate(registry string, ref layer.Ref) (location, error) {
	below, ok := paths()[ref.Format]
	if !ok {
		return location{}, fmt.Errorf("format %q: %w in registries", ref.Format, errors.ErrUnsupported)
	}
	return parseLocation(strings.TrimRight(registry, "/") + "/" + below + ref.Name)
}

// paths returns where artifacts are below the base of a registry.
func paths() map[layer.Format]string {
	return map[layer.Format]string{
		layer.FormatPack:    packPath,
		layer.FormatProfile: profilePath,
		layer.FormatHelm:    "",
		layer.FormatZarf:    "",
	}
}

// repository returns the client for a repository.
func (c *Client) repository(l location) *remote.Repository {
	return &remote.Repository{
		Client:           c.authClient(),
		Reference:        l.Reference,
		PlainHTTP:        c.plainHTTP(l.Registry),
		TagListMaxPages:  maxTagPages,
		MaxMetadataBytes: maxTagBytes,
	}
}
