package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
)

// Fetch returns the files of a pinned artifact, in memory: of the pack
// directory, or of the chart. It goes by the digest alone and looks at no tag.
// It asks the registry only for what the cache lacks.
//
// The error wraps [layer.ErrDigest] if the registry has other content under
// the digest; that is not kept. It wraps [layer.ErrNotFound] if the registry
// does not have it. Archives with links, or that unpack to too much, are
// refused; so is a pack with defects (each a [*pack.Error]) or of another name.
func (c *Client) Fetch(ctx context.Context, pin layer.Pin) (fs.FS, error) {
	files, err := c.fetch(ctx, pin)
	if err != nil {
		return nil, fail("fetch", pin.Ref, pin.Digest, err)
	}
	return files, nil
}

func (c *Client) fetch(ctx context.Context, pin layer.Pin) (fs.FS, error) {
	if err := pin.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	l, err := parseLocation(pin.Repository)
	if err != nil {
		return nil, err
	}
	store, err := c.cache()
	if err != nil {
		return nil, err
	}
	from := source{client: c, location: l, cache: store}
	content, err := from.content(ctx, pin)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	files, err := archive.ReadTarGz(contextReader{ctx, content}, archive.Limits{})
	if err != nil {
		return nil, err
	}
	return check(files, pin)
}

// check returns the root of what was fetched, if it is what the pin names.
func check(files fs.FS, pin layer.Pin) (fs.FS, error) {
	switch pin.Format {
	case layer.FormatPack:
		p, err := pack.Open(files)
		if err != nil {
			return nil, err
		}
		if p.Name != pin.Name {
			return nil, fmt.Errorf("this is the pack %q, not %q", p.Name, pin.Name)
		}
		return p.FS(), nil
	case layer.FormatHelm:
		return archive.Root(files, chartFile)
	}
	return nil, fmt.Errorf("format %q: %w in registries", pin.Format, errors.ErrUnsupported)
}

// A source is a repository behind a cache.
type source struct {
	client   *Client
	location location
	cache    cache
}

// content returns the verified archive of an artifact.
func (s source) content(ctx context.Context, pin layer.Pin) (*os.File, error) {
	f, err := s.open(ctx, pin.Digest, func() (io.ReadCloser, error) {
		data, err := s.client.getManifest(ctx, s.location, pin.Digest.String())
		return io.NopCloser(bytes.NewReader(data)), err
	})
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	defer f.Close()
	blob, err := onlyLayer(f)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if err := s.client.allow(blob.Size); err != nil {
		return nil, err
	}
	f, err = s.open(ctx, blob.Digest, func() (io.ReadCloser, error) {
		body, err := s.client.get(ctx, s.location, "blobs", blob.Digest.String())
		if err != nil {
			return nil, err
		}
		// What is too long is not what the digest promises: one byte of it is
		// enough to see that.
		return limited{io.LimitReader(body, blob.Size+1), body}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", blob.Digest, err)
	}
	return f, nil
}

type limited struct {
	io.Reader
	io.Closer
}

// open returns the content of a digest: from the cache, or else by way of it.
func (s source) open(ctx context.Context, d digest.Digest, download func() (io.ReadCloser, error)) (*os.File, error) {
	f, err := s.cache.open(ctx, d)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if s.client.Offline {
		return nil, fmt.Errorf("not in the cache: %w", ErrOffline)
	}
	s.cache.log.Debug("fetching", "repository", s.location.String(), "digest", d.String())
	body, err := download()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	err = s.cache.add(d, body)
	var local *os.PathError
	switch {
	case err == nil:
		return s.cache.open(ctx, d)
	case errors.Is(err, layer.ErrDigest):
		return nil, fmt.Errorf("%s: %w", s.location, err)
	case errors.As(err, &local):
		return nil, err
	}
	return nil, classify(ctx, s.location.Registry, err)
}

// provenance is the signature that helm push may put beside a chart.
const provenance = "application/vnd.cncf.helm.chart.provenance.v1.prov"

// onlyLayer reads a manifest and returns its layer, which must be the only one.
// Its media type is not looked at: tools differ, and its bytes tell.
func onlyLayer(r io.Reader) (ocispec.Descriptor, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	var manifest struct {
		Layers []ocispec.Descriptor `json:"layers"`
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		return ocispec.Descriptor{}, err
	}
	var found []ocispec.Descriptor
	for _, l := range manifest.Layers {
		if l.MediaType != provenance {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		return ocispec.Descriptor{}, fmt.Errorf("want one layer, not %d", len(found))
	}
	if err := found[0].Digest.Validate(); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("digest of the layer: %w", err)
	}
	return found[0], nil
}
