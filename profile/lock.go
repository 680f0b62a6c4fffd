package profile

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
)

// lockFormat is the version of the lock's format that this package writes, and
// the newest that it reads. Fields that may be missing do not raise it.
const lockFormat = 1

// A Lock says what every source of a stack was resolved to, and what the stack
// was made of. Keep it beside the profiles: the same profiles with the same
// lock are the same bytes, on every machine and on every day.
//
// It holds no values of sensitive variables, only hashes of them, and those
// only if the stack has a LockKey.
type Lock struct {
	// Profiles are those that the stack was composed of: the infrastructure
	// first, the others by name.
	Profiles []LockedProfile `json:"profiles"`
	// Layers are in the order in which they are installed.
	Layers []LockedLayer `json:"layers"`
	// Variables are by name.
	Variables []LockedVariable `json:"variables,omitempty"`
}

// A LockedProfile is one profile of a locked stack.
type LockedProfile struct {
	ID
	// Digest is that of the profile; see [Profile.Digest].
	Digest digest.Digest `json:"digest,omitempty"`
	// Source is the artifact that the profile was fetched from; zero if it was
	// given to [Compose].
	Source layer.Pin `json:"source,omitzero"`
	// Cloud is where clusters of the profile run.
	Cloud string `json:"cloudType,omitempty"`
}

// A LockedLayer is what one layer was resolved to.
type LockedLayer struct {
	Layer        string     `json:"layer"`
	Kind         layer.Kind `json:"kind,omitempty"`
	InstallOrder int        `json:"installOrder,omitempty"`
	Profile      string     `json:"profile,omitempty"` // its name
	// Pin has the constraint and the strategy of the source, and what they led
	// to. That of manifests, which are in the profile, has their digest.
	layer.Pin
	// Values identifies all else that the profile and the override say of the
	// layer: values, presets, manifests, how to install it. Macros are in it as
	// they are written, so it tells nothing of what they stand for. Comments and
	// the layout of values do not matter.
	Values digest.Digest `json:"values,omitempty"`
}

// A LockedVariable is the value that a variable had.
type LockedVariable struct {
	Name string `json:"name"`
	// Value is empty if the variable is sensitive.
	Value string `json:"value,omitempty"`
	// Sensitive says that the value is not shown.
	Sensitive bool `json:"sensitive,omitempty"`
	// Hash is the HMAC-SHA256 of the name and value of a sensitive variable,
	// by the LockKey of the stack; empty if it has none.
	Hash string `json:"hash,omitempty"`
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

// ParseLock parses what [Lock.Format] wrote, in this version or an earlier one.
// Its errors are [*Error] with [ErrLock].
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
	if err := file.check(); err != nil {
		return nil, err
	}
	return file.Lock, nil
}

func (l *Lock) check() error {
	var errs []error
	problem := func(path, format string, args ...any) {
		errs = append(errs, &Error{Path: path, Problem: fmt.Sprintf(format, args...), Err: ErrLock})
	}
	seen := map[string]bool{}
	for i, ll := range l.Layers {
		if err := ll.Digest.Validate(); err != nil {
			problem(fmt.Sprintf("layers[%d].digest", i), "layer %q: %v", ll.Layer, err)
		}
		if ll.Layer == "" || seen[ll.Layer] {
			problem(fmt.Sprintf("layers[%d].layer", i), "%q is no name, or there twice", ll.Layer)
		}
		seen[ll.Layer] = true
	}
	profiles := map[string]bool{}
	for i, p := range l.Profiles {
		if p.Name == "" || profiles[p.Name] {
			problem(fmt.Sprintf("profiles[%d].name", i), "%q is no name, or there twice", p.Name)
		}
		profiles[p.Name] = true
		if !p.Source.Zero() {
			if err := p.Source.Digest.Validate(); err != nil {
				problem(fmt.Sprintf("profiles[%d].source.digest", i), "profile %s: %v", p.ID, err)
			}
		}
	}
	variables := map[string]bool{}
	for i, v := range l.Variables {
		if v.Name == "" || variables[v.Name] {
			problem(fmt.Sprintf("variables[%d].name", i), "%q is no name, or there twice", v.Name)
		}
		variables[v.Name] = true
	}
	return errors.Join(errs...)
}

func (l *Lock) clone() *Lock {
	return &Lock{slices.Clone(l.Profiles), slices.Clone(l.Layers), slices.Clone(l.Variables)}
}

// Pins returns the artifacts that the stack needs, each once: the sources of its
// layers in the order in which they are installed, and the profiles that came
// from a registry. Manifests are in profiles, and no artifacts.
func (l *Lock) Pins() []layer.Pin {
	var all []layer.Pin
	add := func(pin layer.Pin) {
		if !pin.Zero() && pin.Format != layer.FormatManifests && !slices.Contains(all, pin) {
			all = append(all, pin)
		}
	}
	for _, ll := range l.Layers {
		add(ll.Pin)
	}
	for _, p := range l.Profiles {
		add(p.Source)
	}
	return all
}

// byLayer returns the pins by layer.
func (l *Lock) byLayer() map[string]layer.Pin {
	pins := map[string]layer.Pin{}
	if l != nil {
		for _, ll := range l.Layers {
			pins[ll.Layer] = ll.Pin
		}
	}
	return pins
}

// profilePin returns the pin of a profile that a stack refers to, if the
// reference is still the one that was resolved.
func (l *Lock) profilePin(ref layer.Ref) (layer.Pin, bool) {
	if l == nil {
		return layer.Pin{}, false
	}
	i := slices.IndexFunc(l.Profiles, func(p LockedProfile) bool { return p.Source.Ref == ref && !p.Source.Zero() })
	if i < 0 {
		return layer.Pin{}, false
	}
	return l.Profiles[i].Source, true
}

// lock returns the lock of s, whose layers have these pins, and whose variables
// these values.
func (s *Stack) lock(layers []placed, pins []layer.Pin, values map[string]string) *Lock {
	lock := &Lock{Profiles: []LockedProfile{}, Layers: make([]LockedLayer, len(layers))}
	sensitive := map[string]bool{}
	for _, p := range s.sorted() {
		lock.Profiles = append(lock.Profiles, LockedProfile{p.ID(), p.Digest(), p.pin, p.Cloud()})
		for _, v := range p.Variables {
			sensitive[v.Name] = v.Sensitive
		}
	}
	for i, l := range layers {
		lock.Layers[i] = l.lock(pins[i], l.from.knownBy(s.memo))
	}
	for name, secret := range sensitive {
		v := LockedVariable{Name: name, Value: values[name]}
		if secret {
			v = LockedVariable{Name: name, Sensitive: true, Hash: s.hash(name, values[name])}
		}
		lock.Variables = append(lock.Variables, v)
	}
	slices.SortFunc(lock.Variables, func(a, b LockedVariable) int { return cmp.Compare(a.Name, b.Name) })
	return lock
}

func (l *placed) lock(pin layer.Pin, m *memo) LockedLayer {
	if l.Manifests != nil {
		pin = layer.Pin{Ref: layer.Ref{Format: layer.FormatManifests, Name: l.Name}, Digest: digestOf(l.Manifests)}
	}
	rest := l.Layer
	rest.Name, rest.Kind, rest.InstallOrder, rest.Source = "", "", 0, layer.Source{}
	rest.Values = m.document(l.Values).digest.String()
	if l.Helm != nil { // the release is not part of the pin
		rest.Helm = &layer.Helm{ReleaseName: l.Helm.ReleaseName}
	}
	return LockedLayer{l.Name, l.Kind.OrDefault(), l.InstallOrder, l.from.Name, pin, digestOf(rest)}
}

// hash returns a hash of a secret that tells nothing to who has not the key.
// With the name in it, equal secrets have different hashes.
func (s *Stack) hash(name, secret string) string {
	if len(s.LockKey) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, s.LockKey)
	mac.Write(fmt.Appendf(nil, "%d:%s%s", len(name), name, secret))
	return "hmac-sha256:" + hex.EncodeToString(mac.Sum(nil))
}
