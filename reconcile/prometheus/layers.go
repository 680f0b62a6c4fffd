package prometheus

import (
	"sync"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/strata-go/strata/reconcile"
)

// layers are the metrics of layers.
type layers struct {
	health                       *prom.GaugeVec
	objects, repaired, conflicts *prom.CounterVec
	left                         *prom.GaugeVec

	mu    sync.Mutex
	known map[reconcile.TargetID]map[string]reconcile.Health // by target and layer
}

func newLayers() *layers {
	return &layers{
		health:    gauge("layer_health", "1 for the health that a layer has.", "cluster", "installation", "layer", "health"),
		objects:   counter("objects_total", "Objects by what was done to them.", "cluster", "installation", "layer", "action"),
		repaired:  counter("drift_repaired_total", "Fields and objects that others had changed and that were repaired.", "cluster", "installation", "layer"),
		conflicts: counter("conflicts_total", "Fields of other managers that were in the way.", "cluster", "installation", "layer"),
		left:      gauge("drift_left", "Fields and objects that others have changed and that stay so.", "cluster", "installation", "layer"),
		known:     map[reconcile.TargetID]map[string]reconcile.Health{},
	}
}

func (l *layers) all() []prom.Collector {
	return []prom.Collector{l.health, l.objects, l.repaired, l.conflicts, l.left}
}

// set takes over how the layers of a target are. Those that are not among them
// are gone.
func (l *layers) set(target reconcile.TargetID, now map[string]reconcile.Health) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for layer := range l.known[target] {
		if _, ok := now[layer]; !ok {
			gone := labelsOf(target)
			gone["layer"] = layer
			l.health.DeletePartialMatch(gone)
			l.left.DeletePartialMatch(gone)
		}
	}
	for layer, is := range now {
		for _, h := range []reconcile.Health{reconcile.Ready, reconcile.Progressing, reconcile.Failed, reconcile.Drifted, reconcile.Removing} {
			value := 0.0
			if h == is {
				value = 1
			}
			l.health.WithLabelValues(target.Cluster, target.Installation, layer, string(h)).Set(value)
		}
	}
	l.known[target] = now
}

// count counts what a pass did.
func (l *layers) count(target reconcile.TargetID, o reconcile.Outcome) {
	for _, step := range o.Result.Steps {
		l.objects.WithLabelValues(target.Cluster, target.Installation, step.Layer, string(step.Action)).Inc()
		for _, d := range step.Drift {
			if !d.Stays() {
				l.repaired.WithLabelValues(target.Cluster, target.Installation, step.Layer).Inc()
			}
		}
	}
	count := map[string]float64{}
	for layer := range o.Layers {
		count[layer] = 0
	}
	for _, d := range o.Result.Drift {
		if d.Stays() {
			count[d.Layer]++
		}
	}
	for layer, n := range count {
		l.left.WithLabelValues(target.Cluster, target.Installation, layer).Set(n)
	}
	l.conflict(target, "", o.Err)
}

// conflict counts the conflicts in an error, each in the layer that it stands in.
func (l *layers) conflict(target reconcile.TargetID, layer string, err error) {
	switch e := err.(type) { //nolint:errorlint // errors are unwrapped one by one, as each may be of another layer
	case *reconcile.ConflictError:
		l.conflicts.WithLabelValues(target.Cluster, target.Installation, layer).Add(float64(len(e.Fields)))
	case *reconcile.LayerError:
		l.conflict(target, e.Layer, e.Err)
	case interface{ Unwrap() error }:
		l.conflict(target, layer, e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			l.conflict(target, layer, one)
		}
	}
}

func (l *layers) forget(target reconcile.TargetID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, target)
	for _, vec := range []interface{ DeletePartialMatch(prom.Labels) int }{l.health, l.objects, l.repaired, l.conflicts, l.left} {
		vec.DeletePartialMatch(labelsOf(target))
	}
}
