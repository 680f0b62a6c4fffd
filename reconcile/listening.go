package reconcile

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
)

// maxQueued is how many events may wait for a slow listener before some are
// left out. It is more than a pass over a large stack usually sends.
const maxQueued = 1024

// events tells a listener of events, in their order and one at a time, without
// ever waiting for it. A goroutine does so, which is there only while something
// is queued.
type events struct {
	listen func(Event)
	redact func(string) string
	target TargetID

	mu       sync.Mutex
	queue    []Event
	dropped  int           // since the last event that was delivered
	idle     chan struct{} // closed when all is delivered; nil if that is so
	over     bool          // the call returns, and nothing is delivered any more
	panicked error         // what became of the listener
}

// send queues an event.
func (e *events) send(ev Event) {
	if e.listen == nil {
		return
	}
	ev.Target = e.target
	if e.redact != nil {
		ev.Message = e.redact(ev.Message)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return
	}
	e.queue = append(e.queue, ev)
	if len(e.queue) > maxQueued {
		e.shorten()
	}
	if e.idle == nil {
		e.idle = make(chan struct{})
		go e.deliver(e.idle)
	}
}

// shorten leaves one event out of the queue if there is one that can be missed.
func (e *events) shorten() {
	i := slices.IndexFunc(e.queue, Event.passing)
	if i < 0 {
		i = overtaken(e.queue)
	}
	if i < 0 {
		return
	}
	e.queue = slices.Delete(e.queue, i, i+1)
	e.dropped++
}

// passing reports whether the event is one of many on the way: what it says
// shows in the result, too, or is said again.
func (ev Event) passing() bool {
	switch ev.Type {
	case LayerWaiting, ObjectApplied, ObjectDeleted, HookStarted:
		return true
	default:
		return false
	}
}

// overtaken returns the first event with a later one about the same layer and
// object, or -1. So the last word on each of them stays, and the queue is as
// bounded as the stack is.
func overtaken(queue []Event) int {
	type subject struct {
		layer  string
		object ObjectRef
	}
	last := make(map[subject]int, len(queue))
	for i, ev := range queue {
		last[subject{ev.Layer, ev.Object}] = i
	}
	for i, ev := range queue {
		if last[subject{ev.Layer, ev.Object}] > i {
			return i
		}
	}
	return -1
}

// deliver calls the listener until nothing is queued.
func (e *events) deliver(idle chan struct{}) {
	defer close(idle)
	returned := false
	defer func() {
		if returned {
			return
		}
		// The listener panicked, or ended the goroutine. It has had its last event.
		p := recover()
		e.mu.Lock()
		defer e.mu.Unlock()
		if p != nil && e.over {
			panic(p) // nobody else is left to be told
		}
		e.queue, e.over = nil, true
		if p != nil {
			e.panicked = fmt.Errorf("panic in Reconciler.OnEvent: %v\n\n%s", p, debug.Stack())
		}
	}()
	for {
		ev, ok := e.next()
		if !ok {
			break
		}
		e.listen(ev)
	}
	returned = true
}

// next takes an event from the queue; if there is none, the next one that is
// sent begins anew.
func (e *events) next() (Event, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) == 0 {
		e.idle = nil
		return Event{}, false
	}
	ev := e.queue[0]
	ev.Dropped, e.dropped = e.dropped, 0
	e.queue[0] = Event{} // its objects can go
	e.queue = e.queue[1:]
	return ev, true
}

// finish returns when the listener has had all events or, without it, when ctx
// is done. No further event is delivered then. A panic of the listener goes on
// here, where the caller can meet it.
func (e *events) finish(ctx context.Context) {
	e.mu.Lock()
	idle := e.idle
	e.mu.Unlock()
	if idle != nil {
		select {
		case <-idle:
		case <-ctx.Done():
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue, e.over = nil, true
	if e.panicked != nil {
		panic(e.panicked)
	}
}
