package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/strata-go/strata/internal/inventory"
)

// A Store keeps the records of installations: what each owns on its cluster.
// Some are named as their installation, and those of its good states with a dot
// and a number after that. They are opaque, and hold sensitive values. reconciletest.TestStore
// tests an implementation. Its methods may be called concurrently.
type Store interface {
	// Load returns the record and its version. Without a record both are empty.
	Load(ctx context.Context, name string) (data []byte, version string, err error)
	// Save replaces the record if its version is still the given one, which is
	// empty for one that is not there, and returns the new version. Otherwise
	// the error wraps [ErrChanged], and nothing is changed.
	Save(ctx context.Context, name string, data []byte, version string) (string, error)
	// Delete removes the record. One that is not there is no error.
	Delete(ctx context.Context, name string) error
}

var _ Store = inventory.Store(nil)

// A MemoryStore keeps records in memory, for tests. Its zero value is empty. It
// is safe for concurrent use.
type MemoryStore struct {
	mu      sync.Mutex
	records map[string]memoryRecord
	saves   int
}

type memoryRecord struct {
	data    []byte
	version string
}

// Load returns the record and its version.
func (s *MemoryStore) Load(_ context.Context, name string) ([]byte, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[name]
	return append([]byte(nil), r.data...), r.version, nil
}

// Save replaces the record, if its version is still the given one.
func (s *MemoryStore) Save(_ context.Context, name string, data []byte, version string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records[name].version != version {
		return "", ErrChanged
	}
	if s.records == nil {
		s.records = map[string]memoryRecord{}
	}
	s.saves++
	r := memoryRecord{append([]byte{}, data...), strconv.Itoa(s.saves)}
	s.records[name] = r
	return r.version, nil
}

// Delete removes the record.
func (s *MemoryStore) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, name)
	return nil
}

// A FileStore keeps each record in a file of its own. It is safe for concurrent
// use by the goroutines of one process, not by several processes.
type FileStore struct {
	// Dir is where the files are. It is created if it is missing.
	Dir string

	mu sync.Mutex
}

func (s *FileStore) path(name string) string { return filepath.Join(s.Dir, name+".inventory") }

// Load returns the record; its version is the hash of it.
func (s *FileStore) Load(_ context.Context, name string) ([]byte, string, error) {
	data, err := os.ReadFile(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	return data, hashOf(data), err
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Save replaces the file, if it is still the given version. A crash leaves the
// old file or the new one.
func (s *FileStore) Save(ctx context.Context, name string, data []byte, version string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, now, err := s.Load(ctx, name)
	if err != nil {
		return "", err
	}
	if now != version {
		return "", fmt.Errorf("%w (%s)", ErrChanged, s.path(name))
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(s.Dir, "."+name+"-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.path(name))
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return hashOf(data), nil
}

// Delete removes the file.
func (s *FileStore) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
