package profile

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// snapshotFormat is the version of snapshots that this package writes, and the
// newest that it reads.
const snapshotFormat = 1

// A snapshot is everything that a desired state was resolved from.
type snapshot struct {
	FormatVersion int               `json:"formatVersion"`
	Profiles      []document        `json:"profiles"`
	Overrides     []Override        `json:"overrides,omitempty"`
	Variables     map[string]string `json:"variables,omitempty"`
	System        map[string]string `json:"system,omitempty"`
	Macros        stackMacros       `json:"macros,omitzero"`
	Lock          *Lock             `json:"lock"`
}

// Snapshot returns all that d was resolved from, as JSON: the profiles, what
// the cluster says of them, and the lock. [Restore] makes d of it again.
//
// It holds the values of sensitive variables. Keep it as secret as those.
func (d *Desired) Snapshot() ([]byte, error) {
	s := snapshot{
		FormatVersion: snapshotFormat, Overrides: d.stack.Overrides, Variables: d.stack.Variables, System: d.stack.System,
		Macros: stackMacros(d.stack.Macros), Lock: d.lock,
	}
	for _, p := range d.stack.sorted() {
		s.Profiles = append(s.Profiles, *p.document())
	}
	return json.Marshal(s)
}

// Restore makes the state of which a snapshot was taken. It looks no version
// up, and asks nobody. The errors are those of [Stack.Resolve], and an [*Error]
// with [ErrSyntax] if data is no snapshot that this version reads.
func Restore(ctx context.Context, data []byte) (*Desired, error) {
	var s snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, &Error{Problem: fmt.Sprintf("reading the snapshot: %v", err), Err: ErrSyntax}
	}
	if s.FormatVersion < 1 || s.FormatVersion > snapshotFormat {
		return nil, &Error{Path: "formatVersion", Problem: fmt.Sprintf("is %d; this version reads up to %d, use a newer one", s.FormatVersion, snapshotFormat), Err: ErrSyntax}
	}
	stack := &Stack{Overrides: s.Overrides, Variables: s.Variables, System: s.System, Macros: Macros(s.Macros), memo: new(memo)}
	for _, doc := range s.Profiles {
		stack.Profiles = append(stack.Profiles, doc.profile())
	}
	d, err := stack.Resolve(ctx, nil, s.Lock)
	if err != nil {
		return nil, err
	}
	// It has hashes that were made with a key, and where profiles came from.
	d.lock = s.Lock
	return d, nil
}

// clone returns a copy of s that does not change when fields of s, or of its
// profiles, are set.
func (s *Stack) clone() *Stack {
	c := *s
	c.Profiles, c.Overrides = slices.Clone(s.Profiles), slices.Clone(s.Overrides)
	c.Variables, c.System = maps.Clone(s.Variables), maps.Clone(s.System)
	c.Macros = Macros{maps.Clone(s.Macros.Project), maps.Clone(s.Macros.Tenant), maps.Clone(s.Macros.System)}
	for i, p := range c.Profiles {
		p := *p
		p.Layers, p.Variables = slices.Clone(p.Layers), slices.Clone(p.Variables)
		c.Profiles[i] = &p
	}
	return &c
}
