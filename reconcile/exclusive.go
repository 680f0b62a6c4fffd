package reconcile

import (
	"context"
	"sync"
)

// exclusive lets one caller at a time hold each key.
type exclusive struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the holder releases
}

// acquire waits until nobody holds key, or ctx is done.
func (e *exclusive) acquire(ctx context.Context, key string) (release func(), err error) {
	for {
		e.mu.Lock()
		released, busy := e.held[key]
		if !busy {
			if e.held == nil {
				e.held = map[string]chan struct{}{}
			}
			released = make(chan struct{})
			e.held[key] = released
			e.mu.Unlock()
			return func() {
				e.mu.Lock()
				defer e.mu.Unlock()
				delete(e.held, key)
				close(released)
			}, nil
		}
		e.mu.Unlock()
		select {
		case <-released:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
