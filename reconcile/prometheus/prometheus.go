// Package prometheus makes Prometheus metrics of what a Reconciler does:
//
//	metrics := new(prometheus.Collector)
//	registerer.MustRegister(metrics)
//	r := &reconcile.Reconciler{Observer: metrics}
//
//	strata_passes_total{cluster,installation,outcome}             ready, waiting, failed or interrupted
//	strata_pass_duration_seconds{cluster,installation}            histogram
//	strata_last_success_timestamp_seconds{cluster,installation}   of the last pass that found all ready
//	strata_layer_health{cluster,installation,layer,health}        1 for the health that it has, else 0
//	strata_objects_total{cluster,installation,layer,action}       create, update, repair, delete, ...
//	strata_drift_repaired_total{cluster,installation,layer}       fields and objects that others changed
//	strata_drift_left{cluster,installation,layer}                 those that stay so now
//	strata_conflicts_total{cluster,installation,layer}            fields of other managers that are in the way
//	strata_api_requests_total{cluster,verb,code}            code 0: there was no answer
//	strata_api_request_duration_seconds{cluster,verb}       histogram; until the answer begins
//
// There are as many series as there are targets and layers. Labels are those of
// [reconcile.TargetID]: set [reconcile.Target.Cluster] for names that people know.
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

// Forget removes the series of a target that is gone for good, those of requests
// to its cluster among them.
func (c *Collector) Forget(t reconcile.TargetID) {
	c.setUp()
	c.passes.forget(t)
	c.layers.forget(t)
	c.calls.forget(t)
}

// labelsOf returns the labels that the series of a target have in common.
func labelsOf(t reconcile.TargetID) prom.Labels {
	return prom.Labels{"cluster": t.Cluster, "installation": t.Installation}
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
			c.calls.count(s, o.Code, took)
			return
		}
		target := s.Target.ID()
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
		total: counter("api_requests_total", "Requests to API servers.", "cluster", "verb", "code"),
		took:  histogram("api_request_duration_seconds", "Time until the answer of an API server begins.", prom.ExponentialBuckets(.001, 2.5, 11), "cluster", "verb"),
	}
}

func (c *calls) all() []prom.Collector { return []prom.Collector{c.total, c.took} }

func (c *calls) count(s reconcile.Span, code int, took float64) {
	cluster := s.Target.ID().Cluster
	c.total.WithLabelValues(cluster, s.Name, strconv.Itoa(code)).Inc()
	c.took.WithLabelValues(cluster, s.Name).Observe(took)
}

func (c *calls) forget(target reconcile.TargetID) {
	gone := prom.Labels{"cluster": target.Cluster}
	c.total.DeletePartialMatch(gone)
	c.took.DeletePartialMatch(gone)
}

// passes are the metrics of passes.
type passes struct {
	total   *prom.CounterVec
	took    *prom.HistogramVec
	success *prom.GaugeVec
}

func newPasses() *passes {
	return &passes{
		total:   counter("passes_total", "Passes by how they ended.", "cluster", "installation", "outcome"),
		took:    histogram("pass_duration_seconds", "Time that a pass took.", prom.ExponentialBuckets(.01, 2.5, 11), "cluster", "installation"),
		success: gauge("last_success_timestamp_seconds", "When the last pass that found all ready ended.", "cluster", "installation"),
	}
}

func (p *passes) all() []prom.Collector { return []prom.Collector{p.total, p.took, p.success} }

func (p *passes) count(target reconcile.TargetID, outcome string, took float64) {
	p.total.WithLabelValues(target.Cluster, target.Installation, outcome).Inc()
	p.took.WithLabelValues(target.Cluster, target.Installation).Observe(took)
	if outcome == "ready" {
		p.success.WithLabelValues(target.Cluster, target.Installation).SetToCurrentTime()
	}
}

func (p *passes) forget(target reconcile.TargetID) {
	for _, vec := range []interface{ DeletePartialMatch(prom.Labels) int }{p.total, p.took, p.success} {
		vec.DeletePartialMatch(labelsOf(target))
	}
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
