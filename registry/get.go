package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// maxManifest is the size of the largest manifest that is read; the OCI
// distribution specification asks registries to take as much.
const maxManifest = 4 << 20

// manifestTypes are what manifests may be. Docker's is that of old tools.
func manifestTypes() string {
	return strings.Join([]string{
		ocispec.MediaTypeImageManifest,
		ocispec.MediaTypeImageIndex,
		"application/vnd.docker.distribution.manifest.v2+json",
	}, ", ")
}

// getManifest returns the manifest of a tag or digest, which is not verified.
func (c *Client) getManifest(ctx context.Context, l location, reference string) ([]byte, error) {
	return getManifest(ctx, remoteDepot{c, l}, reference)
}

func getManifest(ctx context.Context, from depot, reference string) ([]byte, error) {
	body, err := from.get(ctx, "manifests", reference)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxManifest+1))
	if err != nil {
		return nil, classify(ctx, hostOf(fmt.Sprint(from)), err)
	}
	if len(data) > maxManifest {
		return nil, fmt.Errorf("the manifest is larger than %d MiB", maxManifest>>20)
	}
	return data, nil
}

// A remoteDepot is a repository of an OCI registry, or a mirror of it.
type remoteDepot struct {
	client *Client
	location
}

func (d remoteDepot) get(ctx context.Context, kind, reference string) (io.ReadCloser, error) {
	return d.client.get(ctx, d.location, kind, reference)
}

// get requests a manifest or a blob, of a mirror if there is one.
func (c *Client) get(ctx context.Context, l location, kind, reference string) (io.ReadCloser, error) {
	return viaMirrors(ctx, c, l.String(), func(url string) (io.ReadCloser, error) {
		at, err := parseLocation(url)
		if err != nil {
			return nil, err
		}
		return c.getFrom(ctx, at, kind, reference)
	})
}

// getFrom requests a manifest or a blob. Nothing of the answer but its body is
// used, and that is verified by whoever knows the digest: oras would believe
// headers, and report those that do not fit without saying which kind of
// problem it is.
func (c *Client) getFrom(ctx context.Context, l location, kind, reference string) (io.ReadCloser, error) {
	protocol := "https"
	if c.plainHTTP(l.Registry) {
		protocol = "http"
	}
	ctx = auth.AppendRepositoryScope(ctx, l.Reference, auth.ActionPull)
	target := fmt.Sprintf("%s://%s/v2/%s/%s/%s", protocol, l.Host(), l.Repository, kind, reference)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, classify(ctx, l.Registry, err)
	}
	if kind == "manifests" {
		req.Header.Set("Accept", manifestTypes())
	}
	return c.do(ctx, req)
}

// do sends a request for content, and returns the body of the answer.
func (c *Client) do(ctx context.Context, req *http.Request) (io.ReadCloser, error) {
	resp, err := c.authClient().Do(req)
	if err != nil {
		return nil, classify(ctx, req.URL.Host, err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, classify(ctx, req.URL.Host, &errcode.ErrorResponse{
			Method: req.Method, URL: req.URL, StatusCode: resp.StatusCode,
		})
	}
	return resp.Body, nil
}
