package reconcile

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/readiness"
)

// await watches the objects until those of one layer are all ready, or gone as
// they should be, or one has failed: there is something to do again. It also
// returns when a watch ends, as the server ends it from time to time.
func (s *session) await(ctx context.Context, waiting []Waiting) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	byResource := map[kube.Resource]*follower{}
	left := map[string]int{}
	settled := make(chan settlement)
	for _, w := range waiting {
		f := byResource[w.resource]
		if f == nil {
			f = &follower{session: s, resource: w.resource, open: map[kube.Key]Waiting{}, settled: settled}
			byResource[w.resource] = f
		}
		f.open[kube.Ref(w.Object).Key()] = w
		left[w.Layer]++
	}
	g, gctx := s.group(ctx)
	g.SetLimit(-1) // a watch is no load while nothing happens
	for _, f := range byResource {
		g.Go(func() error { return f.run(gctx) })
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Wait() }()
	for {
		select {
		case one := <-settled:
			if left[one.layer]--; left[one.layer] == 0 || one.failed {
				cancel()
				<-ended
				return nil
			}
		case err := <-ended:
			return err
		}
	}
}

// A settlement says that there is nothing more to wait for with one object.
type settlement struct {
	layer  string
	failed bool
}

// A follower watches objects of one kind.
type follower struct {
	*session
	resource kube.Resource
	open     map[kube.Key]Waiting // those that are not settled
	settled  chan<- settlement
}

// run returns when all objects are settled, and when the watch ends.
func (f *follower) run(ctx context.Context) error {
	items, version, err := f.client.List(ctx, f.resource, f.selector())
	if err != nil {
		return err
	}
	missing := map[kube.Key]bool{}
	for key := range f.open {
		missing[key] = true
	}
	for i := range items {
		delete(missing, kube.RefOf(&items[i]).Key())
		if err := f.see(ctx, &items[i], true); err != nil {
			return err
		}
	}
	for key := range missing {
		if err := f.settle(ctx, key, false); err != nil {
			return err
		}
	}
	if len(f.open) == 0 {
		return nil
	}
	return f.watch(ctx, version)
}

func (f *follower) watch(ctx context.Context, version string) error {
	w, err := f.client.Watch(ctx, f.resource, f.selector(), version)
	if err != nil {
		return err
	}
	defer w.Stop()
	for len(f.open) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, ok := <-w.ResultChan():
			if !ok {
				return nil
			}
			o, isObject := event.Object.(*unstructured.Unstructured)
			if !isObject || event.Type == watch.Bookmark {
				continue
			}
			if err := f.see(ctx, o, event.Type != watch.Deleted); err != nil {
				return err
			}
		}
	}
	return nil
}

// see takes note of how an object is now.
func (f *follower) see(ctx context.Context, o *unstructured.Unstructured, exists bool) error {
	key := kube.RefOf(o).Key()
	w, ok := f.open[key]
	switch {
	case !ok, w.gone && exists:
		return nil
	case !exists:
		return f.settle(ctx, key, false)
	}
	state := readiness.Compute(o)
	if state.Health != readiness.Progressing {
		return f.settle(ctx, key, state.Health == readiness.Failed)
	}
	if state.Message != w.Message {
		w.Message = state.Message
		f.open[key] = w
		f.events.send(Event{Type: LayerWaiting, Layer: w.Layer, Object: w.Object, Message: w.Message})
	}
	return nil
}

func (f *follower) settle(ctx context.Context, key kube.Key, failed bool) error {
	w := f.open[key]
	delete(f.open, key)
	select {
	case f.settled <- settlement{w.Layer, failed}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
