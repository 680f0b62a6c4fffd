package registry

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// defaultCacheBytes is how much the cache keeps, unless the client says
// otherwise.
const defaultCacheBytes = 10 << 30

// abandonedAfter is how old an unfinished file must be to have no writer.
const abandonedAfter = 24 * time.Hour

// A cached is a file in the cache.
type cached struct {
	path string
	size int64
	used time.Time
}

// trim evicts what was not used for longest, until the cache keeps its limit.
// What somebody reads stays. Eviction is a service: its problems are logged,
// and fail nobody's fetch.
func (c cache) trim() {
	files, total, err := c.list()
	if err != nil {
		c.log.Warn("looking through the cache", "error", err)
	}
	slices.SortFunc(files, func(a, b cached) int {
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path))
	})
	for _, f := range files {
		if total <= c.max {
			return
		}
		gone, err := evict(f.path)
		if err != nil {
			c.log.Warn("evicting from the cache", "file", f.path, "error", err)
		}
		if gone {
			total -= f.size
		}
	}
}

// list returns the complete files, and removes those whose writers died.
func (c cache) list() (files []cached, total int64, err error) {
	visit := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return ignoreGone(err)
		}
		info, err := d.Info()
		if err != nil {
			return ignoreGone(err)
		}
		switch {
		case !strings.Contains(filepath.Base(path), partial):
			files = append(files, cached{path, info.Size(), info.ModTime()})
			total += info.Size()
		case time.Since(info.ModTime()) > abandonedAfter:
			return ignoreGone(os.Remove(path))
		}
		return nil
	}
	// Not the locks: whoever holds one minds it.
	err = errors.Join(filepath.WalkDir(filepath.Join(c.dir, blobDir), visit), filepath.WalkDir(c.evidenceDir(), visit))
	return files, total, err
}

// evict removes a file that nobody reads. The lock is what readers hold, too.
func evict(path string) (gone bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist), ignoreGone(err)
	}
	if alone, err := tryLock(f, true); err != nil || !alone {
		_ = f.Close()
		return false, err
	}
	if err := ignoreGone(removeLocked(f)); err != nil {
		return false, err
	}
	return true, nil
}

// ignoreGone forgives that another process was faster.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
