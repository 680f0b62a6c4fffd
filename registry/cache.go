package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
)

// A cache keeps content in files that are named after its digest. A file is
// written elsewhere and then renamed, so that other processes see all of it or
// nothing; and it is verified whenever it is read, so that damage heals.
type cache struct {
	dir string
	log *slog.Logger
}

func (c *Client) cache() (cache, error) {
	dir := c.CacheDir
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return cache{}, fmt.Errorf("no place for the cache: set Client.CacheDir: %w", err)
		}
		dir = filepath.Join(base, "strata")
	}
	return cache{dir: filepath.Join(dir, "blobs"), log: c.log()}, nil
}

// path returns the file of a digest, which must be valid.
func (c cache) path(d digest.Digest) string {
	return filepath.Join(c.dir, d.Algorithm().String(), d.Encoded())
}

// open returns the verified content of a digest, from its start. What is
// damaged is removed, and not there: the error wraps [fs.ErrNotExist].
func (c cache) open(ctx context.Context, d digest.Digest) (*os.File, error) {
	f, err := os.Open(c.path(d))
	if err != nil {
		return nil, err
	}
	verifier := d.Verifier()
	if _, err = io.Copy(verifier, contextReader{ctx, f}); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil && verifier.Verified() {
		return f, nil
	}
	f.Close()
	if err == nil {
		c.log.Warn("removing a damaged file from the cache", "file", f.Name())
		err = errors.Join(fs.ErrNotExist, os.Remove(f.Name()))
	}
	return nil, err
}

// add stores what r yields, if it matches the digest. The error wraps
// [layer.ErrDigest] if it does not, and is an [*os.PathError] if the cache
// cannot be written; else it is that of r.
func (c cache) add(d digest.Digest, r io.Reader) (err error) {
	path := c.path(d)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "partial-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	verifier := d.Verifier()
	if _, err := io.Copy(io.MultiWriter(f, verifier), r); err != nil {
		return err
	}
	if !verifier.Verified() {
		return layer.ErrDigest
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// A contextReader stops reading when its context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
