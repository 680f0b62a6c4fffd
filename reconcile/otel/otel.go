// Package otel makes OpenTelemetry spans of what a Reconciler does:
//
//	r := &reconcile.Reconciler{Observer: &otel.Observer{Provider: provider}}
//
// A call of a method is a span, and in it are its passes; in them the plan, the
// layers with their hooks, and the pruning; and in those the requests to the API
// server. Watch has no span of its own, as it goes on for ever. The span of the caller's context is the parent of them all, and a
// transport that sends the context on does so with the span of its request.
//
// Spans hold names, versions and digests, never a value of an object; errors
// show nothing sensitive. Only the API of OpenTelemetry is compiled, not its SDK.
package otel

import (
	"context"
	"net/http"
	"net/url"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/strata-go/strata/reconcile"
)

// Scope is the instrumentation scope of all spans.
const Scope = "github.com/strata-go/strata/reconcile"

// Attributes of spans.
const (
	ClusterKey      = attribute.Key("k8s.cluster.name")
	InstallationKey = attribute.Key("strata.installation")
	LayerKey        = attribute.Key("strata.layer")
	PackageKey      = attribute.Key("strata.package")
	VersionKey      = attribute.Key("strata.version")
	DigestKey       = attribute.Key("strata.digest")
	HookKey         = attribute.Key("strata.hook")
	ObjectKey       = attribute.Key("strata.object")
	ReadyKey        = attribute.Key("strata.ready")
	StepsKey        = attribute.Key("strata.steps")
	WaitingKey      = attribute.Key("strata.waiting")
	DriftKey        = attribute.Key("strata.drift")
	VerbKey         = attribute.Key("strata.request.verb")
	ResourceKey     = attribute.Key("strata.request.resource")
	ServerKey       = attribute.Key("server.address")
	StatusKey       = attribute.Key("http.response.status_code")
	ReadsKey        = attribute.Key("strata.reads")
	WritesKey       = attribute.Key("strata.writes")
)

// An Observer makes spans. Its zero value makes none. Set fields before the
// first use; then it is safe for concurrent use.
type Observer struct {
	// Provider makes the tracer. If nil, there are no spans: the global provider
	// is not looked at.
	Provider trace.TracerProvider
	// SkipRequests leaves out the spans of requests to API servers, of which a
	// large stack makes thousands. A pass still says how many there were.
	SkipRequests bool
}

var _ reconcile.Observer = (*Observer)(nil)

// Begin begins a span.
func (o *Observer) Begin(ctx context.Context, s reconcile.Span) (context.Context, func(reconcile.Outcome)) {
	if o.SkipRequests && s.Type == reconcile.SpanRequest {
		return ctx, func(reconcile.Outcome) {}
	}
	provider := o.Provider
	if provider == nil {
		provider = noop.NewTracerProvider()
	}
	kind := trace.SpanKindInternal
	if s.Type == reconcile.SpanRequest {
		kind = trace.SpanKindClient
	}
	ctx, span := provider.Tracer(Scope).Start(ctx, name(s), trace.WithSpanKind(kind), trace.WithAttributes(attributes(s)...))
	return ctx, func(out reconcile.Outcome) {
		end(span, out)
	}
}

// name returns one of a few names: what a span is about is in its attributes.
func name(s reconcile.Span) string {
	switch s.Type {
	case reconcile.SpanCall:
		return "strata." + s.Name
	case reconcile.SpanRequest:
		return "kubernetes " + s.Name
	default:
		return "strata " + string(s.Type)
	}
}

func attributes(s reconcile.Span) []attribute.KeyValue {
	var all []attribute.KeyValue
	add := func(key attribute.Key, value string) {
		if value != "" {
			all = append(all, key.String(value))
		}
	}
	id := s.Target.ID()
	add(ClusterKey, id.Cluster)
	add(InstallationKey, id.Installation)
	add(LayerKey, s.Layer)
	add(PackageKey, s.Pin.Name)
	add(VersionKey, s.Pin.Resolved)
	add(DigestKey, s.Pin.Digest.String())
	switch s.Type {
	case reconcile.SpanHook:
		add(HookKey, s.Name)
		add(ObjectKey, s.Object.String())
	case reconcile.SpanRequest:
		add(VerbKey, s.Name)
		add(ResourceKey, s.Resource)
		add(ServerKey, host(s.Target))
	default:
	}
	return all
}

// host returns the name of the API server, without what else its URL may hold.
func host(t reconcile.Target) string {
	u, err := url.Parse(t.Config.Host)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func end(span trace.Span, out reconcile.Outcome) {
	defer span.End()
	if !span.IsRecording() {
		return
	}
	if r := out.Result; r != nil {
		span.SetAttributes(ReadyKey.Bool(r.Ready), StepsKey.Int(len(r.Steps)), WaitingKey.Int(len(r.Waiting)), DriftKey.Int(len(r.Drift)),
			ReadsKey.Int64(r.Cost.Reads), WritesKey.Int64(r.Cost.Writes))
	}
	if out.Code != 0 {
		span.SetAttributes(StatusKey.Int(out.Code))
	}
	switch {
	case out.Err != nil:
		span.SetStatus(codes.Error, out.Err.Error())
	case out.Code >= http.StatusBadRequest:
		span.SetStatus(codes.Error, "")
	}
}
