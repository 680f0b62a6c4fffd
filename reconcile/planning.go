package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/profile"
)

// plan works out what leads to d. It reads the inventory and, with one list for
// each kind, what became of the objects in it; it renders only layers whose
// inputs changed or whose objects drifted.
func (s *session) plan(ctx context.Context, d *profile.Desired) (*Plan, error) {
	s.events.redact = d.Redact
	inv, err := s.store.Load(ctx)
	if err != nil {
		return nil, err
	}
	version, err := s.client.ServerVersion(ctx)
	if err != nil {
		return nil, err
	}
	live, err := s.observe(ctx, inv)
	if err != nil {
		return nil, err
	}
	p := &Plan{Target: s.target, Desired: d.Digest(), desired: d, before: inv}
	for _, pinned := range d.Layers() {
		inputs := digest.FromString(pinned.Digest().String() + version)
		p.layers = append(p.layers, &layerWork{PinnedLayer: pinned, inputs: inputs})
	}
	if err := s.renderChanged(ctx, p, live); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, p); err != nil {
		return nil, err
	}
	if err := s.decideAll(ctx, p, live); err != nil {
		return nil, err
	}
	p.Steps = steps(p)
	return p, nil
}

// renderChanged renders the layers for which there may be something to do.
func (s *session) renderChanged(ctx context.Context, p *Plan, live observed) error {
	var errs []error
	for _, l := range p.layers {
		was := p.before.Layer(l.Name)
		if settled(was, l.inputs, live) && (!was.Ready.IsZero() || l.Manifests != nil) {
			l.namespaces = was.Namespaces
			continue
		}
		if err := s.render(ctx, l, was); err != nil {
			errs = append(errs, &LayerError{l.Name, err})
		}
	}
	return errors.Join(errs...)
}

// prepare makes work of what was rendered, and checks that all of it can be
// applied.
func (s *session) prepare(ctx context.Context, p *Plan) error {
	var errs []error
	coming := map[schema.GroupVersionKind]kube.Resource{}
	for _, l := range p.layers {
		if l.output == nil {
			continue
		}
		objects := make([]manifest.Object, len(l.output.Objects))
		for i, o := range l.output.Objects {
			objects[i] = o.Object
		}
		for gvk, r := range definitions(objects) {
			coming[gvk] = r
		}
		for _, o := range l.output.Objects {
			w, err := s.prepareObject(ctx, l.Name, o, coming)
			if err != nil {
				errs = append(errs, &LayerError{l.Name, err})
				continue
			}
			l.objects = append(l.objects, w)
		}
		sortByBatch(l.objects)
	}
	if err := errors.Join(append(errs, duplicates(p)...)...); err != nil {
		return err
	}
	return s.prepareNamespaces(p)
}

// duplicates finds objects that two places of the stack hold.
func duplicates(p *Plan) []error {
	var errs []error
	seen := map[kube.Key]string{}
	add := func(layer string, ref kube.Ref, where string) {
		if first, ok := seen[ref.Key()]; ok {
			errs = append(errs, &LayerError{layer, &DuplicateError{ObjectRef(ref), first, where}})
			return
		}
		seen[ref.Key()] = where
	}
	for _, l := range p.layers {
		if l.output == nil {
			for _, o := range p.before.Layer(l.Name).Wanted() {
				add(l.Name, o.Ref, fmt.Sprintf("layer %q", l.Name))
			}
		}
		for _, w := range l.objects {
			add(l.Name, w.ref, fmt.Sprintf("layer %q (%s)", l.Name, w.source))
		}
	}
	return errs
}

// decideAll decides for each object, and for those that exist and will change
// asks the server what would become of them.
func (s *session) decideAll(ctx context.Context, p *Plan, live observed) error {
	owned := map[kube.Key]*known{}
	for _, l := range p.before.Layers {
		for _, o := range l.Objects {
			owned[o.Key()] = &known{o, l.Name}
		}
	}
	for _, o := range p.before.Namespaces {
		owned[o.Key()] = &known{o, ""}
	}
	all := append([]*work{}, p.spaces...)
	for _, l := range p.layers {
		all = append(all, l.objects...)
	}
	errs := make([]error, len(all))
	g, gctx := s.group(ctx)
	for i, w := range all {
		mine := owned[w.ref.Key()]
		g.Go(func() error {
			if err := s.decideOne(gctx, w, mine, live[w.ref.Key()]); err != nil {
				errs[i] = &LayerError{w.layer, err}
			}
			return nil // all problems are wanted, not the first
		})
	}
	_ = g.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.Join(errs...)
}

func (s *session) decideOne(ctx context.Context, w *work, mine *known, live *metav1.PartialObjectMetadata) error {
	if mine == nil {
		// Nobody looked yet whether it is there.
		found, err := s.client.GetMetadata(ctx, w.resource, w.ref)
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err == nil {
			live = found
		}
	}
	if mine == nil && live != nil && live.Labels[inventory.PartOf] == s.store.ID() {
		// Ours by its label: the record of it was lost.
		mine = &known{inventory.Object{Ref: w.ref, Resource: w.resource.Resource, UID: live.UID}, w.layer}
	}
	decide(w, mine, live)
	if w.action == Adopt {
		if err := s.mayAdopt(w, live); err != nil || w.action == Unchanged {
			return err
		}
	}
	if w.exists && w.action != Unchanged {
		return s.try(ctx, w, mine)
	}
	return nil
}

// mayAdopt decides about an object that was there before us.
func (s *session) mayAdopt(w *work, live *metav1.PartialObjectMetadata) error {
	if w.implicit() {
		// A namespace that layers are installed in may be anybody's. What the
		// stack says of its labels is added to it.
		if len(w.wants.Labels)+len(w.wants.Annotations) == 0 {
			w.action = Unchanged
		}
		return nil
	}
	if s.Adopt == AdoptIfUnowned && live.Labels[inventory.PartOf] == "" {
		return nil
	}
	return &ExistsError{ObjectRef(w.ref), owner(live)}
}

// try finds out what applying w would change, and who is in the way.
func (s *session) try(ctx context.Context, w *work, mine *known) error {
	now, err := s.client.Get(ctx, w.resource, w.ref)
	if apierrors.IsNotFound(err) {
		w.exists = false
		return nil
	}
	if err != nil {
		return err
	}
	apply := kube.Apply{Ref: w.ref, Data: w.data}
	then, err := s.client.Try(ctx, w.resource, apply)
	if conflicts := kube.Conflicts(err); conflicts != nil {
		live := metadataOf(now)
		if !reclaimable(w, mine, live, conflicts) {
			w.foreign = conflicts
			w.reason = w.conflict(conflicts).Error()
			return nil
		}
		apply.Force, w.force = true, true
		then, err = s.client.Try(ctx, w.resource, apply)
	}
	if err != nil {
		return err
	}
	w.changes = compare(now, then)
	return nil
}
