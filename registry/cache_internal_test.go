package registry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// A file that is open is not evicted; that it is cannot be seen from outside,
// since Fetch reads everything before it returns.
func TestTrimKeepsWhatIsOpen(t *testing.T) {
	t.Parallel()
	c := cache{dir: t.TempDir(), max: 1, log: (&Client{}).log()}
	open, closed := digest.FromString("open"), digest.FromString("closed")
	for d, text := range map[digest.Digest]string{open: "open", closed: "closed"} {
		if err := c.add(d, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := c.open(t.Context(), open)
	if err != nil {
		t.Fatal(err)
	}
	c.trim()
	if _, err := os.Stat(c.path(closed)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the closed file is left: %v", err)
	}
	if _, err := os.Stat(c.path(open)); err != nil {
		t.Errorf("the open file was evicted: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	c.trim()
	if _, err := os.Stat(c.path(open)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("once closed it is left: %v", err)
	}
}

// One holder at a time, although the file of the lock goes with each.
func TestLockPathExcludes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x")
	var holders, taken atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				f, err := tryLockPath(path) // in no order, and without pauses
				if err != nil {
					t.Error(err)
					return
				}
				if f == nil {
					continue
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d hold the lock", n)
				}
				taken.Add(1)
				time.Sleep(10 * time.Microsecond)
				holders.Add(-1)
				if err := removeLocked(f); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if taken.Load() == 0 {
		t.Error("nobody got the lock")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is left: %v", err)
	}
}
