package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/strata-go/strata/internal/retry"
	"github.com/strata-go/strata/profile"
)

// Watch keeps a target at a state until ctx is done, whose error it then
// returns. First it makes passes as [Reconciler.Converge] does, and returns the
// error if that fails: an [ErrTerminal], or an [ErrUnreachable] if the cluster was
// not reached even once. Then it watches the metadata of everything that the
// installation owns, and makes a pass whenever something differs: only what
// drifted is looked at and written, and while nothing happens nothing is asked.
//
// What happens is told by events: [ObjectDrifted], [FightFound], and
// [LayerWaiting], [LayerFailed] and [LayerReady] when the health of objects
// changes. A pass that fails is made again, later and later, or, if that does
// not help, when something changes. Other calls for the target run between the
// passes; if one of them, here or in another process, brings it to another state
// or deletes everything, the Watch leaves it to that as soon as it would make a
// pass, and returns a [*SupersededError]. To go over to another state end the
// Watch, and call it with that.
func (r *Reconciler) Watch(ctx context.Context, t Target, d *profile.Desired) error {
	s, err := r.open(t)
	if err != nil {
		return err
	}
	defer s.events.finish(ctx)
	result := new(Result)
	err = s.exclusively(ctx, func() error {
		return s.converge(ctx, result, func(pass *Result) error { return s.pass(ctx, d, pass) })
	})
	if err != nil {
		return final(ctx, err)
	}
	s.begun, s.yields = new(d.Digest()), true
	s.feed = s.newFeed()
	defer s.feed.stop()
	s.feed.end(ctx, s.now)
	return s.watch(ctx, d, *result)
}

// watch makes passes, woken by the feed. last is the result of the one before.
func (s *session) watch(ctx context.Context, d *profile.Desired, last Result) error {
	var backoff retry.Backoff
	unready := unready{}
	failed, ended := false, time.Now()
	for {
		due, err := s.rest(ctx, last, ended)
		if err != nil {
			return err
		}
		if !due && !failed && !s.feed.anyDrifted() {
			s.lookAfter(ctx, unready)
			continue
		}
		last, err = s.wakened(ctx, d)
		for err != nil && retryable(err) && ctx.Err() == nil {
			_ = backoff.Wait(ctx) // its error is that of ctx
			last, err = s.wakened(ctx, d)
		}
		if superseded, ok := errors.AsType[*SupersededError](err); ok {
			return superseded
		}
		if failed = err != nil; failed {
			last.Waiting = nil
			_ = backoff.Wait(ctx)
		} else {
			backoff.Reset()
		}
		ended = time.Now()
	}
}

// wakened makes a pass from what the feed has seen.
func (s *session) wakened(ctx context.Context, d *profile.Desired) (last Result, err error) {
	s.feed.begin()
	err = s.exclusively(ctx, func() error { return s.pass(ctx, d, &last) })
	s.feed.end(ctx, s.now)
	if err != nil && ctx.Err() == nil && s.log != nil {
		s.log.WarnContext(ctx, "a watched target is not kept", "error", err)
	}
	return last, err
}

// rest waits until there may be something to do after a pass that ended at a
// time. A new one is due when what the last one waited for is there, and when it
// is time for one.
func (s *session) rest(ctx context.Context, last Result, ended time.Time) (due bool, err error) {
	again := truceEnds(last.Drift)
	if again.IsZero() && len(last.Waiting) == 0 && last.RetryAfter > 0 {
		again = ended.Add(last.RetryAfter)
	}
	var later <-chan time.Time
	if !again.IsZero() {
		timer := time.NewTimer(time.Until(again))
		defer timer.Stop()
		later = timer.C
	}
	if len(last.Waiting) > 0 {
		return true, s.restUntilReady(ctx, last.Waiting, later)
	}
	select {
	case <-s.feed.wake:
	case <-s.feed.stir:
	case <-later:
		due = true
	case <-ctx.Done():
	}
	return due, ctx.Err()
}

// restUntilReady waits for objects that are not yet ready, or until one drifts or
// it is later.
func (s *session) restUntilReady(ctx context.Context, waiting []Waiting, later <-chan time.Time) error {
	inner, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.await(inner, waiting) // the next pass meets what is wrong
	}()
	select {
	case <-s.feed.wake:
	case <-later:
	case <-done:
	}
	cancel()
	<-done
	return ctx.Err()
}
