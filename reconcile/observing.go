package reconcile

import (
	"context"
	"slices"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/layer"
)

// An Observer is told of everything that takes time: for traces, for metrics.
// The packages below this one, otel and prometheus, have one each. The run
// waits for it, so it may not block. It is called concurrently.
type Observer interface {
	// Begin is called when something begins. All that happens within it gets the
	// returned context, which comes from ctx. The returned function is called
	// once, at the end.
	Begin(ctx context.Context, s Span) (context.Context, func(Outcome))
}

// A SpanType says what it is that takes time.
type SpanType string

// The types of spans. Each is within one of those above it.
const (
	// SpanCall: a method of the Reconciler. [Reconciler.Watch], which goes on for
	// ever, has none: its passes, waits and looks stand alone.
	SpanCall SpanType = "call"
	// SpanPass: one pass, of which a call may make many.
	SpanPass SpanType = "pass"
	// SpanPlan: working out what to do.
	SpanPlan SpanType = "plan"
	// SpanLayer: applying a layer in a pass, as far as that goes, its hooks, and
	// checking whether it is ready. A layer with nothing to do has none.
	SpanLayer SpanType = "layer"
	// SpanHook: making a hook of a chart, or looking how it gets on.
	SpanHook SpanType = "hook"
	// SpanPrune: removing what is no longer wanted.
	SpanPrune SpanType = "prune"
	// SpanWait: waiting between two passes, by watches.
	SpanWait SpanType = "wait"
	// SpanLook: looking how the layers are, in [Reconciler.Status] and, after
	// something was written to objects, in [Reconciler.Watch].
	SpanLook SpanType = "look"
	// SpanRequest: a request to the API server, until the answer begins.
	SpanRequest SpanType = "request"
)

// A Span is something that takes time. It holds names and digests only, never a
// value of an object.
type Span struct {
	Type   SpanType
	Target Target
	// Name is, of a call, the method ("Converge"); of a hook, the event
	// ("pre-install"); of a request, the verb as RBAC has it, or "apply", and
	// "dryrun" for whatever changes nothing. Else it is empty.
	Name   string
	Layer  string    // of a layer or a hook
	Pin    layer.Pin // of a layer; zero for manifests
	Object ObjectRef // of a hook
	// Resource is that of a request: "deployments.apps", "deployments.apps/status".
	// It is empty for discovery and the like.
	Resource string
}

// An Outcome says what became of a [Span].
type Outcome struct {
	// Err is nil if all went well. Its text shows nothing sensitive.
	Err error
	// Code is the HTTP status that answered a request; zero if nothing did.
	Code int
	// Result is that of a pass, else nil. It is valid beside an error, and not to
	// be changed or kept.
	Result *Result
	// Layers says how all layers are after a pass or a look; nil if that is not
	// known.
	Layers map[string]Health
}

// begin tells the observer that something begins, and returns what is to be
// called at its end.
func (s *session) begin(ctx context.Context, span Span) (context.Context, func(Outcome)) {
	if s.Observer == nil {
		return ctx, func(Outcome) {}
	}
	span.Target = s.target
	ctx, end := s.Observer.Begin(ctx, span)
	return ctx, func(o Outcome) {
		o.Err = s.redacted(o.Err)
		end(o)
	}
}

// beginPass tells the observer that a pass begins.
func (s *session) beginPass(ctx context.Context, result *Result) (context.Context, func(error)) {
	s.healths = nil
	ctx, end := s.begin(ctx, Span{Type: SpanPass})
	return ctx, func(err error) { end(Outcome{Err: err, Result: result, Layers: s.healths}) }
}

// request tells the observer of a request. Its errors are those of the network,
// which know nothing sensitive.
func (s *session) request(ctx context.Context, verb, resource string) (context.Context, func(int, error)) {
	ctx, end := s.Observer.Begin(ctx, Span{Type: SpanRequest, Target: s.target, Name: verb, Resource: resource})
	return ctx, func(code int, err error) { end(Outcome{Err: err, Code: code}) }
}

// healthsOf says how layers are as a pass leaves them.
func healthsOf(inv *inventory.Inventory, found []Drift) map[string]Health {
	all := make(map[string]Health, len(inv.Layers))
	for _, l := range inv.Layers {
		switch {
		case l.Dropped:
			all[l.Name] = Removing
		case l.Failure.Terminal:
			all[l.Name] = Failed
		case l.Ready.IsZero(), l.Failure.Message != "":
			all[l.Name] = Progressing
		default:
			all[l.Name] = Ready
		}
	}
	for _, d := range found {
		if h, ok := all[d.Layer]; ok && d.Stays() && Drifted.worse(h) {
			all[d.Layer] = Drifted
		}
	}
	return all
}

// Observers is an Observer that tells several, in their order.
type Observers []Observer

// Begin tells each that something begins; the last gets the context of those
// before.
func (all Observers) Begin(ctx context.Context, s Span) (context.Context, func(Outcome)) {
	ends := make([]func(Outcome), len(all))
	for i, o := range all {
		ctx, ends[i] = o.Begin(ctx, s) //nolint:fatcontext // each is to find what those before put there
	}
	return ctx, func(o Outcome) {
		for _, end := range slices.Backward(ends) {
			end(o)
		}
	}
}
