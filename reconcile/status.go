package reconcile

import (
	"cmp"
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

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
	Drifted     Health = "Drifted"     // somebody changed it, or the cluster is not what the layer describes
	Removing    Health = "Removing"    // it is no longer wanted, and not yet gone
)

// healths are from the worst to the best.
var healths = []Health{Failed, Drifted, Progressing, Removing, Ready}

// worse reports whether h is worse than other.
func (h Health) worse(other Health) bool {
	return slices.Index(healths, h) < slices.Index(healths, other)
}

// Status says what is on a target. As JSON its fields keep their names.
type Status struct {
	// Target names the cluster and the installation.
	Target TargetID `json:"target"`
	// Installed is false if there is no such installation on the cluster.
	Installed bool `json:"installed"`
	// KubernetesVersion is the version of the cluster.
	KubernetesVersion string `json:"kubernetesVersion"`
	// Health is that of the layer that is worst; empty if nothing is installed.
	Health Health `json:"health,omitempty"`
	// Profiles are those of the state that was last begun, and Lock pins its
	// sources.
	Profiles []profile.ID  `json:"profiles"`
	Lock     *profile.Lock `json:"lock,omitempty"`
	// Updates are newer versions of the profiles, once [Status.CheckUpdates]
	// has looked for them.
	Updates []profile.Newer `json:"updates,omitempty"`
	// Layers are in the order in which they are installed.
	Layers []LayerStatus `json:"layers"`
}

// LayerStatus says how one layer is.
type LayerStatus struct {
	Name         string       `json:"name"`
	Kind         layer.Kind   `json:"kind"`
	InstallOrder int          `json:"installOrder,omitempty"`
	Profile      profile.ID   `json:"profile"`
	Format       layer.Format `json:"format"`
	// Package is the name of the pack, chart or package, Source where it was
	// found. The source of manifests is their profile, and they have no package
	// and no version.
	Package string    `json:"package,omitempty"`
	Source  string    `json:"source"`
	Version string    `json:"version,omitempty"`
	Pin     layer.Pin `json:"pin,omitzero"`
	// Health is that of the object that is worst, and Message why.
	Health  Health `json:"health"`
	Message string `json:"message,omitempty"`
	// Conditions are all six, in the order of [ConditionTypes].
	Conditions []Condition `json:"conditions"`
	// StartTime is when work on the layer as it is now began: an install, an
	// upgrade or a repair. It is zero while the layer waits for others. EndTime
	// is when the layer was first seen ready after it; zero until then.
	StartTime time.Time `json:"startTime,omitzero"`
	EndTime   time.Time `json:"endTime,omitzero"`
	// Charts are the charts of the layer, in the order of their source.
	Charts []ChartStatus `json:"charts,omitempty"`
	// Images are those that the objects of the layer name, sorted. What operators
	// run beside them is not known.
	Images []string `json:"images,omitempty"`
	// Replayed is how many values the templates of the layer made or looked up
	// once and are given again each time: passwords, certificates, times.
	Replayed int `json:"replayed,omitempty"`
	// Endpoints are where the layer can be reached from outside of the cluster.
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	// Update is what is newer than the version; nil if nothing is, or before
	// [Status.CheckUpdates].
	Update  *profile.Newer `json:"update,omitempty"`
	Objects []ObjectStatus `json:"objects"`
}

// ChartStatus is a chart of a layer, and its Helm release.
type ChartStatus struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion,omitempty"`
	Release    string `json:"release"`
	Namespace  string `json:"namespace"`
	// Revision is that of the release; zero while none is recorded.
	Revision int `json:"revision,omitempty"`
}

// ObjectStatus says how one object is.
type ObjectStatus struct {
	ObjectRef
	// UID is empty for an object that was not yet applied.
	UID     types.UID `json:"uid,omitempty"`
	Health  Health    `json:"health"`
	Message string    `json:"message,omitempty"`
	// Drift is what others changed and the last pass left so: because it is only
	// reported, or fought about. What a next pass repairs is not in it.
	Drift []Drift `json:"drift,omitempty"`
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

// Count returns how many layers have the health.
func (s *Status) Count(h Health) int {
	n := 0
	for _, l := range s.Layers {
		if l.Health == h {
			n++
		}
	}
	return n
}

// status reads the inventory, what became of the objects in it, and how those
// are that can be otherwise than ready.
func (s *session) status(ctx context.Context) (_ *Status, err error) {
	ctx, end := s.begin(ctx, Span{Type: SpanLook})
	defer func() { end(Outcome{Err: err, Layers: s.healths}) }()
	now, err := s.survey(ctx)
	if err != nil {
		return nil, err
	}
	inv := now.inv
	out := &Status{
		Target: s.target.ID(), Installed: !inv.Empty(), KubernetesVersion: now.version,
		Profiles: inv.Profiles, Lock: inv.Lock, Layers: []LayerStatus{},
	}
	for i := range inv.Layers {
		l, err := s.layerStatus(ctx, &inv.Layers[i], now.live)
		if err != nil {
			return nil, err
		}
		out.Layers = append(out.Layers, l)
	}
	slices.SortStableFunc(out.Layers, func(a, b LayerStatus) int {
		return cmp.Or(compareLayers(a, b), cmp.Compare(a.Name, b.Name))
	})
	for i := len(out.Layers) - 1; i >= 0; i-- { // from the top, as what is below is yet to say for what it waits
		l := &out.Layers[i]
		if l.Message == waits {
			l.Message = l.waitsFor(out.Layers[:i])
		}
		l.Conditions = conditions(l, inv.Layer(l.Name))
	}
	if out.Installed {
		out.Health = Ready
	}
	s.healths = map[string]Health{}
	for _, l := range out.Layers {
		s.healths[l.Name] = l.Health
		if l.Health.worse(out.Health) {
			out.Health = l.Health
		}
	}
	return out, nil
}
