package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	oci "oras.land/oras-go/v2/registry"

	"github.com/strata-go/strata/layer"
)

// layoutFile marks a folder as an OCI image layout.
const layoutFile = ocispec.ImageLayoutFile

// A layout is an OCI image layout on disk, as the OCI image specification 1.1
// has it. What its index lists is named by the annotation
// org.opencontainers.image.ref.name: a full reference ("host/path/name:tag"), of
// which the last part counts, or a path without host; or only a tag, and then the
// artifact says its name itself.
type layout struct {
	client *Client
	url    string // as in Client.Registries
	dir    string
	name   string // of what is looked for
	format layer.Format
}

// String returns the URL of the layout, as pins have it.
func (l layout) String() string { return l.url }

// get implements depot.
func (l layout) get(_ context.Context, _, reference string) (io.ReadCloser, error) {
	d, err := digest.Parse(reference)
	if err != nil {
		return nil, err
	}
	f, err := l.open(path.Join(ocispec.ImageBlobsDir, d.Algorithm().String(), d.Encoded()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s has no %s", layer.ErrNotFound, l.url, d)
	}
	return f, err
}

// open opens a file of the layout; links do not lead out of it.
func (l layout) open(name string) (*os.File, error) {
	root, err := os.OpenRoot(l.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Open(name)
}

// tagged returns the manifests of what is looked for, by tag.
func (l layout) tagged(ctx context.Context) (map[string]ocispec.Descriptor, error) {
	f, err := l.open(ocispec.ImageIndexFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxIndex+1))
	if err == nil && len(data) > maxIndex {
		err = fmt.Errorf("larger than %d MiB", maxIndex>>20)
	}
	var index ocispec.Index
	if err == nil {
		err = json.Unmarshal(data, &index)
	}
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", l.url, ocispec.ImageIndexFile, err)
	}
	found := map[string]ocispec.Descriptor{}
	for _, m := range index.Manifests {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		tag, ok := l.tag(ctx, m)
		if !ok {
			continue
		}
		if other, ok := found[tag]; ok && other.Digest != m.Digest {
			return nil, fmt.Errorf("%s: %s %s is there twice, as %s and %s", l.url, l.name, tag, other.Digest, m.Digest)
		}
		found[tag] = m
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %s has no %s %q", layer.ErrNotFound, l.url, l.format, l.name)
	}
	return found, nil
}

// tag returns the tag of a manifest, if it is of what is looked for.
func (l layout) tag(ctx context.Context, m ocispec.Descriptor) (string, bool) {
	name := m.Annotations[ocispec.AnnotationRefName]
	repository, tag := "", name
	if i := strings.LastIndex(name, ":"); i >= 0 {
		repository, tag = name[:i], name[i+1:]
	}
	if m.Digest.Validate() != nil || (oci.Reference{Reference: tag}).ValidateReferenceAsTag() != nil {
		return "", false
	}
	if repository != "" {
		return tag, l.isAt("/" + repository)
	}
	return tag, l.says(ctx, m)
}

// isAt reports whether a path is one of what is looked for. Packs and profiles
// have folders of their own; everything else is outside of them.
func (l layout) isAt(path string) bool {
	base, ok := strings.CutSuffix(path, "/"+l.name)
	base += "/"
	if below := paths()[l.format]; below != "" {
		return ok && strings.HasSuffix(base, "/"+below)
	}
	return ok && !strings.HasSuffix(base, "/"+packPath) && !strings.HasSuffix(base, "/"+profilePath)
}

// says reports whether a manifest says that it is of what is looked for.
func (l layout) says(ctx context.Context, m ocispec.Descriptor) bool {
	data, err := getManifest(ctx, l, m.Digest.String())
	if err != nil {
		return false
	}
	var manifest ocispec.Manifest
	if json.Unmarshal(data, &manifest) != nil {
		return false
	}
	if manifest.Annotations[ocispec.AnnotationTitle] == l.name {
		return true
	}
	return slices.ContainsFunc(manifest.Layers, func(d ocispec.Descriptor) bool {
		return strings.HasPrefix(d.Annotations[ocispec.AnnotationTitle], l.name+"-")
	})
}

func (l layout) tags(ctx context.Context) ([]string, error) {
	found, err := l.tagged(ctx)
	var tags []string
	for tag := range found {
		tags = append(tags, tag)
	}
	return tags, err
}

func (l layout) pin(ctx context.Context, reference string) (string, digest.Digest, error) {
	found, err := l.tagged(ctx)
	if err != nil {
		return "", "", err
	}
	for tag, m := range found {
		if tag == reference || m.Digest.String() == reference {
			_, d, err := l.client.pin(ctx, l, l.format, m.Digest.String())
			return tag, d, err
		}
	}
	return "", "", fmt.Errorf("%w: %s has no %s %q %s", layer.ErrNotFound, l.url, l.format, l.name, reference)
}
