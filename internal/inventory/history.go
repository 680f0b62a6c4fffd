package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/profile"
)

// keptStates is how many good states an installation can go back to.
const keptStates = 10

// A State is a state that was once ready in full. What it was made from is in a
// record of its own: see [History].
type State struct {
	// Number counts the states of the installation, from zero.
	Number int `json:"number"`
	// Desired is the digest of the state.
	Desired  digest.Digest `json:"desired"`
	Profiles []profile.ID  `json:"profiles"`
	// Ready is when it was first seen ready.
	Ready time.Time `json:"ready"`
}

// Current reports whether the installation is at s, the last of its good
// states, and nothing else was begun since.
func (inv *Inventory) Current(s State) bool {
	return s.Desired == inv.Begun && s.Number == inv.nextState()-1
}

// nextState returns the number of the next state.
func (inv *Inventory) nextState() int {
	if n := len(inv.States); n > 0 {
		return inv.States[n-1].Number + 1
	}
	return 0
}

// Full reports whether the next good state displaces another.
func (inv *Inventory) Full() bool { return inv.nextState() >= keptStates }

// ErrNoRecord says that nothing is known any more of a state.
var ErrNoRecord = errors.New("the record of the state is missing or another's")

// A Record is what a state was made from.
type Record struct {
	State
	Lock     *profile.Lock   `json:"lock"`
	Snapshot json.RawMessage `json:"snapshot"` // see [profile.Desired.Snapshot]
}

// A History keeps the records of the good states of one installation.
//
// There is one place more for them than there are states, and they take turns:
// a new record never replaces one that the inventory lists. So a crash leaves no
// listed state without a record, and at most one record that is not listed, in
// the place of the next.
type History struct {
	Store Store
	Name  string // of the installation
}

func (h History) place(number int) string {
	return fmt.Sprintf("%s.%d", h.Name, number%(keptStates+1))
}

// Add keeps r as the newest state. It writes the record, and lists the state in
// inv, which must be held, and saved after. What is no longer listed then is
// for [History.Trim] to delete.
func (h History) Add(ctx context.Context, inv *Inventory, r Record) error {
	r.Number = inv.nextState()
	data, err := compress(storedRecord{format, &r})
	if err != nil {
		return fmt.Errorf("encoding a state: %w", err)
	}
	place := h.place(r.Number)
	_, err = h.Store.Save(ctx, place, data, "")
	if errors.Is(err, ErrChanged) { // one that is not listed is in its place
		var version string
		if _, version, err = h.Store.Load(ctx, place); err == nil {
			_, err = h.Store.Save(ctx, place, data, version)
		}
	}
	if err != nil {
		return fmt.Errorf("writing the state %q: %w", place, err)
	}
	all := append(slices.Clip(inv.States), r.State)
	inv.States = all[max(0, len(all)-keptStates):]
	return nil
}

// Trim deletes the record that the newest state displaced. inv is saved.
func (h History) Trim(ctx context.Context, inv *Inventory) error {
	if inv.nextState() <= keptStates {
		return nil
	}
	return h.delete(ctx, inv.nextState())
}

// Load reads the record of a state. The error wraps [ErrNoRecord] if it is gone.
func (h History) Load(ctx context.Context, s State) (*Record, error) {
	place := h.place(s.Number)
	data, _, err := h.Store.Load(ctx, place)
	if err != nil {
		return nil, fmt.Errorf("reading the state %q: %w", place, err)
	}
	r := storedRecord{Record: new(Record)}
	if data == nil {
		err = ErrNoRecord
	} else if err = decompress(data, &r); err == nil {
		err = checkFormat(r.Format)
	}
	if err == nil && r.Desired != s.Desired {
		err = ErrNoRecord
	}
	if err != nil {
		return nil, fmt.Errorf("reading the state %q: %w", place, err)
	}
	return r.Record, nil
}

// Delete deletes all records, also one that inv does not list.
func (h History) Delete(ctx context.Context, inv *Inventory) error {
	if inv.version == "" {
		return nil
	}
	for _, s := range inv.States {
		if err := h.delete(ctx, s.Number); err != nil {
			return err
		}
	}
	return h.delete(ctx, inv.nextState())
}

func (h History) delete(ctx context.Context, number int) error {
	if err := h.Store.Delete(ctx, h.place(number)); err != nil {
		return fmt.Errorf("deleting the state %q: %w", h.place(number), err)
	}
	return nil
}
