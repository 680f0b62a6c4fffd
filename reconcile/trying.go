package reconcile

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strata-go/strata/internal/kube"
)

// try finds out what applying w would change, who is in the way, and what others
// changed. live is what was seen of the object before.
func (s *session) try(ctx context.Context, w *work, mine *known, live *metav1.PartialObjectMetadata) error {
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
	then, conflicts, err := s.attempt(ctx, w, now, w.ignore)
	if mine != nil && err == nil && (w.action == Repair || conflicts != nil) {
		x := s.examination(w, mine)
		x.fields(now, then, conflicts)
		x.conclude(live, mine, x.untouched(mine, live))
		if w.action == Unchanged {
			return nil
		}
		if len(x.left) > 0 {
			then, conflicts, err = s.attempt(ctx, w, now, slices.Concat(w.ignore, x.left))
		}
	}
	if conflicts != nil && !w.claims && !forced(s.Force, w, conflicts) && !reclaimable(w, mine, metadataOf(now), conflicts) {
		w.foreign = conflicts
		w.reason = w.conflict(conflicts).Error()
		return nil
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
		if apierrors.IsInvalid(err) || kube.Untyped(err) {
			then, err = now, nil
		}
		if err == nil {
			then = overlay(then, w.object)
		}
	}
	if err != nil {
		err = explain(w, err)
		if w.action == Repair && !retryable(err) {
			w.refused, w.reason = err, err.Error()
			return nil
		}
		return err
	}
	if w.handOver != nil && w.action == Adopt {
		then = &unstructured.Unstructured{Object: kube.Shed(then.Object, now.GetManagedFields(), then.GetManagedFields(), w.handOver)}
		if then, err = s.client.Become(ctx, w.resource, now, then); err != nil {
			return explain(w, err)
		}
	}
	w.force, w.changes = conflicts != nil, compare(now, then)
	if cut := mine != nil && (mine.Applied != w.digest || w.action == Transfer); cut && !w.redefined && same(now, then) && live.UID == now.GetUID() {
		// A run that was cut short had applied it.
		w.action, w.reason, w.settled = Unchanged, "", live
	}
	return nil
}

// attempt asks the server what the object would become by applying w, with some
// of its fields as they are now, whoever is in the way.
func (s *session) attempt(ctx context.Context, w *work, now *unstructured.Unstructured, keep []string) (*unstructured.Unstructured, []kube.FieldConflict, error) {
	if len(keep) > 0 && !slices.Contains(keep, wholeObject) {
		var err error
		if w.data, err = json.Marshal(kube.KeepLive(w.object.Object, now.Object, keep)); err != nil {
			return nil, nil, err
		}
	}
	apply := kube.Apply{Ref: w.ref, Data: w.data}
	then, err := s.client.Try(ctx, w.resource, apply)
	conflicts := kube.Conflicts(err)
	if conflicts != nil {
		apply.Force = true
		then, err = s.client.Try(ctx, w.resource, apply)
	}
	if w.intruded(err) {
		then, err = s.expel(ctx, w, now, err)
	}
	return then, w.contested(conflicts), err
}

// same reports whether two states of an object are the same, and are so by us.
func same(now, then *unstructured.Unstructured) bool {
	return len(compare(now, then)) == 0 && kube.OwnFields(now.GetManagedFields(), nil) == kube.OwnFields(then.GetManagedFields(), nil)
}

// immutable reports whether the API server refuses a change, and not the object.
func immutable(err error) bool { return strings.Contains(err.Error(), "immutable") }

func (s *session) mayReplace(w *work) bool {
	return slices.Contains(s.Replace, "*") || slices.Contains(s.Replace, w.ref.GVK().GroupKind().String())
}
