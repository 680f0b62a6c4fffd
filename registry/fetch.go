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
	"slices"

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
// does not have it, and [layer.ErrSignature] if [Client.Verifier] does not
// accept it. Archives with links, or that unpack to too much, are
// refused; so is a pack with defects (each a [*pack.Error]) or of another name.
func (c *Client) Fetch(ctx context.Context, pin layer.Pin) (fs.FS, error) {
	files, err := c.fetch(ctx, pin)
	if err != nil {
		return nil, fail("fetch", pin.Ref, pin.Digest, err)
	}
	return files, nil
}

func (c *Client) fetch(ctx context.Context, pin layer.Pin) (files fs.FS, err error) {
	if err := pin.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	from, err := c.origin(pin)
	if err != nil {
		return nil, err
	}
	from.cache.added = new([]string)
	defer func() {
		// What was refused is not kept, even if it is what its digest says.
		if err != nil && ctx.Err() == nil && !errors.Is(err, layer.ErrUnavailable) {
			from.cache.takeBack()
		}
	}()
	if pin.Format == layer.FormatZarf {
		return from.titled(ctx, pin)
	}
	content, err := from.content(ctx, pin)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if pin.Format == layer.FormatProfile {
		return profileFiles(content, pin)
	}
	unpacked, err := archive.ReadTarGz(contextReader{ctx, content}, archive.Limits{})
	if err != nil {
		return nil, err
	}
	return check(unpacked, pin)
}

// check returns the root of what was fetched, if it is what the pin names.
func check(files fs.FS, pin layer.Pin) (fs.FS, error) {
	switch pin.Format { //nolint:exhaustive // what the others hold need not bear the name
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

// A depot holds manifests and blobs by digest.
type depot interface {
	// get returns a manifest (kind "manifests") or a blob (kind "blobs"), not
	// verified.
	get(ctx context.Context, kind, reference string) (io.ReadCloser, error)
}

// A source is where a pin's content comes from, behind a cache.
type source struct {
	client   *Client
	cache    cache
	place    string   // for people
	location location // if it is a repository of an OCI registry
	local    bool     // on disk, so that Client.Offline does not matter

	// One of the two is set: depot, or what gets the content itself.
	depot depot
	load  func(ctx context.Context, pin layer.Pin) (io.ReadCloser, error)
}

// content returns the verified content of an artifact: its archive, or the
// text of a profile.
func (s source) content(ctx context.Context, pin layer.Pin) (*os.File, error) {
	if s.depot == nil {
		if s.client.Verifier != nil {
			return nil, s.unsigned()
		}
		return s.open(ctx, pin.Digest, func() (io.ReadCloser, error) { return s.load(ctx, pin) })
	}
	layers, err := s.layers(ctx, pin)
	if err != nil {
		return nil, err
	}
	if len(layers) != 1 {
		return nil, fmt.Errorf("manifest: want one layer, not %d", len(layers))
	}
	return s.blob(ctx, layers[0])
}

// unsigned is the error for what only an artifact in an OCI registry can have.
func (s source) unsigned() error {
	return unverified(fmt.Errorf("%s: only artifacts in an OCI registry have signatures that Client.Verifier could look at", s.place))
}

// layers returns the layers that the verified manifest of an artifact lists.
func (s source) layers(ctx context.Context, pin layer.Pin) ([]ocispec.Descriptor, error) {
	data, err := s.manifest(ctx, pin)
	if errors.Is(err, layer.ErrSignature) {
		return nil, err
	}
	var layers []ocispec.Descriptor
	if err == nil {
		layers, err = readLayers(data)
	}
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return layers, nil
}

// manifest returns the manifest of an artifact, which matches its digest and,
// if there is a Verifier, is signed. It is kept only then.
func (s source) manifest(ctx context.Context, pin layer.Pin) ([]byte, error) {
	accepted := s.client.Verifier == nil
	accept := func(data []byte) error {
		switch {
		case accepted:
			return nil
		case s.location == location{}:
			return s.unsigned()
		}
		accepted = true
		return s.verify(ctx, pin, data)
	}
	f, err := s.open(ctx, pin.Digest, func() (io.ReadCloser, error) {
		data, err := getManifest(ctx, s.depot, pin.Digest.String())
		if err == nil {
			err = accept(data)
		}
		return io.NopCloser(bytes.NewReader(data)), err
	})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err == nil {
		err = accept(data)
	}
	return data, err
}

// blob returns the verified content of a layer.
func (s source) blob(ctx context.Context, d ocispec.Descriptor) (*os.File, error) {
	if err := s.client.allow(d.Size); err != nil {
		return nil, err
	}
	f, err := s.open(ctx, d.Digest, func() (io.ReadCloser, error) {
		body, err := s.depot.get(ctx, "blobs", d.Digest.String())
		if err != nil {
			return nil, err
		}
		// What is too long is not what the digest promises: one byte of it is
		// enough to see that.
		return limited{io.LimitReader(body, d.Size+1), body}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", d.Digest, err)
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
	if s.client.Offline && !s.local {
		return nil, fmt.Errorf("not in the cache: %w", ErrOffline)
	}
	unlock, err := s.cache.lock(ctx, d)
	if err != nil {
		return nil, err
	}
	defer unlock()
	// Whoever had the lock before may have downloaded it.
	if f, err = s.cache.open(ctx, d); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := s.download(ctx, d, download); err != nil {
		return nil, err
	}
	if f, err = s.cache.open(ctx, d); err == nil {
		s.cache.trim() // but not of f, which is open
	}
	return f, err
}

// download puts the content of a digest into the cache.
func (s source) download(ctx context.Context, d digest.Digest, get func() (io.ReadCloser, error)) error {
	s.cache.log.DebugContext(ctx, "fetching", "repository", s.place, "digest", d.String())
	body, err := get()
	if err != nil {
		return err
	}
	defer body.Close()
	err = s.cache.add(d, body)
	var local *os.PathError
	switch {
	case errors.Is(err, layer.ErrDigest):
		return fmt.Errorf("%s: %w", s.place, err)
	case errors.As(err, &local):
		return err
	}
	return classify(ctx, hostOf(s.place), err)
}

// provenance is the signature that helm push may put beside a chart.
const provenance = "application/vnd.cncf.helm.chart.provenance.v1.prov"

// readLayers returns the layers of a manifest. Their media types are not looked
// at: tools differ, and the bytes tell.
func readLayers(manifest []byte) ([]ocispec.Descriptor, error) {
	var m struct {
		Layers []ocispec.Descriptor `json:"layers"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, err
	}
	layers := slices.DeleteFunc(m.Layers, func(d ocispec.Descriptor) bool { return d.MediaType == provenance })
	for _, d := range layers {
		if err := d.Digest.Validate(); err != nil {
			return nil, fmt.Errorf("digest of a layer: %w", err)
		}
	}
	return layers, nil
}
