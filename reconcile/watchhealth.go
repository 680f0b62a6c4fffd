package reconcile

import (
	"context"

	"github.com/strata-go/strata/internal/readiness"
)

// unready are the objects of watched layers that are not ready, and why.
type unready map[string]map[spot]string

// lookAfter looks at objects that somebody wrote to, such as a controller that
// writes their status, and sends events about what has become of their health.
func (s *session) lookAfter(ctx context.Context, known unready) {
	for at, o := range s.feed.takeMoved() {
		live, err := s.client.Get(ctx, o.Served(), o.Ref)
		if err != nil {
			continue // gone, or to be seen again when the watch goes on
		}
		state := s.verdict(o.layer)(live)
		before, was := known[o.layer][at]
		switch {
		case state.Health == readiness.Ready && was:
			delete(known[o.layer], at)
			if len(known[o.layer]) == 0 {
				s.events.send(Event{Type: LayerReady, Layer: o.layer})
			}
		case state.Health != readiness.Ready && (!was || before != state.Message):
			if known[o.layer] == nil {
				known[o.layer] = map[spot]string{}
			}
			known[o.layer][at] = state.Message
			e := Event{Type: LayerWaiting, Layer: o.layer, Object: ObjectRef(o.Ref), Message: state.Message}
			if state.Health == readiness.Failed {
				e.Type = LayerFailed
			}
			s.events.send(e)
		}
	}
}
