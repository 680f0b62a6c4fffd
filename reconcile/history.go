package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/profile"
)

// A State is a state of an installation in which all of it was ready.
type State struct {
	// Digest is that of the desired state.
	Digest   digest.Digest `json:"digest"`
	Profiles []profile.ID  `json:"profiles"`
	// Lock is nil if somebody deleted the record of the state. Then nobody can go
	// back to it.
	Lock *profile.Lock `json:"lock"`
	// Ready is when the state was first seen ready.
	Ready time.Time `json:"ready"`
	// Current says that the installation is at this state: no other was begun
	// since. There may be none such.
	Current bool `json:"current,omitempty"`
}

// History returns the last ten states in which all was ready, newest first. A
// state that the installation went back to is there twice.
func (r *Reconciler) History(ctx context.Context, t Target) ([]State, error) {
	var states []State
	err := r.beside(ctx, t, "History", func(ctx context.Context, s *session) (err error) {
		states, err = s.states(ctx)
		return err
	})
	return states, err
}

func (s *session) states(ctx context.Context) ([]State, error) {
	inv, err := s.keeper.Load(ctx)
	if err != nil {
		return nil, err
	}
	states := []State{}
	for _, known := range slices.Backward(inv.States) {
		state := State{Digest: known.Desired, Profiles: known.Profiles, Ready: known.Ready, Current: inv.Current(known)}
		record, err := s.history().Load(ctx, known)
		if err == nil {
			state.Lock = record.Lock
		} else if !errors.Is(err, inventory.ErrNoRecord) {
			return nil, err
		}
		states = append(states, state)
	}
	return states, nil
}

// history returns what keeps the states of the installation.
func (s *session) history() inventory.History {
	store := s.store(s.target, s.client)
	if secrets, ok := store.(*inventory.Secrets); ok {
		secrets.HistoryOf = s.target.name()
	}
	return inventory.History{Store: store, Name: s.target.name()}
}

// remember keeps d, at which the installation is, unless it was there before.
// It lists it in inv, which is held meanwhile.
func (s *session) remember(ctx context.Context, inv *inventory.Inventory, d *profile.Desired) error {
	if n := len(inv.States); n > 0 && inv.States[n-1].Desired == d.Digest() {
		return nil
	}
	if s.held == nil {
		if err := s.hold(ctx, inv); err != nil {
			return err
		}
	}
	snapshot, err := d.Snapshot()
	if err != nil {
		return err
	}
	state := inventory.State{Desired: d.Digest(), Profiles: d.Profiles(), Ready: time.Now().UTC().Truncate(time.Second)}
	return s.history().Add(ctx, inv, inventory.Record{State: state, Lock: d.Lock(), Snapshot: snapshot})
}
