package reconcile

import (
	"slices"
	"time"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

// holds reports whether carrying out p begins with saying that we are at work.
func (p *Plan) holds(announced *inventory.Inventory) bool {
	return !p.still() || slices.ContainsFunc(p.layers, func(l *layerWork) bool { return len(l.unbegun(announced.Layer(l.Name))) > 0 })
}

// announced returns the inventory to be written before anything is applied:
// what was owned, and what will be.
func (p *Plan) announced() *inventory.Inventory {
	inv := p.before.Clone()
	inv.Begun, inv.Back = p.Desired, p.back
	inv.Profiles, inv.Lock = p.desired.Profiles(), p.desired.Lock()
	for i := range inv.Layers {
		inv.Layers[i].Dropped = true
	}
	for _, l := range p.layers {
		entry := inv.Layer(l.Name)
		if entry == nil {
			inv.Layers = append(inv.Layers, inventory.Layer{Name: l.Name})
			entry = &inv.Layers[len(inv.Layers)-1]
		}
		entry.Dropped, entry.Gone = false, false
		entry.Kind, entry.InstallOrder, entry.Profile, entry.Pin = l.Kind.OrDefault(), l.InstallOrder, l.Profile, l.Pin
		entry.Namespaces, entry.Allow, entry.HookTimeout = l.namespaces, l.Allow, l.HookTimeout
		if l.output == nil {
			continue
		}
		l.correct(entry)
		if l.changes() || released(l, entry) || entry.Inputs != l.inputs && len(l.checks()) > 0 {
			entry.Renew(l.inputs)
		}
		entry.Charts, entry.Images = l.charts(), l.images()
		entry.Base, entry.Queries, entry.Past = l.base, l.output.Queries, l.output.Past
		l.announceReleases(entry)
		l.announceObjects(entry)
	}
	for _, w := range p.spaces {
		i := slices.IndexFunc(inv.Namespaces, func(o inventory.Object) bool { return o.Key() == w.ref.Key() })
		if i >= 0 {
			w.note(&inv.Namespaces[i])
		} else if w.action != Unchanged || w.settled != nil {
			inv.Namespaces = append(inv.Namespaces, w.record())
		}
	}
	return inv
}

// announceObjects adds the objects of a layer to its record, before they are
// applied. Those that are not wanted any more stay in it until they are removed.
func (l *layerWork) announceObjects(entry *inventory.Layer) {
	known := make(map[kube.Key]int, len(entry.Objects))
	for i := range entry.Objects {
		entry.Objects[i].Dropped = true
		known[entry.Objects[i].Key()] = i
	}
	entry.Objects = append(entry.Objects, l.leaving...)
	for _, w := range l.objects {
		i, ok := known[w.ref.Key()]
		if !ok {
			entry.Objects = append(entry.Objects, w.record())
			continue
		}
		was := &entry.Objects[i]
		was.Dropped, was.Keep = false, w.keep
		w.note(was)
	}
}

// begin notes that the layers of the first stage that is not ready have their
// turn.
func begin(inv *inventory.Inventory, layers []*layerWork) {
	waiting := false
	for ; len(layers) > 0 && !waiting; layers = layers[stageSize(layers):] {
		for _, l := range layers[:stageSize(layers)] {
			entry := inv.Layer(l.Name)
			entry.Begin(seconds(time.Now()))
			waiting = waiting || entry.Ready.IsZero()
		}
	}
}

// seconds returns a time as it is kept in an inventory.
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
