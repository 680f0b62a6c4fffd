package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
)

// exportedAtOnce is how many artifacts and images are exported at a time.
const exportedAtOnce = 4

// ExportOptions say what is exported besides the pins' content.
type ExportOptions struct {
	// Images are references of container images, "nginx:1.27" or
	// "host/path@sha256:...", as container runtimes read them. All platforms
	// of an image are exported. Images are bound by digests only: the client's
	// Verifier is not asked about them.
	Images []string
	// ListedImages says that the images are exported, too, that packs among the
	// pins list in their own values (pack.content.images).
	ListedImages bool
}

// Export writes the content of pins (those of profile.Lock.Pins, for instance) to
// an OCI image layout, which [Client.Import] or other tools bring into a registry: to
// a new folder dst, or to one tar file if dst ends in ".tar". What was written
// is whole, or not there. Equal content gives equal bytes. Pins of manifests,
// which profiles hold themselves, are left out.
//
// Everything is verified, as in [Client.Fetch]. If there is a Verifier, the
// signatures that it found are exported too, and so it accepts the content
// where it is imported.
//
// The error is an [*Error] for each pin and image that could not be had, joined.
// Pins of folders on disk cannot be exported.
func (c *Client) Export(ctx context.Context, pins []layer.Pin, dst string, options ExportOptions) error {
	err := c.export(ctx, pins, dst, options)
	var own *Error
	if err != nil && !errors.As(err, &own) {
		return fail("export", layer.Ref{}, "", err)
	}
	return err
}

func (c *Client) export(ctx context.Context, pins []layer.Pin, dst string, options ExportOptions) error {
	if _, err := os.Lstat(dst); err == nil {
		return fmt.Errorf("%s: %w", dst, os.ErrExist)
	}
	// Beside dst, so that it can be renamed.
	dir, err := os.MkdirTemp(filepath.Dir(dst), "."+filepath.Base(dst)+partial)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pins = slices.DeleteFunc(slices.Clone(pins), func(pin layer.Pin) bool { return pin.Zero() || pin.Format == layer.FormatManifests })
	e := &exporter{client: c, layout: layoutWriter{dir: filepath.Join(dir, "layout")}}
	images := options.Images
	if options.ListedImages {
		listed, err := e.listed(ctx, pins)
		if err != nil {
			return err
		}
		images = unique(slices.Concat(images, listed))
	}
	if err := e.all(ctx, pins, images); err != nil {
		return err
	}
	if err := e.layout.close(); err != nil {
		return err
	}
	if !strings.HasSuffix(dst, ".tar") {
		return os.Rename(e.layout.dir, dst)
	}
	file := filepath.Join(dir, "layout.tar")
	if err := writeTar(file, e.layout.dir); err != nil {
		return err
	}
	return os.Rename(file, dst)
}

// listed returns the images that packs list.
func (e *exporter) listed(ctx context.Context, pins []layer.Pin) ([]string, error) {
	var all []string
	var problems []error
	for _, pin := range pins {
		if pin.Format != layer.FormatPack {
			continue
		}
		images, err := e.listedBy(ctx, pin)
		if err != nil {
			problems = append(problems, fail("export", pin.Ref, pin.Digest, err))
		}
		all = append(all, images...)
	}
	return all, errors.Join(problems...)
}

func (e *exporter) listedBy(ctx context.Context, pin layer.Pin) ([]string, error) {
	files, err := e.client.Fetch(ctx, pin)
	if err != nil {
		return nil, err
	}
	p, err := pack.Open(files)
	if err != nil {
		return nil, err
	}
	return p.ListedImages()
}

func unique(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// layoutLimits bound layouts: they hold whole operating systems.
func layoutLimits() archive.Limits {
	return archive.Limits{Total: 4 << 40, File: 256 << 30, Entries: 1_000_000}
}

func writeTar(file, dir string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(archive.WriteTar(f, os.DirFS(dir), layoutLimits()), f.Close())
}

// all exports everything, and reports all problems.
func (e *exporter) all(ctx context.Context, pins []layer.Pin, images []string) error {
	var group errgroup.Group
	group.SetLimit(exportedAtOnce)
	problems := make([]error, len(pins)+len(images))
	for i, pin := range pins {
		group.Go(func() error {
			if err := e.pin(ctx, pin); err != nil {
				problems[i] = fail("export", pin.Ref, pin.Digest, err)
			}
			return nil
		})
	}
	for i, image := range images {
		group.Go(func() error {
			if err := e.image(ctx, image); err != nil {
				problems[len(pins)+i] = fail("export", imageRef(image), "", err)
			}
			return nil
		})
	}
	_ = group.Wait() // its functions return nil
	return errors.Join(problems...)
}
