package reconcile

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/readiness"
)

// await watches the objects until something is to be done again: those of one
// layer have all changed so that they may be ready, or are gone as they should
// be, or one has failed or is late. It also returns when a watch ends, as the
// server ends it from time to time. It writes into waiting what it sees.
func (s *session) await(outer context.Context, waiting []Waiting) (err error) {
	outer, end := s.begin(outer, Span{Type: SpanWait})
	defer func() { end(Outcome{Err: err}) }()
	ctx, cancel := context.WithCancel(outer)
	defer cancel()
	var late <-chan time.Time
	if deadline := firstDeadline(waiting); !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		late = timer.C
	}
	settled := make(chan settlement)
	left := map[string]int{}
	for _, w := range waiting {
		left[w.Layer]++
	}
	var g errgroup.Group // unbounded: a watch is no load while nothing happens
	for _, f := range s.followers(waiting, settled) {
		g.Go(func() error {
			defer f.leave(cancel)
			return f.run(ctx)
		})
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Wait() }()
	var enough bool
	for {
		select {
		case one := <-settled:
			left[one.layer]--
			if !enough && (left[one.layer] == 0 || one.failed) {
				enough = true
				cancel()
			}
		case <-late:
			enough = true
			cancel()
		case err := <-ended:
			if enough || errors.Is(err, context.Canceled) && outer.Err() == nil {
				return nil
			}
			return err
		}
	}
}

// firstDeadline returns the first of the deadlines, or zero if there are none.
func firstDeadline(waiting []Waiting) time.Time {
	var first time.Time
	for _, w := range waiting {
		if !w.deadline.IsZero() && (first.IsZero() || w.deadline.Before(first)) {
			first = w.deadline
		}
	}
	return first
}

// A settlement says that there is nothing more to wait for with one object.
type settlement struct {
	layer  string
	failed bool
}

// A view is what one watch sees.
type view struct {
	resource          kube.Resource
	namespace, labels string
}

// followers returns one follower for each view that shows what is waited for.
func (s *session) followers(waiting []Waiting, settled chan<- settlement) map[view]*follower {
	byView := map[view]*follower{}
	follow := func(v view) *follower {
		if byView[v] == nil {
			byView[v] = &follower{session: s, view: v, open: map[kube.Key]*Waiting{}, settled: settled}
		}
		return byView[v]
	}
	for i := range waiting {
		w := &waiting[i]
		follow(view{w.resource, w.namespace, w.selector}).open[kube.Ref(w.Object).Key()] = w
		if w.pods != (podSet{}) {
			follow(view{podResource, w.pods.namespace, w.pods.selector}).podsOf = w.Layer
		}
	}
	return byView
}

// A follower watches objects of one kind, or the pods of a workload.
type follower struct {
	*session
	view
	open    map[kube.Key]*Waiting // those that are not settled
	podsOf  string                // the layer of the workload
	settled chan<- settlement
}

// leave ends the other watches too if this one has ended too early: what it was
// to see is seen by none of them.
func (f *follower) leave(end context.CancelFunc) {
	if len(f.open) > 0 || f.podsOf != "" {
		end()
	}
}

// run returns when all objects are settled, and when the watch ends.
func (f *follower) run(ctx context.Context) error {
	items, version, err := f.client.List(ctx, f.resource, f.namespace, f.labels)
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
		if !f.open[key].absent {
			if err := f.settle(ctx, key, false); err != nil {
				return err
			}
		}
	}
	return f.watch(ctx, version)
}

func (f *follower) watch(ctx context.Context, version string) error {
	if len(f.open) == 0 && f.podsOf == "" {
		return nil
	}
	w, err := f.client.Watch(ctx, f.resource, f.namespace, kube.Since{Selector: f.labels, Version: version})
	if err != nil {
		return err
	}
	defer w.Stop()
	return drain(ctx, w, func(e watch.Event) (bool, error) {
		o, isObject := e.Object.(*unstructured.Unstructured)
		if !isObject || e.Type == watch.Bookmark {
			return false, nil
		}
		err := f.see(ctx, o, e.Type != watch.Deleted)
		return len(f.open) == 0 && f.podsOf == "", err
	})
}

// drain calls see with each event of a watch, until that has seen enough, the
// watch ends or ctx is done.
func drain(ctx context.Context, w watch.Interface, see func(watch.Event) (enough bool, err error)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, ok := <-w.ResultChan():
			if !ok {
				return nil
			}
			if enough, err := see(event); enough || err != nil {
				return err
			}
		}
	}
}

// see takes note of how an object is now.
func (f *follower) see(ctx context.Context, o *unstructured.Unstructured, exists bool) error {
	if f.podsOf != "" {
		if !exists {
			return nil
		}
		why, err := f.hopeless(ctx, o)
		if why == "" || err != nil {
			return err
		}
		return f.send(ctx, settlement{f.podsOf, true})
	}
	key := kube.RefOf(o).Key()
	w, ok := f.open[key]
	if !ok {
		key = f.anyOf(key)
		w, ok = f.open[key]
	}
	switch {
	case !ok:
		return nil
	case w.gone && exists:
		f.say(w, hanging(o)+w.beside)
		return nil
	case !exists:
		return f.settle(ctx, key, false)
	}
	state := w.verdict(o)
	if w.absent || state.Health != readiness.Progressing {
		return f.settle(ctx, key, state.Health == readiness.Failed)
	}
	f.say(w, state.Message)
	return f.rollOut(ctx, w, o)
}

// rollOut looks at the pods of a workload again once it is seen to have begun with
// its new ones: before that a pod that fails counts for nothing, and it may not
// change any more.
func (f *follower) rollOut(ctx context.Context, w *Waiting, o *unstructured.Unstructured) error {
	now := rolloutOf(o)
	if now == w.rollout {
		return nil
	}
	w.rollout = now
	why, err := f.diagnose(ctx, o)
	if why == "" || err != nil {
		return err
	}
	return f.send(ctx, settlement{w.Layer, true})
}

// say takes note of why w is waited for.
func (f *follower) say(w *Waiting, message string) {
	if message != w.Message {
		w.Message = message
		f.events.send(Event{Type: LayerWaiting, Layer: w.Layer, Object: w.Object, Message: message})
	}
}

// anyOf returns the key of what is waited for when nobody knows its name.
func (f *follower) anyOf(key kube.Key) kube.Key {
	key.Name = ""
	if _, ok := f.open[key]; !ok {
		key.Namespace = ""
	}
	return key
}

func (f *follower) settle(ctx context.Context, key kube.Key, failed bool) error {
	w := f.open[key]
	w.settled = !failed
	delete(f.open, key)
	return f.send(ctx, settlement{w.Layer, failed})
}

func (f *follower) send(ctx context.Context, one settlement) error {
	select {
	case f.settled <- one:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
