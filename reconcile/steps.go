package reconcile

import (
	"cmp"
	"slices"

	"github.com/strata-go/strata/internal/inventory"
)

// sortByBatch orders the objects of a layer as Kubernetes needs them. Within a
// batch they stay in the order in which the layer lists them.
func sortByBatch(objects []*work) {
	slices.SortStableFunc(objects, func(a, b *work) int { return cmp.Compare(a.batch, b.batch) })
}

// steps returns what p does, in order: the namespaces that layers are installed
// in, the layers, and what is no longer wanted.
func (s *session) steps(p *Plan, now survey) []Step {
	var all []Step
	for _, w := range p.spaces {
		if w.action != Unchanged || len(w.drift) > 0 {
			all = append(all, w.step())
		}
	}
	for _, l := range p.layers {
		for _, w := range l.objects {
			all = append(all, w.step())
		}
		if l.output == nil {
			for _, o := range p.before.Layer(l.Name).Wanted() {
				all = append(all, Step{Layer: l.Name, Profile: l.Profile, Action: Unchanged, Object: ObjectRef(o.Ref), Drift: recall(l.Name, o)})
			}
		}
	}
	return append(all, s.removals(p, now)...)
}

// removals returns what becomes of the objects that p does not want, in the
// order in which [session.remove] removes them.
func (s *session) removals(p *Plan, now survey) []Step {
	wanted := p.keys()
	var all []Step
	add := func(l *inventory.Layer, objects []inventory.Object, waves ...wave) {
		for _, w := range waves {
			for _, o := range objects {
				if !wanted[o.Key()] && waveOf(o) == w {
					step := s.removal(o, now.live)
					step.Layer, step.Profile = l.Name, l.Profile
					all = append(all, step)
				}
			}
		}
	}
	for _, l := range slices.Backward(p.layers) {
		for _, o := range slices.Backward(l.leaving) {
			all = append(all, Step{Layer: l.Name, Profile: l.Profile, Action: Delete, Object: ObjectRef(o.Ref), Reason: "it is of an earlier revision of the release"})
		}
	}
	layers := topDown(p.before)
	for _, l := range layers {
		add(l, l.Objects, callers, everything)
		if !p.wants(l.Name) {
			made := slices.DeleteFunc(slices.Clone(l.Leftovers), func(o inventory.Object) bool { return o.UID == "" })
			add(l, made, callers, everything)
		}
	}
	for _, l := range layers {
		add(l, l.Objects, enclosing)
	}
	add(&inventory.Layer{}, p.before.Namespaces, enclosing)
	return all
}

// removal returns what becomes of an object that is not wanted. A namespace
// stays, too, if something of others is in it when its turn comes.
func (s *session) removal(o inventory.Object, live observed) Step {
	step := Step{Action: Delete, Object: ObjectRef(o.Ref), Reason: unwanted}
	found, seen := live[o.Key()]
	step.gone = !seen && o.UID != ""
	if seen {
		if why := s.keeps(o, found); why != "" {
			step.Action, step.Reason = Keep, why
		}
	}
	return step
}

// topDown returns the layers of an inventory in the order in which they go.
func topDown(inv *inventory.Inventory) []*inventory.Layer {
	order := make([]*inventory.Layer, len(inv.Layers))
	for i := range inv.Layers {
		order[i] = &inv.Layers[i]
	}
	slices.SortStableFunc(order, func(a, b *inventory.Layer) int {
		return -cmp.Or(a.Kind.Compare(b.Kind), cmp.Compare(a.InstallOrder, b.InstallOrder))
	})
	return order
}
