package reconcile

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/readiness"
)

func isDefinition(o inventory.Object) bool { return o.Batch == int(manifest.Definitions) }

func anyObject(inventory.Object) bool { return true }

// check reads the objects of a layer that are of interest, and reports whether
// all of them are ready. Those that are not yet are added to result; those that
// never will be are [*FailedError]s, joined.
func (s *session) check(ctx context.Context, entry *inventory.Layer, interest func(inventory.Object) bool, result *Result) (bool, error) {
	states, err := s.states(ctx, entry, interest)
	if err != nil {
		return false, err
	}
	ready := true
	var failed []error
	for _, o := range entry.Wanted() {
		state, known := states[o.Key()]
		if !known || state.Health == readiness.Ready {
			continue
		}
		ready = false
		if state.Health == readiness.Failed {
			failed = append(failed, &FailedError{ObjectRef(o.Ref), state.Message})
			continue
		}
		result.Waiting = append(result.Waiting, Waiting{Layer: entry.Name, Object: ObjectRef(o.Ref), Message: state.Message, resource: o.Served()})
		s.events.send(Event{Type: LayerWaiting, Layer: entry.Name, Object: ObjectRef(o.Ref), Message: state.Message})
	}
	return ready, errors.Join(failed...)
}

// states returns the states of the objects of a layer that are of interest,
// without those that are ready by existing: one list for each kind.
func (s *session) states(ctx context.Context, entry *inventory.Layer, interest func(inventory.Object) bool) (map[kube.Key]readiness.State, error) {
	byResource := map[kube.Resource][]inventory.Object{}
	for _, o := range entry.Wanted() {
		if interest(o) && !readiness.Inert(o.GVK().GroupKind()) {
			byResource[o.Served()] = append(byResource[o.Served()], o)
		}
	}
	states := map[kube.Key]readiness.State{}
	var mu sync.Mutex
	g, ctx := s.group(ctx)
	for resource, objects := range byResource {
		g.Go(func() error {
			items, _, err := s.client.List(ctx, resource, s.layerSelector(entry.Name))
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, o := range objects {
				states[o.Key()] = stateOf(o, items)
			}
			return nil
		})
	}
	return states, g.Wait()
}

func stateOf(o inventory.Object, items []unstructured.Unstructured) readiness.State {
	for i := range items {
		if items[i].GetName() == o.Name && items[i].GetNamespace() == o.Namespace {
			return readiness.Compute(&items[i])
		}
	}
	return readiness.State{Health: readiness.Progressing, Message: "it is gone"}
}

// becomeReady checks a layer whose objects are all applied. Once it is ready
// its Helm releases are recorded.
func (s *session) becomeReady(ctx context.Context, l *layerWork, entry *inventory.Layer, result *Result) (bool, error) {
	ready, err := s.check(ctx, entry, anyObject, result)
	if err != nil || !ready {
		return false, err
	}
	if err := s.recordReleases(ctx, l, entry); err != nil {
		return false, err
	}
	entry.Ready = time.Now().UTC().Truncate(time.Second)
	s.events.send(Event{Type: LayerReady, Layer: l.Name, Message: l.Pin.Resolved})
	return true, nil
}
