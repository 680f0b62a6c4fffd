// Package retry is the one way in which the engine tries something again.
package retry

import (
	"context"
	"math/rand/v2"
	"time"
)

// A Backoff says how long to wait before each new try: twice as long as before
// the last one, less up to a fifth at random, so that many clients do not try
// at once. The zero Backoff begins with 100 ms and stays at 10 s.
type Backoff struct {
	First, Longest time.Duration
	tries          int
}

// Wait waits, or returns the error of ctx if that is done first.
func (b *Backoff) Wait(ctx context.Context) error { return b.WaitAtLeast(ctx, 0) }

// WaitAtLeast is like [Backoff.Wait], but waits for least if that is longer.
func (b *Backoff) WaitAtLeast(ctx context.Context, least time.Duration) error {
	timer := time.NewTimer(max(least, b.next()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Reset makes the next wait the first one: what was tried has worked.
func (b *Backoff) Reset() { b.tries = 0 }

func (b *Backoff) next() time.Duration {
	first, longest := b.First, b.Longest
	if first <= 0 {
		first = 100 * time.Millisecond
	}
	if longest <= 0 {
		longest = 10 * time.Second
	}
	d := longest
	if b.tries < 30 && first<<b.tries < longest {
		d = first << b.tries
	}
	b.tries++
	return d - time.Duration(rand.Int64N(int64(d)/5+1))
}
