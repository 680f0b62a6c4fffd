// Package prometheus makes Prometheus metrics of what a Reconciler does:
//
//	metrics := new(prometheus.Collector)
//	registerer.MustRegister(metrics)
//	r := &reconcile.Reconciler{Observer: metrics}
//
//	strata_passes_total{target,outcome}             ready, waiting, failed or interrupted
//	strata_pass_duration_seconds{target}            histogram
//	strata_last_success_timestamp_seconds{target}   of the last pass that found all ready
//	strata_layer_health{target,layer,health}        1 for the health that it has, else 0
//	strata_objects_total{target,layer,action}       create, update, repair, delete, ...
//	strata_drift_repaired_total{target,layer}       fields and objects that others changed
//	strata_drift_left{target,layer}                 those that stay so now
//	strata_conflicts_total{target,layer}            fields of other managers that are in the way
//	strata_api_requests_total{verb,code}            code 0: there was no answer
//	strata_api_request_duration_seconds{verb}       histogram; until the answer begins
//
// There are as many series as there are targets and layers. The name of an
// installation is its label; set [Collector.Label] where several clusters have
// installations of one name.
package prometheus

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/strata-go/strata/reconcile"
)

// A Collector is an Observer of Reconcilers that keeps metrics, and is to be
// registered once. Its zero value is ready; it is safe for concurrent use. Do
// not copy it.
type Collector struct {
	// Label returns the label of a target. If nil, the name of the installation.
	// Set it before the first use.
	Label func(reconcile.Target) string

	once   sync.Once
	passes *passes
	layers *layers
	calls  *calls
}

var (
	_ reconcile.Observer = (*Collector)(nil)
	_ prom.Collector     = (*Collector)(nil)
)

// Describe is a method of [prom.Collector].
func (c *Collector) Describe(to chan<- *prom.Desc) {
	for _, one := range c.all() {
		one.Describe(to)
	}
}

// Collect is a method of [prom.Collector].
func (c *Collector) Collect(to chan<- prom.Metric) {
	for _, one := range c.all() {
		one.Collect(to)
	}
}

// Forget removes the series of a target that is gone for good.
func (c *Collector) Forget(t reconcile.Target) {
	c.setUp()
	target := prom.Labels{"target": c.label(t)}
	c.passes.forget(target)
	c.layers.forget(target)
}

// Begin takes the time.
func (c *Collector) Begin(ctx context.Context, s reconcile.Span) (context.Context, func(reconcile.Outcome)) {
	began := time.Now()
	switch s.Type {
	case reconcile.SpanRequest, reconcile.SpanPass, reconcile.SpanLook:
	default:
		return ctx, func(reconcile.Outcome) {}
	}
	c.setUp()
	return ctx, func(o reconcile.Outcome) {
		took := time.Since(began).Seconds()
		if s.Type == reconcile.SpanRequest {
			c.calls.count(s.Name, o.Code, took)
			return
		}
		target := c.label(s.Target)
		if s.Type == reconcile.SpanPass {
			c.passes.count(target, outcome(ctx, o), took)
			c.layers.count(target, o)
		}
		if o.Layers != nil {
			c.layers.set(target, o.Layers)
		}
	}
}

// outcome says in a word how a pass ended.
func outcome(ctx context.Context, o reconcile.Outcome) string {
	switch {
	case o.Err != nil && ctx.Err() != nil && errors.Is(o.Err, ctx.Err()):
		return "interrupted"
	case o.Err != nil:
		return "failed"
	case o.Result.Ready:
		return "ready"
	default:
		return "waiting"
	}
}

func (c *Collector) label(t reconcile.Target) string {
	if c.Label != nil {
		return c.Label(t)
	}
	return t.InstallationName()
}

func (c *Collector) setUp() {
	c.once.Do(func() { c.passes, c.layers, c.calls = newPasses(), newLayers(), newCalls() })
}

func (c *Collector) all() []prom.Collector {
	c.setUp()
	return append(append(c.passes.all(), c.layers.all()...), c.calls.all()...)
}

// calls are the metrics of requests to API servers.
type calls struct {
	total *prom.CounterVec
	took  *prom.HistogramVec
}

func newCalls() *calls {
	return &calls{
		total: counter("api_requests_total", "Requests to API servers.", "verb", "code"),
		took:  histogram("api_request_duration_seconds", "Time until the answer of an API server begins.", prom.ExponentialBuckets(.001, 2.5, 11), "verb"),
	}
}

func (c *calls) all() []prom.Collector { return []prom.Collector{c.total, c.took} }

func (c *calls) count(verb string, code int, took float64) {
	c.total.WithLabelValues(verb, strconv.Itoa(code)).Inc()
	c.took.WithLabelValues(verb).Observe(took)
}

// passes are the metrics of passes.
type passes struct {
	total   *prom.CounterVec
	took    *prom.HistogramVec
	success *prom.GaugeVec
}

func newPasses() *passes {
	return &passes{
		total:   counter("passes_total", "Passes by how they ended.", "target", "outcome"),
		took:    histogram("pass_duration_seconds", "Time that a pass took.", prom.ExponentialBuckets(.01, 2.5, 11), "target"),
		success: gauge("last_success_timestamp_seconds", "When the last pass that found all ready ended.", "target"),
	}
}

func (p *passes) all() []prom.Collector { return []prom.Collector{p.total, p.took, p.success} }

func (p *passes) count(target, outcome string, took float64) {
	p.total.WithLabelValues(target, outcome).Inc()
	p.took.WithLabelValues(target).Observe(took)
	if outcome == "ready" {
		p.success.WithLabelValues(target).SetToCurrentTime()
	}
}

func (p *passes) forget(target prom.Labels) {
	p.total.DeletePartialMatch(target)
	p.took.DeletePartialMatch(target)
	p.success.DeletePartialMatch(target)
}

func counter(name, help string, labels ...string) *prom.CounterVec {
	return prom.NewCounterVec(prom.CounterOpts{Namespace: "strata", Name: name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prom.GaugeVec {
	return prom.NewGaugeVec(prom.GaugeOpts{Namespace: "strata", Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64, labels ...string) *prom.HistogramVec {
	return prom.NewHistogramVec(prom.HistogramOpts{Namespace: "strata", Name: name, Help: help, Buckets: buckets}, labels)
}
