package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
)

const (
	indexFile = "index.yaml"
	// maxIndex bounds index.yaml. The largest public ones have some 20 MB.
	maxIndex = 64 << 20
	// maxChart bounds a packaged chart that is read to learn its digest.
	maxChart = 64 << 20
)

// A chartPlace is a chart in a classic Helm repository.
type chartPlace struct {
	client *Client
	url    string // without a slash at the end
	name   string
}

// isClassic reports whether a URL is that of a classic Helm repository.
func isClassic(text string) bool {
	return strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")
}

// chartRepository returns the place of ref in a classic Helm repository.
func (c *Client) chartRepository(text string, ref layer.Ref) (chartPlace, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return chartPlace{}, errors.New("not a URL: want https://host/path")
	case u.User != nil:
		return chartPlace{}, fmt.Errorf("%s: a URL must not hold a user or password: use Client.Credential or docker login", scrubURL(text))
	case u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return chartPlace{}, fmt.Errorf("%s: want https://host/path", scrubURL(text))
	case ref.Format != layer.FormatHelm:
		return chartPlace{}, fmt.Errorf("%s: format %q: %w in classic Helm repositories", scrubURL(text), ref.Format, errors.ErrUnsupported)
	}
	return chartPlace{c, strings.TrimRight(text, "/"), ref.Name}, nil
}

// String returns the URL of the repository, as pins have it.
func (p chartPlace) String() string { return p.url }

// versions returns what the index of the repository says of the chart.
func (p chartPlace) versions(ctx context.Context) ([]chartVersion, error) {
	if p.client.Offline {
		return nil, ErrOffline
	}
	index, err := share(ctx, &p.client.burst, "index of "+p.url, func(ctx context.Context) (chartIndex, error) {
		data, err := p.client.download(ctx, p.url+"/"+indexFile, maxIndex)
		if err != nil {
			return nil, err
		}
		index, err := parseIndex(data)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", p.url, indexFile, err)
		}
		return index, nil
	})
	if err != nil {
		return nil, err
	}
	versions := index.versions(p.name, func(version, problem string) {
		p.client.log().WarnContext(ctx, "skipping an entry of index.yaml", "repository", p.url, "chart", p.name, "version", version, "problem", problem)
	})
	if len(versions) == 0 {
		return nil, fmt.Errorf("%w: %s has no chart %q", layer.ErrNotFound, p.url, p.name)
	}
	return versions, nil
}

func (p chartPlace) tags(ctx context.Context) ([]string, error) {
	versions, err := p.versions(ctx)
	tags := make([]string, len(versions))
	for i, v := range versions {
		tags[i] = v.Version
	}
	return tags, err
}

// pin returns the digest of a packaged chart, which index.yaml has as a rule. If
// it has not, the chart is downloaded. It is not believed more than that: what is
// fetched is checked.
func (p chartPlace) pin(ctx context.Context, reference string) (string, digest.Digest, error) {
	v, err := p.version(ctx, reference)
	if err != nil || v.Digest != "" {
		return v.Version, v.Digest, err
	}
	body, err := p.get(ctx, v)
	if err != nil {
		return "", "", err
	}
	data, err := p.client.readAll(ctx, body, v.url(p.url), maxChart)
	return v.Version, digest.FromBytes(data), err
}

func (p chartPlace) version(ctx context.Context, reference string) (chartVersion, error) {
	versions, err := p.versions(ctx)
	if err != nil {
		return chartVersion{}, err
	}
	i := slices.IndexFunc(versions, func(v chartVersion) bool { return v.Version == reference || v.Digest.String() == reference })
	if i < 0 {
		return chartVersion{}, fmt.Errorf("%w: %s has no chart %q %s", layer.ErrNotFound, p.url, p.name, reference)
	}
	return versions[i], nil
}

// load downloads the packaged chart of a pin; whoever calls it checks the digest.
func (p chartPlace) load(ctx context.Context, pin layer.Pin) (io.ReadCloser, error) {
	if body, err := p.fromImport(ctx, pin.Digest); !errors.Is(err, errors.ErrUnsupported) {
		return body, err
	}
	v, err := p.version(ctx, pin.Resolved)
	if err != nil {
		return nil, err
	}
	body, err := p.get(ctx, v)
	if err != nil {
		return nil, err
	}
	return limited{io.LimitReader(body, p.client.maxBytes()), body}, nil
}

func (p chartPlace) get(ctx context.Context, v chartVersion) (io.ReadCloser, error) {
	at := v.url(p.url)
	if strings.HasPrefix(at, scheme) {
		return p.client.getChartLayer(ctx, at)
	}
	return p.client.getURL(ctx, at)
}

// getChartLayer gets a packaged chart that an index says is in an OCI registry,
// at "oci://host/path:tag".
func (c *Client) getChartLayer(ctx context.Context, at string) (io.ReadCloser, error) {
	i := strings.LastIndex(at, ":")
	l, err := parseLocation(at[:i])
	if err != nil {
		return nil, err
	}
	data, err := c.getManifest(ctx, l, at[i+1:])
	if err != nil {
		return nil, err
	}
	layers, err := readLayers(data)
	if err == nil && len(layers) != 1 {
		err = fmt.Errorf("want one layer, not %d", len(layers))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: manifest: %w", scrubURL(at), err)
	}
	return c.get(ctx, l, "blobs", layers[0].Digest.String())
}

// getURL gets what is at a URL, or at its mirrors. A host gets the credential
// that is for it, if it asks; where the URL comes from does not matter.
func (c *Client) getURL(ctx context.Context, at string) (io.ReadCloser, error) {
	return viaMirrors(ctx, c, at, func(at string) (io.ReadCloser, error) {
		if !isClassic(at) {
			return nil, fmt.Errorf("%w: %s is not in a classic Helm repository", layer.ErrNotFound, scrubURL(at))
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: not a URL", scrubURL(at))
		}
		return c.do(ctx, req)
	})
}

func (c *Client) download(ctx context.Context, at string, limit int64) ([]byte, error) {
	body, err := c.getURL(ctx, at)
	if err != nil {
		return nil, err
	}
	return c.readAll(ctx, body, at, limit)
}

// readAll reads and closes the body of an answer.
func (c *Client) readAll(ctx context.Context, body io.ReadCloser, at string, limit int64) ([]byte, error) {
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, classify(ctx, hostOf(at), err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %d MiB", scrubURL(at), limit>>20)
	}
	return data, nil
}
