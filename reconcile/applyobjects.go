package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

// applyAll applies objects at the same time and writes what they became into
// their records. It reports whether all are applied: those that must go first
// are added to what result waits for.
func (s *session) applyAll(ctx context.Context, all []*work, records []inventory.Object, result *Result) (bool, error) {
	byKey := make(map[kube.Key]*inventory.Object, len(records))
	for i := range records {
		byKey[records[i].Key()] = &records[i]
	}
	errs, gone := make([]error, len(all)), make([]bool, len(all))
	g, gctx := s.group(ctx)
	for i, w := range all {
		if w.settled != nil {
			*byKey[w.ref.Key()] = w.applied(w.settled)
		}
		if w.action == Unchanged || w.refused != nil || s.early[w] {
			continue
		}
		g.Go(func() error {
			if gone[i], errs[i] = s.makeWay(gctx, w); errs[i] == nil && gone[i] {
				errs[i] = s.applyOne(gctx, w, byKey[w.ref.Key()])
			}
			return nil // the others go on, and their records count
		})
	}
	_ = g.Wait()
	done := true
	for i, w := range all {
		switch {
		case w.action == Unchanged || w.refused != nil || s.early[w] || errs[i] != nil:
		case !gone[i]:
			done = false
			result.Waiting = append(result.Waiting, Waiting{
				Layer: w.layer, Object: ObjectRef(w.ref), Message: cmp.Or(w.hangs, "it is being deleted") + madeAnew,
				sight: sight{resource: w.resource, namespace: w.ref.Namespace}, gone: true, beside: madeAnew,
			})
		default:
			result.Steps = append(result.Steps, w.step())
		}
	}
	return done, unreached(errs)
}

// unreached joins errors, but of those who say that the cluster cannot be
// reached, which would all say the same, only the first.
func unreached(errs []error) error {
	more := -1
	var kept []error
	for _, err := range errs {
		if errors.Is(err, ErrUnreachable) {
			if more++; more > 0 {
				continue
			}
		}
		kept = append(kept, err)
	}
	if more > 0 {
		kept = append(kept, fmt.Errorf("%w: %d more objects were not applied", ErrUnreachable, more))
	}
	return errors.Join(kept...)
}

// refusals returns why objects cannot be repaired. It is found when planning, and
// said when all others are applied.
func refusals(all []*work) error {
	var errs []error
	for _, w := range all {
		errs = append(errs, w.refused)
	}
	return errors.Join(errs...)
}

// makeWay deletes the object that w replaces, and reports whether nothing is in
// the way of w. If something is, the next pass finds it gone.
func (s *session) makeWay(ctx context.Context, w *work) (bool, error) {
	if w.foreign != nil {
		return false, w.conflict(w.foreign)
	}
	if w.action != Replace {
		return !w.going, nil
	}
	if err := s.client.Delete(ctx, w.resource, w.ref, w.uid); err != nil && !apierrors.IsNotFound(err) {
		return false, err
	}
	_, err := s.client.GetMetadata(ctx, w.resource, w.ref)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	return false, err
}

func (s *session) applyOne(ctx context.Context, w *work, record *inventory.Object) error {
	if w.handOver != nil {
		if err := s.client.HandOver(ctx, w.resource, w.ref, w.handOver); err != nil {
			return err
		}
	}
	meta, err := s.client.Apply(ctx, w.resource, kube.Apply{Ref: w.ref, Data: w.data, Force: w.force})
	if conflicts := kube.Conflicts(err); conflicts != nil {
		return w.conflict(conflicts)
	}
	if err != nil {
		return explain(w, err)
	}
	if meta, err = s.client.Outdo(ctx, w.resource, w.ref, meta); err != nil {
		return err
	}
	s.feed.put(w.resource, meta)
	*record = w.applied(meta)
	s.events.send(Event{Type: ObjectApplied, Layer: w.layer, Object: ObjectRef(w.ref), Action: w.action, Message: w.reason})
	return nil
}

// explain marks errors that another pass does not cure.
func explain(w *work, err error) error {
	switch {
	case w.redefined && (apierrors.IsInvalid(err) || kube.Untyped(err)):
		// The server may not have seen the new definition yet. In the next pass it
		// is no longer new, and what is refused then is refused.
		return &outdatedError{err}
	case retryable(err) && !kube.Untyped(err):
		return err
	}
	if kube.Untyped(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsRequestEntityTooLargeError(err) {
		return terminal{&SourceError{w.source, err}}
	}
	return err
}

// An outdatedError is of a server that may have judged by an old definition.
type outdatedError struct{ error }

func (e *outdatedError) Unwrap() error   { return e.error }
func (e *outdatedError) Retryable() bool { return true }
