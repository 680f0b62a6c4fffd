package reconcile

import (
	"context"
	"errors"
	"slices"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

// A Hook is an object of a chart that is made at an event, and waited for.
type Hook struct {
	Layer   string    `json:"layer"`
	Release string    `json:"release"`
	Event   string    `json:"event"` // as Helm calls it: "pre-install"
	Weight  int       `json:"weight"`
	Object  ObjectRef `json:"object"`

	deleted bool // once it has succeeded
}

// hooks returns the hooks that p runs. Those of an event run in this order, one
// after the other.
func (s *session) hooks(ctx context.Context, p *Plan) ([]Hook, error) {
	var all []Hook
	add := func(layer string, entry *inventory.Layer, moments []moment) error {
		for _, m := range moments {
			for _, h := range m.hooks[done(entry, m):] {
				ref, err := s.hookRef(ctx, m, h)
				if err != nil {
					return &LayerError{layer, err}
				}
				all = append(all, Hook{layer, m.release.Name, string(m.event), h.Weight, ObjectRef(ref), slices.Contains(h.DeletePolicies, helm.DeleteSucceeded)})
			}
		}
		return nil
	}
	var inv *inventory.Inventory
	if p.desired != nil {
		inv = p.announced()
	}
	for _, l := range p.layers {
		entry := inv.Layer(l.Name)
		err := errors.Join(
			add(l.Name, entry, moments(l, entry, helm.PreInstall, s.either(helm.PreUpgrade, helm.PreRollback))),
			add(l.Name, entry, moments(l, entry, helm.PostInstall, s.either(helm.PostUpgrade, helm.PostRollback))),
			add(l.Name, entry, tests(l, entry)))
		if err != nil {
			return nil, err
		}
	}
	for _, l := range p.dropped() {
		err := errors.Join(
			add(l.Name, l, leavingAt(p.leaving[l.Name], helm.PreDelete)),
			add(l.Name, l, leavingAt(p.leaving[l.Name], helm.PostDelete)))
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// done returns how many hooks of a moment have succeeded.
func done(entry *inventory.Layer, m moment) int {
	for _, run := range entry.Hooks {
		if run.Release == m.release.Name && run.Namespace == m.release.Namespace && run.Event == string(m.event) && run.Content == m.content {
			return min(len(run.Done), len(m.hooks))
		}
	}
	return 0
}

// hookRef returns what a hook is called on the cluster. A kind that the cluster
// does not have yet, as a chart may bring it, is taken as it is written.
func (s *session) hookRef(ctx context.Context, m moment, h helm.Hook) (kube.Ref, error) {
	ref := kube.RefOf(h.Object.Unstructured)
	resource, err := s.client.Resource(ctx, ref)
	var missing *kube.NoKindError
	if err != nil && !errors.As(err, &missing) {
		return ref, err
	}
	switch {
	case err == nil && !resource.Namespaced:
		ref.Namespace = ""
	case ref.Namespace == "" && err == nil:
		ref.Namespace = m.namespace
	}
	return ref, nil
}
