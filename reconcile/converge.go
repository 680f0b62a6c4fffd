package reconcile

import (
	"context"
	"errors"
	"slices"

	"github.com/strata-go/strata/internal/retry"
)

// converge makes passes until one finds the target ready. Between passes it
// waits for what the last one waited for.
func (s *session) converge(ctx context.Context, result *Result, pass func(*Result) error) error {
	s.yields = true
	defer func() { s.yields = false }()
	var backoff retry.Backoff
	var waiting []Waiting // for what, when it was last known
	for {
		var last Result
		err := pass(&last)
		result.add(last)
		if len(last.Waiting) > 0 || ctx.Err() == nil {
			waiting = last.Waiting
		}
		switch {
		case ctx.Err() != nil:
			return interrupted(result, waiting, errors.Join(ctx.Err(), err))
		case err != nil && (!retryable(err) || !s.client.Reached()):
			return err
		case err != nil:
			if ended := backoff.Wait(ctx); ended != nil {
				return interrupted(result, waiting, errors.Join(ended, err))
			}
		case last.Ready:
			return nil
		case len(last.Waiting) == 0: // layers are to be rendered again
			if ended := backoff.Wait(ctx); ended != nil {
				return interrupted(result, waiting, ended)
			}
		default:
			err := s.await(ctx, waiting)
			if err == nil {
				backoff.Reset()
			} else if ctx.Err() == nil {
				_ = backoff.Wait(ctx) // its error is that of ctx
			}
			if ctx.Err() != nil {
				return interrupted(result, waiting, ctx.Err())
			}
		}
	}
}

// interrupted returns the error of a wait that the context ended, and sets in
// result what was waited for.
func interrupted(result *Result, waiting []Waiting, err error) error {
	result.Waiting = slices.DeleteFunc(waiting, func(w Waiting) bool { return w.settled })
	if len(result.Waiting) == 0 {
		return err
	}
	return &WaitError{result.Waiting, err}
}

// add makes r the result of the passes so far and of one more.
func (r *Result) add(last Result) {
	r.Ready, r.RetryAfter, r.Waiting, r.Cost = last.Ready, last.RetryAfter, last.Waiting, last.Cost
	r.Warnings = last.Warnings
	r.Steps = append(r.Steps, last.Steps...)
	r.Drift = append(r.Drift, last.Drift...)
	for _, k := range last.Kept {
		if !slices.Contains(r.Kept, k) {
			r.Kept = append(r.Kept, k)
		}
	}
}
