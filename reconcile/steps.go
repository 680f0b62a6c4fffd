package reconcile

import (
	"cmp"
	"slices"
)

// sortByBatch orders the objects of a layer as Kubernetes needs them. Within a
// batch they stay in the order in which the layer lists them.
func sortByBatch(objects []*work) {
	slices.SortStableFunc(objects, func(a, b *work) int { return cmp.Compare(a.batch, b.batch) })
}

// steps returns what p does, in order: the namespaces that layers are installed
// in, the layers, and what is no longer wanted.
func steps(p *Plan) []Step {
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
				all = append(all, Step{Layer: l.Name, Action: Unchanged, Object: ObjectRef(o.Ref), Drift: recall(l.Name, o)})
			}
		}
	}
	wanted := p.keys()
	var deletes []Step
	for _, l := range p.before.Layers {
		for _, o := range l.Objects {
			if !wanted[o.Key()] {
				deletes = append(deletes, Step{Layer: l.Name, Action: Delete, Object: ObjectRef(o.Ref), Reason: unwanted})
			}
		}
	}
	for _, l := range p.layers {
		for _, o := range l.leaving {
			deletes = append(deletes, Step{Layer: l.Name, Action: Delete, Object: ObjectRef(o.Ref), Reason: "it is of an earlier revision of the release"})
		}
	}
	slices.Reverse(deletes)
	for _, o := range p.before.Namespaces {
		if !wanted[o.Key()] {
			deletes = append(deletes, Step{Action: Delete, Object: ObjectRef(o.Ref), Reason: unwanted})
		}
	}
	return append(all, deletes...)
}
