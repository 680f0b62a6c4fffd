package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/redact"
	"github.com/strata-go/strata/profile"
)

// A session is one call of a method of a Reconciler on one target. What it
// learns of the cluster's kinds and renders is kept between its passes.
type session struct {
	*Reconciler
	target     Target
	client     *kube.Client
	keeper     inventory.Keeper
	id         string // of the installation, on its objects
	events     *events
	log        *slog.Logger           // with the target; nil if there is none
	rendered   map[string]rendered    // by layer
	releases   map[releaseKey]history // as the pass found them, without what is superseded
	approved   map[string]*layerWork  // of the plan that is to be carried out, by layer
	made       redact.Redactor        // of secrets that templates made
	held       *inventory.Inventory   // as it was last written while at work, else nil
	begun      *digest.Digest         // the state that this call began last; nil if it began none
	yields     bool                   // to a process that has begun another state since
	feed       *feed                  // what watches see, else nil
	now        *inventory.Inventory   // as the last pass left it
	back       digest.Digest          // of the earlier state to go back to, else empty
	removing   *inventory.Inventory   // that things are being removed of, else nil
	neighbours neighbours
	early      map[*work]bool    // what the pass applied before its layer
	healths    map[string]Health // of the layers, as the last pass left them; nil if that is not known
}

// layerLabel says which layer an object belongs to.
const layerLabel = "strata.dev/layer"

// with runs do, for a method, in a session on t, which no other call holds.
func (r *Reconciler) with(ctx context.Context, t Target, method string, do func(context.Context, *session) error) error {
	return r.beside(ctx, t, method, func(ctx context.Context, s *session) error {
		return s.exclusively(ctx, func() error { return do(ctx, s) })
	})
}

// once runs do, for a method that makes one pass, in a session on t.
func (r *Reconciler) once(ctx context.Context, t Target, method string, do func(context.Context, *session, *Result) error) (*Result, error) {
	result := new(Result)
	err := r.with(ctx, t, method, func(ctx context.Context, s *session) error { return do(ctx, s, result) })
	if err != nil && ctx.Err() == nil && result.RetryAfter == 0 && retryable(err) {
		result.RetryAfter = retryAfter
	}
	return result, err
}

// beside runs do, for a method that only reads, in a session on t. Others may
// hold t: a status is wanted most while somebody waits.
func (r *Reconciler) beside(ctx context.Context, t Target, method string, do func(context.Context, *session) error) (err error) {
	s, err := r.open(t)
	if err != nil {
		return err
	}
	ctx, end := s.begin(ctx, Span{Type: SpanCall, Name: method})
	defer func() { end(Outcome{Err: err}) }()
	defer s.events.finish(ctx) // after the target is free again
	return final(ctx, do(ctx, s))
}

// open returns a session on t.
func (r *Reconciler) open(t Target) (*session, error) {
	if err := t.check(); err != nil {
		return nil, terminal{err}
	}
	r.setDefaults()
	client, err := kube.New(t.Config)
	if err != nil {
		return nil, err
	}
	s := &session{
		Reconciler: r,
		target:     t,
		client:     client,
		keeper:     inventory.Keeper{Store: r.store(t, client), Name: t.name()},
		id:         t.partOf(),
		events:     &events{listen: r.OnEvent, target: t.ID()},
		rendered:   map[string]rendered{},
		made:       redact.New(nil),
	}
	if r.Logger != nil {
		s.log = r.Logger.With("cluster", t.ID().Cluster, "installation", t.ID().Installation)
	}
	if r.Observer != nil {
		client.Observe = s.request
	}
	return s, nil
}

// exclusively runs do while no other call holds the target.
func (s *session) exclusively(ctx context.Context, do func() error) error {
	release, err := s.targets.acquire(ctx, strings.Join([]string{s.target.Config.Host, s.target.Cluster, s.target.namespace(), s.target.name()}, "|"))
	if err != nil {
		return err
	}
	defer release()
	return s.redacted(do())
}

// group returns a group for requests to the cluster.
func (s *session) group(ctx context.Context) (*errgroup.Group, context.Context) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(defaultConcurrency)
	if s.Concurrency > 0 {
		g.SetLimit(s.Concurrency)
	}
	return g, ctx
}

// selector matches all objects of the installation.
func (s *session) selector() string { return inventory.PartOf + "=" + s.id }

func (s *session) layerSelector(layer string) string {
	return fmt.Sprintf("%s,%s=%s", s.selector(), layerLabel, layer)
}

// pass plans and applies.
func (s *session) pass(ctx context.Context, d *profile.Desired, result *Result) (err error) {
	ctx, end := s.beginPass(ctx, result)
	defer func() {
		if end(err); err != nil {
			s.client.ForgetKinds() // perhaps they came or went
		}
	}()
	p, err := s.plan(ctx, d)
	if err == nil {
		err = s.approve(ctx, p)
	}
	if err != nil {
		return s.unplanned(ctx, result, err)
	}
	return s.apply(ctx, p, result)
}

// unplanned ends a pass that has changed nothing.
func (s *session) unplanned(ctx context.Context, result *Result, err error) error {
	result.Cost = Cost(s.client.Cost())
	if ctx.Err() == nil {
		s.events.send(Event{Type: PlanFailed, Message: err.Error()})
	}
	return err
}

// approve asks whether a plan that changes something may be carried out.
func (s *session) approve(ctx context.Context, p *Plan) error {
	if s.Approve == nil || p.Empty() {
		return nil
	}
	return s.Approve(ctx, s.target, p)
}

// finishPass fills in what a result says of a pass as a whole, and logs it.
func (s *session) finishPass(ctx context.Context, what string, result *Result, err error) {
	result.Cost, s.healths = Cost(s.client.Cost()), healthsOf(s.now, result.Drift)
	if len(result.Waiting) > 0 {
		result.RetryAfter = retryAfter
	}
	if deadline := firstDeadline(result.Waiting); !deadline.IsZero() {
		result.RetryAfter = min(result.RetryAfter, max(time.Until(deadline), time.Second))
	}
	for _, d := range result.Drift {
		if until := time.Until(d.Until); d.Fight() && (result.RetryAfter == 0 || until < result.RetryAfter) {
			result.RetryAfter = max(until, time.Second)
		}
	}
	if busy, ok := errors.AsType[*BusyError](err); ok {
		result.RetryAfter = max(time.Until(busy.Until), time.Second)
	}
	if s.log == nil {
		return
	}
	args := []any{"ready", result.Ready, "steps", len(result.Steps), "waiting", len(result.Waiting), "reads", result.Cost.Reads, "writes", result.Cost.Writes}
	if err != nil {
		s.log.ErrorContext(ctx, what, append(args, "error", err)...)
		return
	}
	s.log.InfoContext(ctx, what, args...)
}
