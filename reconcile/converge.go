package reconcile

import (
	"context"
	"errors"

	"github.com/strata-go/strata/internal/retry"
)

// converge makes passes until one finds the target ready. Between passes it
// waits for what the last one waited for.
func (s *session) converge(ctx context.Context, result *Result, pass func(*Result) error) error {
	var backoff retry.Backoff
	for {
		var last Result
		err := pass(&last)
		result.add(last)
		switch {
		case ctx.Err() != nil:
			return errors.Join(ctx.Err(), err)
		case err != nil && (!retryable(err) || !s.client.Reached()):
			return err
		case err != nil:
			if err := backoff.Wait(ctx); err != nil {
				return err
			}
		case last.Ready:
			return nil
		default:
			backoff.Reset()
			if err := s.await(ctx, last.Waiting); err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
}

// add makes r the result of the passes so far and of one more.
func (r *Result) add(last Result) {
	r.Ready, r.RetryAfter, r.Waiting, r.Kept, r.Cost = last.Ready, last.RetryAfter, last.Waiting, last.Kept, last.Cost
	r.Steps = append(r.Steps, last.Steps...)
}
