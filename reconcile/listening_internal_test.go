package reconcile

import (
	"fmt"
	"testing"
)

// However long a listener hangs, the queue is bounded, and the last word on
// each layer stays in it.
func TestQueueOfEvents(t *testing.T) {
	t.Parallel()
	free := make(chan struct{})
	var seen []Event
	dropped := 0
	e := &events{listen: func(ev Event) {
		<-free
		seen, dropped = append(seen, ev), dropped+ev.Dropped
	}}
	const all = 2000
	for i := range all {
		e.send(Event{Type: LayerReady, Layer: fmt.Sprint(i % 2), Message: fmt.Sprint(i)})
	}
	close(free)
	e.finish(t.Context())
	if len(seen) > maxQueued+1 || len(seen)+dropped != all {
		t.Errorf("%d came and %d were left out of %d; want at most %d, and all counted", len(seen), dropped, all, maxQueued+1)
	}
	last := seen[len(seen)-2:]
	if last[0].Message != fmt.Sprint(all-2) || last[1].Message != fmt.Sprint(all-1) {
		t.Errorf("the last events are %v, want the last word on both layers", last)
	}
}
