package reconcile

import (
	"context"
	"time"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/readiness"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// A Health is how far a layer or an object has got.
type Health string

// The healths.
const (
	Ready       Health = "Ready"
	Progressing Health = "Progressing" // it may become ready by itself
	Failed      Health = "Failed"      // it will not
	Drifted     Health = "Drifted"     // somebody changed it; the next pass repairs it
	Removing    Health = "Removing"    // it is no longer wanted, and not yet gone
)

// Status says what is on a target.
type Status struct {
	// Target is the name of the installation.
	Target string `json:"target"`
	// Installed is false if there is no such installation on the cluster.
	Installed bool `json:"installed"`
	// KubernetesVersion is the version of the cluster.
	KubernetesVersion string `json:"kubernetesVersion"`
	// Profiles are those of the state that was last begun, and Lock pins its
	// sources.
	Profiles []profile.ID  `json:"profiles"`
	Lock     *profile.Lock `json:"lock,omitempty"`
	// Layers are in the order in which they are installed.
	Layers []LayerStatus `json:"layers"`
}

// LayerStatus says how one layer is.
type LayerStatus struct {
	Name    string       `json:"name"`
	Kind    layer.Kind   `json:"kind"`
	Profile profile.ID   `json:"profile"`
	Format  layer.Format `json:"format"`
	// Source and Version are what the layer was made from; Version is empty for
	// manifests, which have their profile's.
	Source  string    `json:"source"`
	Version string    `json:"version,omitempty"`
	Pin     layer.Pin `json:"pin,omitzero"`
	Health  Health    `json:"health"`
	Message string    `json:"message,omitempty"` // why the layer is not ready
	// ReadySince is when the layer was first seen ready as it is now.
	ReadySince time.Time      `json:"readySince,omitzero"`
	Objects    []ObjectStatus `json:"objects"`
}

// ObjectStatus says how one object is.
type ObjectStatus struct {
	ObjectRef
	Health  Health `json:"health"`
	Message string `json:"message,omitempty"`
}

// Ready reports whether everything that is installed is ready.
func (s *Status) Ready() bool {
	for _, l := range s.Layers {
		if l.Health != Ready {
			return false
		}
	}
	return s.Installed
}

// status reads the inventory, what became of the objects in it, and how those
// are that can be otherwise than ready.
func (s *session) status(ctx context.Context) (*Status, error) {
	now, err := s.survey(ctx)
	if err != nil {
		return nil, err
	}
	inv := now.inv
	out := &Status{
		Target: s.target.name(), Installed: !inv.Empty(), KubernetesVersion: now.version,
		Profiles: inv.Profiles, Lock: inv.Lock, Layers: []LayerStatus{},
	}
	for i := range inv.Layers {
		l, err := s.layerStatus(ctx, &inv.Layers[i], now.live)
		if err != nil {
			return nil, err
		}
		out.Layers = append(out.Layers, l)
	}
	sortLayers(out.Layers, inv)
	return out, nil
}

func (s *session) layerStatus(ctx context.Context, entry *inventory.Layer, live observed) (LayerStatus, error) {
	l := LayerStatus{
		Name: entry.Name, Kind: entry.Kind, Profile: entry.Profile, Format: layer.FormatManifests, Source: entry.Profile.String(),
		Pin: entry.Pin, Version: entry.Pin.Resolved, Health: Ready, ReadySince: entry.Ready,
	}
	if !entry.Pin.Zero() {
		l.Format, l.Source = entry.Pin.Format, entry.Pin.Repository
	}
	seen, err := s.look(ctx, entry, func(o inventory.Object) bool { return live[o.Key()] != nil })
	if err != nil {
		return l, err
	}
	states := map[kube.Key]readiness.State{}
	for _, one := range seen {
		states[one.ref.Key()] = one.state
	}
	for _, o := range entry.Wanted() {
		status := ObjectStatus{ObjectRef: ObjectRef(o.Ref), Health: Ready}
		if state, ok := states[o.Key()]; ok && state.Health != readiness.Ready {
			status.Health, status.Message = Health(state.Health), state.Message
		}
		if why := drift(o, live[o.Key()]); why != "" {
			status.Health, status.Message = Drifted, why
		}
		l.Objects = append(l.Objects, status)
		if l.Health == Ready && status.Health != Ready {
			l.Health, l.Message = status.Health, status.String()+": "+status.Message
		}
	}
	switch {
	case entry.Dropped:
		l.Health, l.Message = Removing, unwanted
	case l.Health == Ready && entry.Ready.IsZero():
		l.Health, l.Message = Progressing, "not all of it was seen ready yet"
	}
	return l, nil
}
