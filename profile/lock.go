package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/strata-go/strata/layer"
)

// lockFormat is the version of the lock's format that this package writes, and
// the newest that it reads.
const lockFormat = 1

// A Lock says what every source of a stack was resolved to. Keep it beside the
// profiles: the same profiles with the same lock are the same bytes, on every
// machine and on every day.
type Lock struct {
	// Profiles are those that the stack was composed of.
	Profiles []ID `json:"profiles"`
	// Layers are the layers with a source in a registry, in the order in which
	// they are installed.
	Layers []LockedLayer `json:"layers"`
}

// A LockedLayer is what the source of one layer was resolved to.
type LockedLayer struct {
	Layer string `json:"layer"`
	layer.Pin
}

type lockFile struct {
	FormatVersion int `json:"formatVersion"`
	*Lock
}

// Format returns the lock as canonical JSON: equal locks give equal bytes.
func (l *Lock) Format() ([]byte, error) {
	data, err := json.MarshalIndent(lockFile{lockFormat, l}, "", "  ")
	return append(data, '\n'), err
}

// ParseLock parses what [Lock.Format] wrote. Its errors are [*Error] with
// [ErrLock].
func ParseLock(data []byte) (*Lock, error) {
	file := lockFile{Lock: new(Lock)}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		line := 1 + bytes.Count(data[:dec.InputOffset()], []byte("\n"))
		return nil, &Error{Line: line, Problem: fmt.Sprintf("reading the lock: %v", err), Err: ErrLock}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{Problem: "reading the lock: something follows its end", Err: ErrLock}
	}
	if file.FormatVersion < 1 || file.FormatVersion > lockFormat {
		return nil, &Error{Path: "formatVersion", Problem: fmt.Sprintf("is %d; this version reads up to %d, use a newer one", file.FormatVersion, lockFormat), Err: ErrLock}
	}
	for i, l := range file.Layers {
		if err := l.Digest.Validate(); err != nil {
			return nil, &Error{Path: fmt.Sprintf("layers[%d].digest", i), Problem: fmt.Sprintf("layer %q: %v", l.Layer, err), Err: ErrLock}
		}
	}
	return file.Lock, nil
}

// pin returns the pin of the layer, if its source is still the one that was
// resolved.
func (l *Lock) pin(name string, ref layer.Ref) (layer.Pin, bool) {
	if l == nil {
		return layer.Pin{}, false
	}
	for _, ll := range l.Layers {
		if ll.Layer == name && ll.Ref == ref {
			return ll.Pin, true
		}
	}
	return layer.Pin{}, false
}
