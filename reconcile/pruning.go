package reconcile

import (
	"context"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

// prune removes what inv lists and p does not want: the last thing of a pass,
// when everything that is wanted is ready. It reports whether all of it is gone.
func (s *session) prune(ctx context.Context, inv *inventory.Inventory, p *Plan, result *Result) (bool, error) {
	return s.remove(ctx, inv, p.keys(), result)
}

// keys returns the objects that p wants on the cluster.
func (p *Plan) keys() map[kube.Key]bool {
	wanted := map[kube.Key]bool{}
	for _, l := range p.layers {
		if l.output == nil {
			for _, o := range p.before.Layer(l.Name).Wanted() {
				wanted[o.Key()] = true
			}
		}
		for _, w := range l.objects {
			wanted[w.ref.Key()] = true
		}
		for _, ns := range l.namespaces {
			wanted[namespaceRef(ns.Name).Key()] = true
		}
	}
	return wanted
}

// deletePass plans and removes everything that the inventory lists, and then the
// inventory.
func (s *session) deletePass(ctx context.Context, result *Result) (err error) {
	ctx, end := s.beginPass(ctx, result)
	defer func() { end(err) }()
	p, err := s.planDeletion(ctx)
	if err == nil {
		err = s.approve(ctx, p)
	}
	if err != nil {
		return s.unplanned(ctx, result, err)
	}
	return s.applyDeletion(ctx, p, result)
}

// applyDeletion carries out a plan of [session.planDeletion].
func (s *session) applyDeletion(ctx context.Context, p *Plan, result *Result) (err error) {
	defer func() {
		s.finishPass(ctx, "deleted", result, err)
	}()
	if err := s.superseded(p.before); err != nil {
		return err
	}
	inv := p.before.Clone()
	s.now = inv
	if inv.Empty() {
		result.Ready = true
		return s.depart(ctx, inv)
	}
	inv.Begun, inv.Back = "", ""
	for i := range inv.Layers {
		inv.Layers[i].Dropped = true
	}
	if err := s.hold(ctx, inv); err != nil {
		return err
	}
	gone, err := s.remove(ctx, inv, nil, result)
	if err == nil && gone {
		result.Ready = true
		return s.depart(ctx, inv)
	}
	if ctx.Err() == nil {
		err = errors.Join(err, s.release(ctx, inv))
	}
	return err
}

// depart removes what was kept of the installation, which owns nothing any more.
func (s *session) depart(ctx context.Context, inv *inventory.Inventory) error {
	if err := s.history().Delete(ctx, inv); err != nil {
		return err
	}
	return errors.Join(s.keeper.Delete(ctx, inv), s.leave(ctx))
}

// leave removes the namespace of the inventory, if we made it and nothing else
// is in it.
func (s *session) leave(ctx context.Context) error {
	secrets, ok := s.keeper.Store.(*inventory.Secrets)
	if !ok {
		return nil
	}
	home, err := secrets.Home(ctx)
	if err != nil || home == nil || home.DeletionTimestamp != nil {
		return err
	}
	if why, err := s.inhabited(ctx, home.Name); err != nil || why != "" {
		return err
	}
	return secrets.DeleteHome(ctx, home.UID)
}

// remove deletes the objects in inv that are not wanted, from the top of the
// stack down, and takes them out of inv. It stops where something is not gone
// yet, as a finalizer may need what is below. Namespaces go last: they may hold
// objects of any layer.
func (s *session) remove(ctx context.Context, inv *inventory.Inventory, wanted map[kube.Key]bool, result *Result) (gone bool, err error) {
	ctx, end := s.begin(ctx, Span{Type: SpanPrune})
	defer func() { end(Outcome{Err: err}) }()
	s.removing = inv
	forget(inv, wanted)
	order := topDown(inv)
	save := func(ctx context.Context) error { return s.checkpoint(ctx, inv) }
	hold := func(ctx context.Context) error { return s.keepOff(ctx, inv) }
	for _, entry := range order {
		if entry.Gone {
			continue
		}
		hooks := hooking{s, entry, result, save, hold}
		if entry.Dropped {
			if err := s.beginUninstall(ctx, entry); err != nil {
				return false, wrapLayer(entry.Name, err)
			}
			if done, err := hooks.runDeletion(ctx, helm.PreDelete); err != nil || !done {
				return false, wrapLayer(entry.Name, err)
			}
		}
		for _, w := range []wave{callers, everything} {
			if gone, err := s.removeWave(ctx, entry, w, wanted, result); err != nil || !gone {
				return false, err
			}
		}
		if !entry.Dropped {
			continue
		}
		if done, err := hooks.runDeletion(ctx, helm.PostDelete); err != nil || !done {
			return false, wrapLayer(entry.Name, err)
		}
		// What hooks made goes with the layer, though Helm would leave it.
		entry.Objects, entry.Leftovers = append(entry.Objects, entry.Leftovers...), nil
		for _, w := range []wave{callers, everything} {
			if gone, err := s.removeWave(ctx, entry, w, wanted, result); err != nil || !gone {
				return false, err
			}
		}
		if err := s.deleteReleases(ctx, entry.Releases); err != nil {
			return false, &LayerError{entry.Name, err}
		}
		entry.Releases = nil
		if err := s.abandonReleases(ctx, entry); err != nil {
			return false, &LayerError{entry.Name, err}
		}
		entry.Gone = true
		s.events.send(Event{Type: LayerRemoved, Layer: entry.Name})
	}
	return s.removeEnclosing(ctx, inv, order, wanted, result)
}

// removeEnclosing removes the namespaces that are not wanted, and then the
// layers of which nothing is left.
func (s *session) removeEnclosing(ctx context.Context, inv *inventory.Inventory, order []*inventory.Layer, wanted map[kube.Key]bool, result *Result) (bool, error) {
	spaces := &inventory.Layer{Objects: inv.Namespaces}
	for _, entry := range append(order, spaces) {
		gone, err := s.removeWave(ctx, entry, enclosing, wanted, result)
		inv.Namespaces = spaces.Objects
		if err != nil || !gone {
			return false, err
		}
	}
	inv.Layers = slices.DeleteFunc(inv.Layers, func(l inventory.Layer) bool { return l.Dropped })
	return true, nil
}

// forget takes records out of inv of objects that another layer has now.
func forget(inv *inventory.Inventory, wanted map[kube.Key]bool) {
	newest := map[kube.Key]string{}
	for _, l := range inv.Layers {
		for _, o := range l.Objects {
			if wanted[o.Key()] && !l.Dropped && !o.Dropped && o.Applied != "" {
				newest[o.Key()] = l.Name
			}
		}
	}
	for i := range inv.Layers {
		l := &inv.Layers[i]
		l.Objects = slices.DeleteFunc(l.Objects, func(o inventory.Object) bool {
			holder, held := newest[o.Key()]
			return held && holder != l.Name
		})
	}
}

const unwanted = "it is no longer in the stack"

var (
	definitionKind = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
	claimKind      = schema.GroupKind{Kind: "PersistentVolumeClaim"}
	namespaceKind  = schema.GroupKind{Kind: "Namespace"}
)
