package registry

import (
	"context"
	"errors"
	"sync"
	"time"
)

// maxShared is how old an answer may be that calls of one burst share.
const maxShared = 10 * time.Second

// A burst shares answers (lists of tags, indexes) between calls that overlap,
// so that a hundred layers of one repository cost one request. Once no call is
// under way, everything is forgotten. The zero value is ready.
type burst struct {
	mu      sync.Mutex
	calls   int
	flights map[string]*flight
}

// A flight is one question to a registry.
type flight struct {
	waiting int // guarded by burst.mu
	begun   time.Time
	cancel  context.CancelFunc
	done    chan struct{} // closed when answer and err are set
	answer  any
	err     error
}

// enter begins a call; the function that it returns ends it.
func (b *burst) enter() (leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.calls--; b.calls == 0 {
			b.flights = nil
		}
	}
}

// share returns the answer to a question, which is asked once for all callers
// that overlap. Asking ends when all of them have given up, and before the last
// of them returns. Errors are not kept.
func share[T any](ctx context.Context, b *burst, question string, ask func(context.Context) (T, error)) (T, error) {
	for {
		answer, err := shareOnce(ctx, b, question, ask)
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return answer, err
		}
		// The deadline was that of another caller, who had asked first.
	}
}

func shareOnce[T any](ctx context.Context, b *burst, question string, ask func(context.Context) (T, error)) (T, error) {
	f, shared := b.join(ctx, question)
	if shared != nil {
		go func() {
			defer close(f.done)
			defer f.cancel()
			f.answer, f.err = ask(shared)
			if f.err != nil {
				b.forget(question, f)
			}
		}()
	}
	select {
	case <-f.done:
		b.leave(question, f)
	case <-ctx.Done():
		if last := b.leave(question, f); last {
			f.cancel()
			<-f.done
		}
		var none T
		return none, context.Cause(ctx)
	}
	if f.err != nil {
		var none T
		return none, f.err
	}
	return f.answer.(T), nil
}

// join returns the flight for a question; with a context if the caller is to
// ask it.
func (b *burst) join(ctx context.Context, question string) (*flight, context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.flights[question]; f != nil && time.Since(f.begun) < maxShared {
		f.waiting++
		return f, nil
	}
	shared, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if deadline, ok := ctx.Deadline(); ok { // so that no wait goes beyond it
		cancel()
		shared, cancel = context.WithDeadline(context.WithoutCancel(ctx), deadline)
	}
	f := &flight{waiting: 1, begun: time.Now(), cancel: cancel, done: make(chan struct{})}
	if b.flights == nil {
		b.flights = map[string]*flight{}
	}
	b.flights[question] = f
	return f, shared
}

// leave reports whether nobody waits for f any more.
func (b *burst) leave(question string, f *flight) (last bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f.waiting--
	select {
	case <-f.done: // it may serve others
		return false
	default:
	}
	if f.waiting == 0 && b.flights[question] == f {
		delete(b.flights, question)
	}
	return f.waiting == 0
}

func (b *burst) forget(question string, f *flight) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.flights[question] == f {
		delete(b.flights, question)
	}
}
