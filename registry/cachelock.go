package registry

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/strata-go/strata/internal/retry"
)

// wait calls try until it succeeds or fails. It asks again and again, since the
// systems' own waiting for a lock cannot be cancelled.
func wait(ctx context.Context, try func() (bool, error)) error {
	pause := retry.Backoff{First: 2 * time.Millisecond, Longest: 100 * time.Millisecond}
	for {
		if ok, err := try(); ok || err != nil {
			return err
		}
		if pause.Wait(ctx) != nil {
			return context.Cause(ctx)
		}
	}
}

// lockPath holds the lock that is a file of that name. The file goes with the
// lock; of a process that dies an empty one is left, which locks nothing.
func lockPath(ctx context.Context, path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	var held *os.File
	err = wait(ctx, func() (bool, error) {
		held, err = tryLockPath(path)
		return held != nil, err
	})
	if err != nil {
		return nil, err
	}
	return func() { _ = removeLocked(held) }, nil
}

// tryLockPath returns nil if somebody else holds the lock.
func tryLockPath(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrPermission) && runtime.GOOS == "windows" {
		return nil, nil // its removal is under way
	}
	if err != nil {
		return nil, err
	}
	ok, err := tryLock(f, true)
	if !ok || err != nil {
		_ = f.Close()
		return nil, err
	}
	// Its last holder may have removed the file after it was opened here; then
	// others lock another file of that name.
	mine, err := f.Stat()
	if err == nil {
		var there fs.FileInfo
		if there, err = os.Stat(path); err == nil && os.SameFile(mine, there) {
			return f, nil
		}
	}
	_ = f.Close()
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return nil, err
}

// removeLocked removes and closes a file that is locked, so that nobody else
// can lock what is about to go. Windows removes no file that is open, and so
// none that somebody else has opened in the meantime.
func removeLocked(f *os.File) error {
	if runtime.GOOS == "windows" {
		return errors.Join(f.Close(), os.Remove(f.Name()))
	}
	return errors.Join(os.Remove(f.Name()), f.Close())
}
