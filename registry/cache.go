package registry

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
)

const (
	// blobDir holds content, by algorithm and digest.
	blobDir = "blobs"
	// partial is in the names of files that are still being written.
	partial = ".partial-"
	// touchAfter is how old the time of last use must be to be written again.
	touchAfter = time.Minute
)

// A cache keeps content in files that are named after its digest. Processes
// share it: a file is written under another name and then renamed, one process
// at a time downloads a digest, and whoever reads a file holds a shared lock on
// it, so that it is not evicted. Content is verified whenever it is read.
type cache struct {
	dir string
	max int64 // bytes in all
	log *slog.Logger
	// added lists the files that were written, if somebody may want to take
	// them back. It is not safe for concurrent use.
	added *[]string
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
	limit := c.CacheBytes
	if limit <= 0 {
		limit = defaultCacheBytes
	}
	return cache{dir: dir, max: limit, log: c.log()}, nil
}

// path returns the file of a digest, which must be valid.
func (c cache) path(d digest.Digest) string {
	return filepath.Join(c.dir, blobDir, d.Algorithm().String(), d.Encoded())
}

// lock keeps other processes, and other goroutines, from downloading the same.
func (c cache) lock(ctx context.Context, d digest.Digest) (unlock func(), err error) {
	return lockPath(ctx, filepath.Join(c.dir, "locks", d.Algorithm().String()+"-"+d.Encoded()))
}

// open returns the verified content of a digest, from its start. Until it is
// closed it is not evicted. What is damaged is not there: the error wraps
// [fs.ErrNotExist], and the next [cache.add] puts good content in its place.
func (c cache) open(ctx context.Context, d digest.Digest) (*os.File, error) {
	f, err := os.Open(c.path(d))
	if err != nil {
		return nil, err
	}
	if err := c.check(ctx, f, d); err != nil {
		_ = f.Close()
		return nil, err
	}
	if info, err := f.Stat(); err == nil && time.Since(info.ModTime()) > touchAfter {
		now := time.Now()
		_ = os.Chtimes(f.Name(), now, now) // a cache that may only be read works too
	}
	return f, nil
}

func (c cache) check(ctx context.Context, f *os.File, d digest.Digest) error {
	if err := wait(ctx, func() (bool, error) { return tryLock(f, false) }); err != nil {
		return fmt.Errorf("locking %s: %w", f.Name(), err)
	}
	verifier := d.Verifier()
	if _, err := io.Copy(verifier, contextReader{ctx, f}); err != nil {
		return err
	}
	if !verifier.Verified() {
		c.log.WarnContext(ctx, "a file in the cache is damaged", "file", f.Name())
		return fmt.Errorf("damaged: %w", fs.ErrNotExist)
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// add stores what r yields, if it matches the digest. The error wraps
// [layer.ErrDigest] if it does not, and is an [*os.PathError] if the cache
// cannot be written; else it is that of r.
func (c cache) add(d digest.Digest, r io.Reader) error {
	return c.write(c.path(d), d, r)
}

func (c cache) write(path string, d digest.Digest, r io.Reader) error {
	err := writeVerified(path, d, r)
	if err == nil && c.added != nil {
		*c.added = append(*c.added, path)
	}
	return err
}

// takeBack removes what was written.
func (c cache) takeBack() {
	for _, path := range *c.added {
		_ = os.Remove(path) // it is only of no use
	}
}

// writeVerified makes the file path of what r yields, all of it or nothing.
// Errors are as in [cache.add].
func writeVerified(path string, d digest.Digest, r io.Reader) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), d.Encoded()+partial+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
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
