package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/layer"
)

// maxIndexFile bounds the index of a layout.
const maxIndexFile = 64 << 20

// Import pushes what [Client.Export] wrote, a folder or a tar file, into an OCI
// registry, named by name or URL. Content of "oci://host/path" goes to
// registry/host/path, with "_" for the colon of a port; and so does that of a
// classic Helm repository "https://host/path", as OCI artifacts.
//
// It returns the mirrors with which a [Client] finds the content there by its
// original names: append them to [Client.Mirrors]. They keep the client from
// asking the originals.
//
// Everything is verified before it is pushed, and pushing again what is there
// changes nothing. A tag that stands for something else there is moved only if
// [Client.Replace] is set; else the error wraps [ErrExists]. A tar file is
// unpacked to a temporary folder first. The error is an [*Error].
func (c *Client) Import(ctx context.Context, src, registry string) ([]Mirror, error) {
	mirrors, err := c.importFrom(ctx, src, registry)
	if err != nil {
		return nil, fail("import", layer.Ref{}, "", err)
	}
	return mirrors, nil
}

func (c *Client) importFrom(ctx context.Context, src, registry string) ([]Mirror, error) {
	base, err := c.registryURL(registry)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(base, scheme) {
		return nil, fmt.Errorf("%s: %w: only OCI registries are pushed to", scrubURL(base), errors.ErrUnsupported)
	}
	if c.Offline {
		return nil, ErrOffline
	}
	info, err := os.Stat(src)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		dir, err := os.MkdirTemp("", "strata-import-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if err := unpackLayout(ctx, src, dir); err != nil {
			return nil, fmt.Errorf("%s: %w", src, err)
		}
		src = dir
	}
	return c.importLayout(ctx, src, strings.TrimRight(base, "/"))
}

func (c *Client) importLayout(ctx context.Context, dir, base string) ([]Mirror, error) {
	entries, err := readLayout(dir)
	if err != nil {
		return nil, err
	}
	var mirrors []Mirror
	for _, d := range entries {
		repository := d.Annotations[repositoryAnnotation]
		target, mirror, err := imported(base, repository)
		if err != nil {
			return nil, err
		}
		to := importer{client: c, dir: dir, to: target}
		if err := to.tagged(ctx, d, d.Annotations[tagAnnotation]); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Annotations[ocispec.AnnotationRefName], err)
		}
		if !slices.Contains(mirrors, mirror) {
			mirrors = append(mirrors, mirror)
		}
	}
	return mirrors, nil
}

// readLayout returns the entries of a layout's index.
func readLayout(dir string) ([]ocispec.Descriptor, error) {
	f, err := os.Open(filepath.Join(dir, ocispec.ImageIndexFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxIndexFile+1))
	if err == nil && len(data) > maxIndexFile {
		err = fmt.Errorf("larger than %d MiB", maxIndexFile>>20)
	}
	var index ocispec.Index
	if err == nil {
		err = json.Unmarshal(data, &index)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", ocispec.ImageIndexFile, err)
	}
	for i, d := range index.Manifests {
		if d.Annotations[repositoryAnnotation] == "" {
			return nil, fmt.Errorf("%s: manifests[%d] has no annotation %s: only what Export wrote can be imported",
				ocispec.ImageIndexFile, i, repositoryAnnotation)
		}
	}
	return index.Manifests, nil
}

// imported returns where content of a repository goes, and the mirror that
// leads there.
func imported(base, repository string) (location, Mirror, error) {
	u, err := url.Parse(repository)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || !slices.Contains([]string{"oci", "https", "http"}, u.Scheme) {
		return location{}, Mirror{}, fmt.Errorf("%s: want the URL of a repository", scrubURL(repository))
	}
	to := base + "/" + strings.ReplaceAll(strings.ToLower(u.Host), ":", "_")
	l, err := parseLocation(to + u.Path)
	return l, Mirror{From: u.Scheme + "://" + u.Host, To: to, Only: true}, err
}

// unpackLayout unpacks a tar file whose files are those of a layout, each of
// which is named after its digest, and checked.
func unpackLayout(ctx context.Context, file, dir string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return archive.Walk(contextReader{ctx, f}, layoutLimits(), func(name string, _ int64, content io.Reader) error {
		if name == ocispec.ImageLayoutFile {
			return nil
		}
		if name == ocispec.ImageIndexFile {
			return writeSmall(filepath.Join(dir, name), content)
		}
		rest, ok := strings.CutPrefix(name, ocispec.ImageBlobsDir+"/")
		d := digest.Digest(strings.Replace(rest, "/", ":", 1))
		if !ok || d.Validate() != nil {
			return errors.New("not a file of an OCI image layout")
		}
		return writeVerified(blobFile(dir, d), d, content)
	})
}

func writeSmall(file string, r io.Reader) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(r, maxIndexFile+1))
	if n > maxIndexFile {
		err = fmt.Errorf("larger than %d MiB", maxIndexFile>>20)
	}
	return errors.Join(err, f.Close())
}
