package reconcile

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/readiness"
)

func isDefinition(o inventory.Object) bool { return o.Batch == int(manifest.Definitions) }

func anyObject(inventory.Object) bool { return true }

// A sight is an object as it was seen on the cluster.
type sight struct {
	ref       kube.Ref
	resource  kube.Resource
	state     readiness.State
	live      *unstructured.Unstructured // nil if it is gone
	namespace string                     // to look for it in; "" is all
	selector  string                     // that finds it; "" is any
	verdict   verdict
	absent    bool // it is not ours to make, and is not there yet
}

// A verdict says how an object is, as it is now.
type verdict func(*unstructured.Unstructured) readiness.State

// becomeReady checks a layer whose objects are all applied. Once it is ready
// its Helm releases are recorded.
func (s *session) becomeReady(ctx context.Context, l *layerWork, hooks hooking) (bool, error) {
	entry, result := hooks.entry, hooks.result
	seen, err := s.look(ctx, entry, anyObject)
	if err != nil {
		return false, err
	}
	seen, err = s.probe(ctx, l, seen)
	if err != nil {
		return false, err
	}
	if ready, err := s.judge(ctx, entry.Name, seen, result); err != nil || !ready {
		return false, err
	}
	after := moments(l, entry, helm.PostInstall, s.either(helm.PostUpgrade, helm.PostRollback))
	if done, err := hooks.run(ctx, slices.Concat(after, tests(l, entry))); err != nil || !done {
		return false, err
	}
	if err := s.recordReleases(ctx, l, entry); err != nil {
		return false, err
	}
	entry.Ready = seconds(time.Now())
	s.events.send(Event{Type: LayerReady, Layer: l.Name, Message: l.Pin.Resolved})
	return true, nil
}

// established checks the definitions of a layer: nothing of a kind can be
// applied before its definition is served.
func (s *session) established(ctx context.Context, entry *inventory.Layer, result *Result) (bool, error) {
	seen, err := s.look(ctx, entry, isDefinition)
	if err != nil {
		return false, err
	}
	return s.judge(ctx, entry.Name, seen, result)
}

// judge reports whether all objects are ready. Those that are not yet are added
// to result; those that never will be are [*FailedError]s, joined.
func (s *session) judge(ctx context.Context, layer string, seen []sight, result *Result) (bool, error) {
	ready := true
	var failed []error
	for _, one := range seen {
		if one.state.Health == readiness.Progressing {
			why, err := s.diagnose(ctx, one.live)
			if err != nil {
				return false, err
			}
			if why != "" {
				one.state = readiness.State{Health: readiness.Failed, Message: why}
			}
		}
		switch one.state.Health {
		case readiness.Ready:
			continue
		case readiness.Failed:
			failed = append(failed, s.failed(ctx, one.ref, one.state.Message, one.live))
		default:
			result.Waiting = append(result.Waiting, Waiting{
				Layer: layer, Object: ObjectRef(one.ref), Message: one.state.Message,
				sight: one, pods: podsOf(one.live), rollout: rolloutOf(one.live),
			})
			s.events.send(Event{Type: LayerWaiting, Layer: layer, Object: ObjectRef(one.ref), Message: one.state.Message})
		}
		ready = false
	}
	return ready, errors.Join(failed...)
}

// look reads the objects of a layer that are of interest, without those that
// are ready by existing: one list for each kind. The order is the layer's.
func (s *session) look(ctx context.Context, entry *inventory.Layer, interest func(inventory.Object) bool) ([]sight, error) {
	var seen []sight
	byResource := map[kube.Resource][]int{}
	for _, o := range entry.Wanted() {
		if interest(o) && !readiness.Inert(o.GVK().GroupKind()) {
			gone := readiness.State{Health: readiness.Progressing, Message: "it is gone"}
			if o.Applied == "" {
				gone.Message = "it was not yet applied" // if there is one, it is somebody else's
			}
			if left(o, nil, time.Now()) || slices.Contains(o.Ignore, wholeObject) {
				gone = readiness.State{Health: readiness.Ready} // nobody is to bring it back
			}
			byResource[o.Served()] = append(byResource[o.Served()], len(seen))
			seen = append(seen, sight{ref: o.Ref, resource: o.Served(), selector: s.selector(), verdict: s.verdict(entry.Name), state: gone})
		}
	}
	var mu sync.Mutex
	g, ctx := s.group(ctx)
	for resource, indexes := range byResource {
		g.Go(func() error {
			items, _, err := s.client.List(ctx, resource, "", s.layerSelector(entry.Name))
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, i := range indexes {
				if live := find(items, seen[i].ref); live != nil {
					seen[i].live, seen[i].state = live, seen[i].verdict(live)
				}
			}
			return nil
		})
	}
	return seen, g.Wait()
}

// verdict returns the verdict on objects of a layer, of which the embedder may
// know more.
func (s *session) verdict(layer string) verdict {
	return func(live *unstructured.Unstructured) readiness.State {
		state := readiness.Compute(live)
		if s.Ready != nil && state.Health == readiness.Ready {
			if ready, message := s.Ready(layer, live); !ready {
				return readiness.State{Health: readiness.Progressing, Message: message}
			}
		}
		return state
	}
}

func find(items []unstructured.Unstructured, ref kube.Ref) *unstructured.Unstructured {
	for i := range items {
		if items[i].GetName() == ref.Name && items[i].GetNamespace() == ref.Namespace {
			return &items[i]
		}
	}
	return nil
}
