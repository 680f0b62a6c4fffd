package reconcile

import (
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
)

// A wave is what is deleted together.
type wave int

const (
	callers    wave = iota // what may call the workloads, or need them to go
	everything             // else
	enclosing              // the namespaces around it
)

func waveOf(o inventory.Object) wave {
	switch b := manifest.Batch(o.Batch); {
	case b >= manifest.CustomResources:
		return callers
	case b == manifest.Namespaces:
		return enclosing
	default:
		return everything
	}
}

// removeWave deletes the objects of one wave in a layer that are not wanted, at
// the same time, and takes those that are gone, or stay, out of the layer.
func (s *session) removeWave(ctx context.Context, entry *inventory.Layer, w wave, wanted map[kube.Key]bool, result *Result) (bool, error) {
	var victims []inventory.Object
	for _, o := range entry.Objects {
		if waveOf(o) == w && !wanted[o.Key()] {
			victims = append(victims, o)
		}
	}
	outcomes, errs := make([]outcome, len(victims)), make([]error, len(victims))
	g, gctx := s.group(ctx)
	for i, o := range victims {
		g.Go(func() error {
			outcomes[i], errs[i] = s.removeOne(gctx, o)
			return nil // the others go on
		})
	}
	_ = g.Wait()
	gone := true
	for i, o := range victims {
		if errs[i] != nil {
			continue
		}
		if outcomes[i].waiting != "" {
			gone = false
		} else {
			entry.Objects = slices.DeleteFunc(entry.Objects, func(e inventory.Object) bool { return e.Key() == o.Key() })
		}
		s.report(entry, o, outcomes[i], result)
	}
	if err := errors.Join(errs...); err != nil {
		return false, &LayerError{entry.Name, err}
	}
	return gone, nil
}

// report adds what became of an object to result.
func (s *session) report(entry *inventory.Layer, o inventory.Object, out outcome, result *Result) {
	ref := ObjectRef(o.Ref)
	switch {
	case out.waiting != "":
		message := out.waiting + out.beside
		result.Waiting = append(result.Waiting, Waiting{
			Layer: entry.Name, Object: ref, Message: message,
			sight: sight{resource: o.Served(), selector: s.finder(o)}, gone: true, beside: out.beside,
		})
		s.events.send(Event{Type: LayerWaiting, Layer: entry.Name, Object: ref, Message: message})
	case out.kept != "":
		result.Kept = append(result.Kept, Kept{ref, out.kept})
		s.events.send(Event{Type: ObjectKept, Layer: entry.Name, Object: ref, Message: out.kept})
	case out.deleted:
		result.Steps = append(result.Steps, Step{Layer: entry.Name, Profile: entry.Profile, Action: Delete, Object: ref, Reason: unwanted})
		s.events.send(Event{Type: ObjectDeleted, Layer: entry.Name, Object: ref, Action: Delete})
	}
}

// An outcome is what became of an object that is not wanted. The zero outcome
// is one that was not there.
type outcome struct {
	deleted bool
	waiting string // not yet gone, and why
	beside  string // what the object does not show of that
	kept    string // left on the cluster, and why
}

func (s *session) removeOne(ctx context.Context, o inventory.Object) (outcome, error) {
	live, err := s.client.GetMetadata(ctx, o.Served(), o.Ref)
	if apierrors.IsNotFound(err) {
		return outcome{deleted: o.UID != ""}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	why, err := s.protected(ctx, o, live)
	if err != nil || why != "" {
		return outcome{kept: why}, err
	}
	if live.DeletionTimestamp == nil {
		err := s.client.Delete(ctx, o.Served(), o.Ref, live.UID)
		if err != nil && !apierrors.IsNotFound(err) {
			return outcome{}, err
		}
		live, err = s.client.GetMetadata(ctx, o.Served(), o.Ref)
		if apierrors.IsNotFound(err) {
			return outcome{deleted: true}, nil
		}
		if err != nil {
			return outcome{}, err
		}
	}
	message, beside, err := s.stuck(ctx, o, live)
	return outcome{waiting: message, beside: beside}, err
}
