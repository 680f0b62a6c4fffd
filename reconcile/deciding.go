package reconcile

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

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
func (s *session) lookFor(ctx context.Context, all []*work, owned map[kube.Key]*known, missing map[string]bool, live observed) error {
	type place struct {
		kube.Resource
		namespace string
	}
	unknown := map[place][]*work{}
	for _, w := range all {
		if owned[w.ref.Key()] == nil && !missing[w.ref.Namespace] {
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
		// Ours by its label: the record of it was lost.
		mine = &known{inventory.Object{Ref: w.ref, Resource: w.resource.Resource, UID: live.UID}, w.layer}
	}
	if live != nil && mine != nil && live.Labels[inventory.PartOf] != "" && live.Labels[inventory.PartOf] != s.id {
		mine = nil // another installation has taken it over
	}
	decide(w, mine, live)
	if police(w, mine); w.left {
		return nil
	}
	if w.action == Adopt {
		if err := s.mayAdopt(w, live); err != nil || w.action == Unchanged {
			return err
		}
	}
	if w.exists && !w.going && w.action != Unchanged {
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
	switch policy := s.adopts(w.adopt); {
	case policy == layer.AdoptAlways:
		w.claims = true
		return nil
	case policy == layer.AdoptIfUnowned && live.Labels[inventory.PartOf] == "":
		return nil
	}
	return &ExistsError{ObjectRef(w.ref), owner(live)}
}

// adopts returns the policy of a layer.
func (s *session) adopts(of layer.AdoptPolicy) layer.AdoptPolicy {
	return cmp.Or(of, s.Adopt, layer.AdoptNever)
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
	if err := s.mayChange(w, now); err != nil {
		return err
	}
	if len(w.ignore) > 0 {
		if w.data, err = json.Marshal(kube.KeepLive(w.object.Object, now.Object, w.ignore)); err != nil {
			return err
		}
	}
	apply := kube.Apply{Ref: w.ref, Data: w.data}
	then, err := s.client.Try(ctx, w.resource, apply)
	if conflicts := kube.Conflicts(err); conflicts != nil {
		live := metadataOf(now)
		if !w.claims && !forced(s.Force, w, conflicts) && !reclaimable(w, mine, live, conflicts) {
			w.foreign = conflicts
			w.reason = w.conflict(conflicts).Error()
			return nil
		}
		apply.Force, w.force = true, true
		then, err = s.client.Try(ctx, w.resource, apply)
	}
	if apierrors.IsInvalid(err) && immutable(err) {
		if !s.mayReplace(w) {
			return &ImmutableError{ObjectRef(w.ref), w.source, err}
		}
		w.action, w.reason, w.uid = Replace, "a field of it cannot be changed", now.GetUID()
		w.changes = compare(now, w.object)
		return nil
	}
	if w.redefined {
		// The server knows the old definition only: it may refuse or leave out what
		// the new one allows, which [servedKind.conforms] has seen to.
		if apierrors.IsInvalid(err) || kube.Unnamed(err) {
			then, err = now, nil
		}
		if err == nil {
			then = overlay(then, w.object)
		}
	}
	if err != nil {
		return explain(w, err)
	}
	w.changes = compare(now, then)
	return nil
}

// immutable reports whether the API server refuses a change, and not the object.
func immutable(err error) bool { return strings.Contains(err.Error(), "immutable") }

func (s *session) mayReplace(w *work) bool {
	return slices.Contains(s.Replace, "*") || slices.Contains(s.Replace, w.ref.GVK().GroupKind().String())
}
