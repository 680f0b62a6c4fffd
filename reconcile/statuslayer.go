package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/readiness"
	"github.com/strata-go/strata/layer"
)

// layerStatus says how a layer is, of whose objects live has the metadata.
func (s *session) layerStatus(ctx context.Context, entry *inventory.Layer, live observed) (LayerStatus, error) {
	l := describe(entry)
	seen, err := s.look(ctx, entry, func(o inventory.Object) bool { return live[o.Key()] != nil })
	if err != nil {
		return l, err
	}
	states := map[kube.Key]readiness.State{}
	for _, one := range seen {
		if one.state.Health == readiness.Progressing {
			why, err := s.diagnose(ctx, one.live)
			if err != nil {
				return l, err
			}
			if why != "" {
				one.state = readiness.State{Health: readiness.Failed, Message: why}
			}
		}
		states[one.ref.Key()] = one.state
		l.Endpoints = append(l.Endpoints, endpoints(one.live)...)
	}
	for _, o := range entry.Objects {
		found := live[o.Key()]
		going := (o.Dropped || entry.Dropped) && found != nil && found.DeletionTimestamp != nil
		switch {
		case going:
			message, beside, err := s.stuck(ctx, o, found)
			if err != nil {
				return l, err
			}
			l.Objects = append(l.Objects, ObjectStatus{ObjectRef: ObjectRef(o.Ref), UID: o.UID, Health: Removing, Message: message + beside})
		case !o.Dropped:
			l.Objects = append(l.Objects, objectStatus(l.Name, o, found, states[o.Key()]))
		}
	}
	l.judge(entry)
	if err := s.checkLayer(ctx, &l); err != nil {
		return l, err
	}
	return l, nil
}

// waits is the message of a layer that has not had its turn.
const waits = "it waits for the layers below it"

// waitsFor returns which of the layers below, in their order, l waits for.
func (l *LayerStatus) waitsFor(below []LayerStatus) string {
	var names []string
	for _, b := range below {
		if compareLayers(b, *l) != 0 && b.Health != Ready && b.Health != Removing && b.Message != waits {
			names = append(names, fmt.Sprintf("%s (%s)", b.Name, b.Health))
		}
	}
	if len(names) == 0 {
		return waits
	}
	return "it waits for " + strings.Join(names, ", ")
}

// compareLayers orders layers as they are installed; those that are installed
// together are equal.
func compareLayers(a, b LayerStatus) int {
	return cmp.Or(a.Kind.Compare(b.Kind), cmp.Compare(a.InstallOrder, b.InstallOrder))
}

// describe returns what the inventory says of a layer.
func describe(entry *inventory.Layer) LayerStatus {
	l := LayerStatus{
		Name: entry.Name, Kind: entry.Kind, InstallOrder: entry.InstallOrder, Profile: entry.Profile,
		Format: layer.FormatManifests, Source: entry.Profile.String(),
		Health: Ready, StartTime: entry.Began, EndTime: entry.Ready, Images: entry.Images, Objects: []ObjectStatus{},
		Replayed: len(entry.Past.Values) + len(entry.Past.Lookups),
	}
	if pin := entry.Pin; !pin.Zero() {
		l.Format, l.Package, l.Source, l.Version, l.Pin = pin.Format, pin.Name, pin.Repository, pin.Resolved, pin
	}
	for _, c := range entry.Charts {
		chart := ChartStatus{Name: c.Name, Version: c.Version, AppVersion: c.AppVersion, Release: c.Release, Namespace: c.Namespace}
		if r := entry.Release(c.Release, c.Namespace); r != nil {
			chart.Revision = r.Revision
		}
		l.Charts = append(l.Charts, chart)
	}
	return l
}

// objectStatus says how an object of the named layer is: as its state says, which is zero for
// those that are ready by existing, unless somebody changed it.
func objectStatus(name string, o inventory.Object, live *metav1.PartialObjectMetadata, state readiness.State) ObjectStatus {
	out := ObjectStatus{ObjectRef: ObjectRef(o.Ref), UID: o.UID, Health: Ready}
	if state.Health != "" && state.Health != readiness.Ready {
		out.Health, out.Message = Health(state.Health), state.Message
	}
	why := drift(o, live, time.Now())
	if why == "" {
		out.Drift = recall(name, o)
	}
	if why != "" || len(out.Drift) > 0 {
		out.Health, out.Message = Drifted, cmp.Or(why, "fields of it were changed, and stay so")
		if o.Applied == "" {
			out.Health = Progressing
		}
	}
	return out
}

// judge works out the health of l from its objects and from what the last pass
// met.
func (l *LayerStatus) judge(entry *inventory.Layer) {
	worst := func(h Health, message string) {
		if h.worse(l.Health) {
			l.Health, l.Message = h, message
		}
	}
	switch f := entry.Failure; {
	case f.Terminal:
		worst(Failed, f.Message)
	case f.Message != "":
		worst(Progressing, f.Message)
	}
	if entry.Began.IsZero() && entry.Ready.IsZero() {
		worst(Progressing, waits)
	}
	for _, o := range l.Objects {
		worst(o.Health, o.String()+": "+o.Message)
	}
	switch {
	case entry.Dropped:
		l.Health, l.Message = Removing, unwanted
	case !entry.Ready.IsZero():
	default:
		worst(Progressing, "not all of it was seen ready yet")
	}
}
