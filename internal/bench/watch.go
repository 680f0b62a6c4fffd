package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/reconcile"
)

// changes is how many changes of another client are repaired for (f), and pause
// how long it is quiet between them, so that none waits for the one before.
const (
	changes = 100
	pause   = 200 * time.Millisecond
)

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// repairs measures (f): from a change that another client makes until Watch has
// repaired it, against a bare loop that watches the object and applies it.
func repairs(ctx context.Context, config *rest.Config, _ int) ([]figure, error) {
	s := shape{layers: 10, objects: 1000, prefix: "f", text: "text"}
	desired, err := s.desired(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seen := new(recorder)
	recorded := rest.CopyConfig(config)
	recorded.Wrap(seen.wrap)
	engine, target := new(reconcile.Reconciler), reconcile.Target{Config: recorded, Name: "f"}
	if _, err := engine.Converge(ctx, target, desired); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	watching, stop := context.WithCancel(ctx)
	go func() {
		defer close(ended)
		_ = engine.Watch(watching, target, desired) // its error is that of its context
	}()
	defer func() { <-ended }()
	defer stop()
	if err := untilWatched(ctx, config, s); err != nil {
		return nil, err
	}
	seen.take()
	ours, err := repaired(ctx, config, s, func(r repair) time.Time { return seen.first(http.MethodGet, "/secrets/strata-f", r.begun) })
	if err != nil {
		return nil, err
	}
	requests := int64(len(seen.take()) / changes)
	stop()

	looping, stop := context.WithCancel(ctx)
	looped := make(chan struct{})
	go func() {
		defer close(looped)
		_ = handWritten(looping, recorded, s) // likewise
	}()
	defer func() { <-looped }()
	defer stop()
	if err := untilWatched(ctx, config, s); err != nil {
		return nil, err
	}
	seen.take()
	baseline, err := repaired(ctx, config, s, func(r repair) time.Time { return seen.first(http.MethodPatch, "/"+r.path, r.begun) })
	if err != nil {
		return nil, err
	}
	against := func(id string, ours, baseline measured) figure {
		return figure{id, over(ours.median, baseline.median), ours, baseline, requests}
	}
	return []figure{
		against("f", ours.whole, baseline.whole), against("f-starts", ours.starts, baseline.starts), against("f-starts-p95", ours.late, baseline.late),
	}, nil
}

// untilWatched returns when somebody repairs an object.
func untilWatched(ctx context.Context, config *rest.Config, s shape) error {
	_, err := repairOne(ctx, config, s, changes)
	return err
}

// A swiftness says how long repairs take, from when the change was asked for; and
// until they start, from when the server had answered who made the change, which
// may be later: the median, and
// what 95 of 100 take at most.
type swiftness struct{ whole, starts, late measured }

// repaired changes objects, one after the other, and measures how long it takes
// until each is as it was, and until its repair starts.
func repaired(ctx context.Context, config *rest.Config, s shape, start func(repair) time.Time) (swiftness, error) {
	var times, starts []time.Duration
	forgetPeak()
	for i := range changes {
		one, err := repairOne(ctx, config, s, i)
		if err != nil {
			return swiftness{}, err
		}
		time.Sleep(pause)
		times = append(times, one.repaired.Sub(one.begun))
		starts = append(starts, max(time.Microsecond, start(one).Sub(one.changed)))
	}
	slices.Sort(times)
	slices.Sort(starts)
	peak := peakMiB()
	return swiftness{measured{times[changes/2], peak}, measured{starts[changes/2], peak}, measured{starts[changes*95/100], peak}}, nil
}

// A repair says when a change was asked for, when the server had made it, and
// when the object at the end of a path was as before.
type repair struct {
	path                     string
	begun, changed, repaired time.Time
}

// repairOne changes an object, and returns when it is as it was.
func repairOne(ctx context.Context, config *rest.Config, s shape, i int) (r repair, err error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return r, err
	}
	// Each layer begins with a config map, and every fourth object is one.
	maps := client.Resource(configMaps).Namespace(s.namespace(i % s.layers))
	name := fmt.Sprintf("object-%d", i/s.layers*len(kinds))
	w, err := maps.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		return r, err
	}
	defer w.Stop()
	r.path, r.begun = strings.Join([]string{s.namespace(i % s.layers), configMaps.Resource, name}, "/"), time.Now()
	change := []byte(`{"data": {"text": "changed"}}`)
	if _, err := maps.Patch(ctx, name, types.MergePatchType, change, metav1.PatchOptions{FieldManager: "somebody"}); err != nil {
		return r, err
	}
	r.changed = time.Now()
	changed := false
	for e := range w.ResultChan() {
		o, ok := e.Object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		text, _, err := unstructured.NestedString(o.Object, "data", "text")
		if changed = changed || text != s.text; err != nil || changed && text == s.text {
			r.repaired = time.Now()
			return r, err
		}
	}
	return r, fmt.Errorf("%s was not repaired: %w", name, ctx.Err())
}

// handWritten watches the metadata of all config maps, and applies those that
// change.
func handWritten(ctx context.Context, config *rest.Config, s shape) error {
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	p, err := newPlain(config)
	if err != nil {
		return err
	}
	objects, err := s.decode()
	if err != nil {
		return err
	}
	w, err := client.Resource(configMaps).Watch(ctx, metav1.ListOptions{}) // begins with what is there
	if err != nil {
		return err
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		changed, ok := e.Object.(*metav1.PartialObjectMetadata)
		if !ok || !slices.ContainsFunc(changed.ManagedFields, func(e metav1.ManagedFieldsEntry) bool { return e.Manager == "somebody" }) {
			continue
		}
		for _, o := range objects {
			if o.GetKind() == "ConfigMap" && o.GetName() == changed.Name && o.GetNamespace() == changed.Namespace {
				if err := p.applyAll(ctx, []*unstructured.Unstructured{o}, false); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
