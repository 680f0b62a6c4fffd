package reconcile

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/layer"
)

// decideAll decides for each object, and for those that exist and will change
// asks the server what would become of them. Namespaces come first: in one that
// is yet to be made there can be nothing.
func (s *session) decideAll(ctx context.Context, p *Plan, now survey) error {
	spaces, others := append([]*work{}, p.spaces...), []*work{}
	for _, l := range p.layers {
		for _, w := range l.objects {
			switch w.batch {
			case manifest.Namespaces:
				spaces = append(spaces, w)
			case manifest.Definitions: // decided already
			default:
				others = append(others, w)
			}
		}
	}
	if err := s.decideEach(ctx, spaces, now); err != nil {
		return err
	}
	missing := map[string]bool{}
	for _, w := range spaces {
		missing[w.ref.Name] = !w.exists
	}
	if err := s.lookFor(ctx, others, now.owned, missing, now.live); err != nil {
		return err
	}
	return s.decideEach(ctx, others, now)
}

// anew forgets what was left of objects whose layer has changed: it may not be
// left now, so they are looked at anew.
func (p *Plan) anew(owned map[kube.Key]*known) {
	for _, o := range owned {
		was := p.before.Layer(o.layer)
		same := was == nil || slices.ContainsFunc(p.layers, func(l *layerWork) bool { return l.Name == o.layer && l.inputs == was.Inputs })
		if !same && o.Drift != nil && o.Drift.Held != "" {
			drift := *o.Drift
			drift.Held = "anew"
			o.Drift = &drift
		}
	}
}

func (s *session) decideEach(ctx context.Context, all []*work, now survey) error {
	errs := make([]error, len(all))
	g, gctx := s.group(ctx)
	for i, w := range all {
		mine, found := now.owned[w.ref.Key()], now.live[w.ref.Key()]
		g.Go(func() error {
			if err := s.decideOne(gctx, w, mine, found); err != nil {
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

// fewLookups is how many objects of a kind in one namespace are looked for by
// name. For more of them one list is less work for everybody.
const fewLookups = 2

// lookFor finds out which objects that the inventory does not know are on the
// cluster, and adds them to live. In missing namespaces there are none.
func (s *session) lookFor(ctx context.Context, all []*work, owned records, missing map[string]bool, live observed) error {
	type place struct {
		kube.Resource
		namespace string
	}
	unknown := map[place][]*work{}
	for _, w := range all {
		if !owned[w.ref.Key()].isApplied() && !missing[w.ref.Namespace] {
			at := place{w.resource, w.ref.Namespace}
			unknown[at] = append(unknown[at], w)
		}
	}
	found := make(chan map[kube.Key]*metav1.PartialObjectMetadata, len(unknown))
	g, ctx := s.group(ctx)
	for at, works := range unknown {
		g.Go(func() error {
			here, err := s.lookIn(ctx, at.Resource, at.namespace, works)
			found <- here
			return err
		})
	}
	err := g.Wait()
	close(found)
	for here := range found {
		maps.Copy(live, here)
	}
	return err
}

// lookIn looks for objects of one kind in one namespace.
func (s *session) lookIn(ctx context.Context, resource kube.Resource, namespace string, works []*work) (observed, error) {
	found := observed{}
	// Lists of a kind that is new to the server are held back for a second.
	if len(works) <= fewLookups || works[0].coming {
		for _, w := range works {
			meta, err := s.client.GetMetadata(ctx, resource, w.ref)
			if err == nil {
				found[w.ref.Key()] = meta
			} else if !apierrors.IsNotFound(err) {
				return nil, err
			}
		}
		return found, nil
	}
	list, err := s.client.ListMetadata(ctx, resource, namespace, "")
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	byName := make(map[string]*metav1.PartialObjectMetadata, len(list))
	for i := range list {
		byName[list[i].Name] = &list[i]
	}
	for _, w := range works {
		if meta, ok := byName[w.ref.Name]; ok {
			found[w.ref.Key()] = meta
		}
	}
	return found, nil
}

func (s *session) decideOne(ctx context.Context, w *work, mine *known, live *metav1.PartialObjectMetadata) error {
	announced := mine
	if !mine.isApplied() {
		mine = nil // it may be anybody's
	}
	if mine == nil && w.batch == manifest.Namespaces {
		found, err := s.client.GetMetadata(ctx, w.resource, w.ref)
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err == nil {
			live = found
		}
	}
	if mine == nil && live != nil && live.Labels[inventory.PartOf] == s.id {
		// Ours by its label: the record of it was lost, or not yet written.
		mine = &known{inventory.Object{Ref: w.ref, Resource: w.resource.Resource, UID: live.UID}, w.layer}
		mine.Created = announced != nil && announced.Created
	}
	if live != nil && mine != nil && live.Labels[inventory.PartOf] != "" && live.Labels[inventory.PartOf] != s.id {
		mine = nil // another installation has taken it over
	}
	decide(w, mine, live, time.Now())
	if police(w, mine); w.left {
		return nil
	}
	switch {
	case w.action == Unchanged:
		w.drift = recall(w.layer, mine.Object)
		return nil
	case w.action == Adopt:
		if err := s.mayAdopt(ctx, w, live); err != nil || w.action == Unchanged {
			return err
		}
		if w.release != (releaseKey{}) && markedFor(live) == w.release {
			// Who marked the object for the release manages it for the release.
			w.handOver = kube.Annotators(live.ManagedFields, nameAnnotation)
		}
	case w.action == Repair && mine != nil && mine.Applied == w.digest && (w.going || !w.exists):
		s.examineGone(w, mine, live)
	}
	if w.exists && !w.going && w.action != Unchanged {
		return s.try(ctx, w, mine, live)
	}
	return nil
}

// mayAdopt decides about an object that was there before us.
func (s *session) mayAdopt(ctx context.Context, w *work, live *metav1.PartialObjectMetadata) error {
	if w.implicit() {
		// A namespace that layers are installed in may be anybody's. What the
		// stack says of its labels is added to it.
		if len(w.wants.Labels)+len(w.wants.Annotations) == 0 {
			w.action = Unchanged
		}
		return nil
	}
	switch policy := s.adopts(w.adopt); {
	case policy == layer.AdoptAlways:
		w.claims = true
		return nil
	case policy == layer.AdoptIfUnowned && live.Labels[inventory.PartOf] == "":
		return nil
	}
	return &ExistsError{ObjectRef(w.ref), s.owner(ctx, live), leastAdopt(live.Labels[inventory.PartOf])}
}

// leastAdopt returns the least policy that takes over what an installation has,
// or nobody.
func leastAdopt(installation string) layer.AdoptPolicy {
	if installation != "" {
		return layer.AdoptAlways
	}
	return layer.AdoptIfUnowned
}

// adopts returns the policy of a layer.
func (s *session) adopts(of layer.AdoptPolicy) layer.AdoptPolicy {
	return cmp.Or(of, s.Adopt, layer.AdoptNever)
}
