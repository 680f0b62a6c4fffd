package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

const packFile = "pack.json"

// isLocal reports whether a URL is that of a folder on disk, which is one of the
// client's registries: what a profile says must not make the client read others.
func (c *Client) isLocal(text string) bool {
	looks := strings.HasPrefix(text, "file://") || strings.HasPrefix(text, ".") || filepath.IsAbs(text)
	return looks && slices.ContainsFunc(c.Registries, func(r Registry) bool { return r.URL == text })
}

// folder returns the place of ref in a folder: an OCI layout if it is one.
func (c *Client) folder(text string, ref layer.Ref) (place, error) {
	dir := text
	if strings.Contains(text, "://") {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "file" || u.User != nil || u.Host != "" && u.Host != "localhost" || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("%s: want oci://host/path, https://host/path, file:///path or a path", scrubURL(text))
		}
		dir = filepath.FromSlash(u.Path)
	}
	if _, err := os.Stat(filepath.Join(dir, layoutFile)); err == nil {
		return layout{c, text, dir, ref.Name, ref.Format}, nil
	}
	if !slices.Contains([]layer.Format{layer.FormatPack, layer.FormatHelm, layer.FormatProfile}, ref.Format) {
		return nil, fmt.Errorf("%s: format %q: %w in folders", text, ref.Format, errors.ErrUnsupported)
	}
	return folder{c, text, dir, ref.Name, ref.Format}, nil
}

// A folder has packs, charts and profiles as its subfolders, or is one itself.
// Links are followed only within it.
type folder struct {
	client *Client
	url    string // as in Client.Registries
	dir    string
	name   string // of what is looked for
	format layer.Format
}

// String returns the URL of the folder, as pins have it.
func (f folder) String() string { return f.url }

// An item is a version of something in a folder.
type item struct {
	version string
	path    string // below the folder
	load    func(root fs.FS) ([]byte, error)
}

// items returns the versions that are in the folder. What is broken is skipped.
func (f folder) items() ([]item, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", layer.ErrUnavailable, err)
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	names := []string{"."}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	var found []item
	for _, name := range names {
		i, ok, err := f.item(root.FS(), name)
		if err != nil {
			f.client.log().Warn("skipping what is broken in a folder", "folder", f.url, "path", name, "problem", err.Error())
		}
		if !ok {
			continue
		}
		if j := slices.IndexFunc(found, func(other item) bool { return other.version == i.version }); j >= 0 {
			return nil, fmt.Errorf("%s: %s and %s are both %s %s", f.url, found[j].path, i.path, f.name, i.version)
		}
		found = append(found, i)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %s has no %s %q", layer.ErrNotFound, f.url, f.format, f.name)
	}
	return found, nil
}

// item returns what is at a path, if it is what is looked for.
func (f folder) item(root fs.FS, name string) (item, bool, error) {
	if f.format == layer.FormatHelm && strings.HasPrefix(name, f.name+"-") && strings.HasSuffix(name, ".tgz") {
		return f.packaged(root, name)
	}
	file := map[layer.Format]string{layer.FormatPack: packFile, layer.FormatHelm: chartFile, layer.FormatProfile: profileFile}[f.format]
	data, err := readFile(root, path.Join(name, file), maxProfile)
	if err != nil {
		if i, statErr := fs.Stat(root, path.Join(name, file)); statErr != nil || i.IsDir() {
			return item{}, false, nil //nolint:nilerr // it is something else
		}
		return item{}, false, err
	}
	found, v, err := identify(f.format, data)
	if err != nil || found != f.name {
		return item{}, false, err
	}
	load := func(root fs.FS) ([]byte, error) { return archiveOf(root, name, f.prefix(v)) }
	if f.format == layer.FormatProfile {
		load = func(root fs.FS) ([]byte, error) { return readFile(root, path.Join(name, file), maxProfile) }
	}
	return item{v, name, load}, true, nil
}

// prefix is the folder in the archive of a version, as a push has it.
func (f folder) prefix(v string) string {
	if f.format == layer.FormatPack {
		return f.name + "-" + v
	}
	return f.name
}

// packaged returns the chart in a .tgz file.
func (f folder) packaged(root fs.FS, name string) (item, bool, error) {
	data, err := readFile(root, name, maxChart)
	if err != nil {
		return item{}, false, err
	}
	files, err := archive.ReadTarGz(bytes.NewReader(data), archive.Limits{})
	if err != nil {
		return item{}, false, err
	}
	chart, err := archive.Root(files, chartFile)
	if err != nil {
		return item{}, false, err
	}
	data, err = readFile(chart, chartFile, maxChartFile)
	if err != nil {
		return item{}, false, err
	}
	found, v, err := identify(layer.FormatHelm, data)
	load := func(root fs.FS) ([]byte, error) { return readFile(root, name, maxChart) }
	return item{v, name, load}, err == nil && found == f.name, err
}

// identify reads the name and the version of a pack, chart or profile.
func identify(format layer.Format, data []byte) (name, version string, err error) {
	var id struct{ Name, Version string }
	switch format {
	case layer.FormatProfile:
		ref, err := profileRef(data)
		return ref.Name, ref.Version, err
	case layer.FormatPack:
		err = json.Unmarshal(data, &id)
	default:
		err = yaml.Unmarshal(data, &id)
	}
	if err == nil && id.Version == "" {
		err = errors.New("there is no version")
	}
	return id.Name, id.Version, err
}

// archiveOf returns the archive of a subfolder: equal files, equal bytes.
func archiveOf(root fs.FS, dir, prefix string) ([]byte, error) {
	files, err := fs.Sub(root, dir)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	err = archive.WriteTarGz(&buf, files, prefix)
	return buf.Bytes(), err
}

func readFile(root fs.FS, name string, limit int64) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s: larger than %d MiB", name, limit>>20)
	}
	return data, err
}

func (f folder) tags(ctx context.Context) ([]string, error) {
	items, err := f.items()
	tags := make([]string, len(items))
	for i, item := range items {
		tags[i] = version.ToTag(item.version)
	}
	return tags, errors.Join(err, ctx.Err())
}

// read returns the content of a version.
func (f folder) read(i item) ([]byte, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	data, err := i.load(root.FS())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", i.path, err)
	}
	return data, f.client.allow(int64(len(data)))
}

// pin returns the digest of a version's archive, or the version of a digest.
func (f folder) pin(ctx context.Context, reference string) (string, digest.Digest, error) {
	items, err := f.items()
	if err != nil {
		return "", "", err
	}
	isDigest := strings.Contains(reference, ":")
	for _, i := range items {
		tag := version.ToTag(i.version)
		if ctx.Err() != nil {
			return "", "", context.Cause(ctx)
		}
		if tag != reference && !isDigest {
			continue
		}
		data, err := f.read(i)
		if err != nil {
			return "", "", err
		}
		if d := digest.FromBytes(data); !isDigest || d.String() == reference {
			return tag, d, nil
		}
	}
	return "", "", fmt.Errorf("%w: %s has no %s %q %s", layer.ErrNotFound, f.url, f.format, f.name, reference)
}

// load returns the content for a pin; whoever calls it checks the digest.
func (f folder) load(_ context.Context, pin layer.Pin) (io.ReadCloser, error) {
	items, err := f.items()
	if err != nil {
		return nil, err
	}
	for _, i := range items {
		if version.ToTag(i.version) == pin.Resolved {
			data, err := f.read(i)
			return io.NopCloser(bytes.NewReader(data)), err
		}
	}
	return nil, fmt.Errorf("%w: %s has no %s %q %s", layer.ErrNotFound, f.url, f.format, f.name, pin.Resolved)
}
