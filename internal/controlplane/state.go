package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	dirPrefix     = "strata-controlplane-"
	keptDirPrefix = "strata-kept-controlplane-"
	lockFile      = "lock"
	readyFile     = "ready.json"
	componentLog  = "kubernetes.log"
	etcdLog       = "etcd.log"
)

// stateDir is the one directory that the process writes to.
type stateDir struct {
	path string
	keep bool
	lock *os.File // held as long as the process lives
}

// newStateDir makes a directory that only this user can enter. It also removes
// those of earlier processes that were killed before they could do it.
func newStateDir(keep bool) (*stateDir, error) {
	removeAbandoned(os.TempDir())
	prefix := dirPrefix
	if keep {
		prefix = keptDirPrefix
	}
	path, err := os.MkdirTemp("", prefix) // mode 0700
	if err != nil {
		return nil, fmt.Errorf("making the state directory: %w", err)
	}
	lock, err := tryLock(filepath.Join(path, lockFile))
	if err != nil {
		return nil, fmt.Errorf("locking the state directory: %w", errors.Join(err, os.RemoveAll(path)))
	}
	return &stateDir{path: path, keep: keep, lock: lock}, nil
}

// openStateDir opens the directory that another process has left, or makes one
// if path is empty.
func openStateDir(path string, keep bool) (*stateDir, error) {
	if path == "" {
		return newStateDir(keep)
	}
	lock, err := tryLock(filepath.Join(path, lockFile))
	if err != nil {
		return nil, fmt.Errorf("locking the state directory that was left: %w", err)
	}
	return &stateDir{path: path, keep: keep, lock: lock}, nil
}

// save keeps what is printed, for a process that goes on in the directory.
func (d *stateDir) save(r ready) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding the ready line: %w", err)
	}
	if err := os.WriteFile(d.file(readyFile), text, 0o600); err != nil {
		return fmt.Errorf("keeping the ready line: %w", err)
	}
	return nil
}

// saved returns what an earlier process has saved; false if there was none.
func (d *stateDir) saved() (ready, bool, error) {
	var r ready
	text, err := os.ReadFile(d.file(readyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, false, fmt.Errorf("reading what an earlier process has left: %w", err)
	}
	return r, true, nil
}

func (d *stateDir) file(name string) string { return filepath.Join(d.path, name) }

// remove removes the directory and returns err, joined with its own failure.
func (d *stateDir) remove(err error) error {
	if d.keep {
		fmt.Fprintln(os.Stderr, "controlplane: state and logs are kept in", d.path)
		return err
	}
	// The components still run and may make a file while their directory is being
	// removed. They make them rarely, so a second attempt finds it empty.
	var removing error
	for range 10 {
		if removing = os.RemoveAll(d.path); removing == nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.Join(err, fmt.Errorf("removing the state directory: %w", removing))
}

// lastLogLines returns the end of the logs, for an error message.
func (d *stateDir) lastLogLines(n int) []byte {
	var out []byte
	for _, name := range []string{etcdLog, componentLog} {
		text, err := os.ReadFile(d.file(name))
		if err != nil || len(text) == 0 {
			continue // the process may have failed before this log was begun
		}
		lines := bytes.SplitAfter(text, []byte("\n"))
		out = fmt.Appendf(out, "last lines of %s:\n%s", name, bytes.Join(lines[max(0, len(lines)-n-1):], nil))
	}
	return out
}

// removeAbandoned removes the state directories below parent whose process is
// gone: a lock ends with the process that held it.
func removeAbandoned(parent string) {
	paths, err := filepath.Glob(filepath.Join(parent, dirPrefix+"*"))
	if err != nil {
		return // only for a bad pattern
	}
	for _, path := range paths {
		// A young directory may belong to a process that is about to lock it.
		if info, err := os.Stat(path); err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if lock, err := tryLock(filepath.Join(path, lockFile)); err == nil {
			_ = os.RemoveAll(path) // the next process tries again
			_ = lock.Close()
		}
	}
}

// tryLock opens the file and locks it, or fails at once if somebody holds it.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
