package reconcile

import (
	"context"
	"maps"

	"github.com/strata-go/strata/internal/readiness"
)

// unready are the objects of watched layers that are not ready, and why.
type unready map[string]map[spot]string

// lookAfter looks at objects that somebody wrote to, such as a controller that
// writes their status, and sends events about what has become of their health.
func (s *session) lookAfter(ctx context.Context, known unready) {
	moved := s.feed.takeMoved()
	if len(moved) == 0 {
		return
	}
	ctx, end := s.begin(ctx, Span{Type: SpanLook})
	defer func() { end(Outcome{Layers: s.healths}) }()
	for at, o := range moved {
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
				s.becomes(o.layer, Ready)
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
			s.becomes(o.layer, Health(state.Health))
			s.events.send(e)
		}
	}
}

// becomes takes note of the health of a layer since the last pass.
func (s *session) becomes(layer string, h Health) {
	if s.healths != nil {
		s.healths = maps.Clone(s.healths) // the observer has the other
		s.healths[layer] = h
	}
}
