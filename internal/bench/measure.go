package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/reconcile"
)

// nothingToDo measures (a): 10 layers with 1,000 objects that are as they should be.
func nothingToDo(ctx context.Context, config *rest.Config, runs int) ([]figure, error) {
	s := shape{layers: 10, objects: 1000, prefix: "a", text: "text"}
	engine, target := new(reconcile.Reconciler), reconcile.Target{Config: config, Name: "a"}
	desired, err := s.desired(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := engine.Converge(ctx, target, desired); err != nil {
		return nil, err
	}
	var cost reconcile.Cost
	ours, err := median(runs, func() error {
		result, err := engine.Reconcile(ctx, target, desired)
		if err == nil && (!result.Ready || result.Cost.Writes > 0) {
			err = fmt.Errorf("something was done: %+v", result)
		}
		cost = result.Cost
		return err
	})
	if err != nil {
		return nil, err
	}
	objects, err := s.decode()
	if err != nil {
		return nil, err
	}
	dry, err := newPlain(config)
	if err != nil {
		return nil, err
	}
	dryrun, err := median(runs, func() error { return dry.applyAll(ctx, objects, true) })
	if err != nil {
		return nil, err
	}
	flux, err := newFlux(config)
	if err != nil {
		return nil, err
	}
	fluxssa, err := median(runs+1, func() error { return flux.applyAll(ctx, objects) })
	if err != nil {
		return nil, err
	}
	return []figure{
		{"a-dryrun", over(dryrun, ours), ours, dryrun, cost.Reads + cost.Writes},
		{"a-fluxssa", over(fluxssa, ours), ours, fluxssa, cost.Reads + cost.Writes},
	}, nil
}

// firstApply measures (b): 1,000 objects that are not there yet.
func firstApply(ctx context.Context, config *rest.Config, runs int) ([]figure, error) {
	plain, err := newPlain(config)
	if err != nil {
		return nil, err
	}
	var requests int64
	round := 0
	var ours, baseline []time.Duration
	for range runs {
		round++
		s := shape{layers: 10, objects: 1000, prefix: fmt.Sprintf("b-ours-%d", round), text: "text"}
		desired, err := s.desired(ctx)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		result, err := new(reconcile.Reconciler).Reconcile(ctx, reconcile.Target{Config: config, Name: s.prefix}, desired)
		if err != nil || !result.Ready {
			return nil, fmt.Errorf("%+v: %w", result, err)
		}
		ours = append(ours, time.Since(start))
		requests = result.Cost.Reads + result.Cost.Writes

		s.prefix = fmt.Sprintf("b-plain-%d", round)
		objects, err := s.decode()
		if err != nil {
			return nil, err
		}
		start = time.Now()
		if err := plain.makeNamespaces(ctx, s); err != nil {
			return nil, err
		}
		if err := plain.applyAll(ctx, objects, false); err != nil {
			return nil, err
		}
		baseline = append(baseline, time.Since(start))
	}
	a, b := middle(ours), middle(baseline)
	return []figure{{"b", over(a, b), a, b, requests}}, nil
}

// oneOfTwenty measures (c): the requests of an upgrade of one layer out of 20
// that are about other layers, over those that are needed, plus one.
func oneOfTwenty(ctx context.Context, config *rest.Config, runs int) ([]figure, error) {
	s := shape{layers: 20, objects: 400, prefix: "c", text: "text"}
	seen := new(recorder)
	watched := rest.CopyConfig(config)
	watched.Wrap(seen.wrap)
	engine, target := new(reconcile.Reconciler), reconcile.Target{Config: watched, Name: "c"}
	desired, err := s.desired(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := engine.Converge(ctx, target, desired); err != nil {
		return nil, err
	}
	var foreign, needed int
	changes := 0
	ours, err := median(runs, func() error {
		changes++
		next, err := s.desiredChanged(ctx, 7, fmt.Sprint("changed ", changes))
		if err != nil {
			return err
		}
		seen.take()
		if _, err := engine.Converge(ctx, target, next); err != nil {
			return err
		}
		foreign, needed = 0, 0
		for _, path := range seen.take() {
			if about := namespaceOf(path); about == "" || about == s.namespace(7) || about == reconcile.DefaultNamespace {
				needed++
			} else {
				foreign++
			}
		}
		return nil
	})
	return []figure{{"c", float64(foreign)/float64(needed) + 1, ours, ours, int64(needed + foreign)}}, err
}

// growth measures (d): how the cost of one object, of a first apply and of a
// pass with nothing to do, grows from 1,000 objects to 10,000.
func growth(ctx context.Context, config *rest.Config, _ int) ([]figure, error) {
	each := map[int]time.Duration{}
	var requests int64
	for _, n := range []int{100, 1000, 10_000} {
		s := shape{layers: 10, objects: n, prefix: fmt.Sprintf("d-%d", n), text: "text"}
		desired, err := s.desired(ctx)
		if err != nil {
			return nil, err
		}
		target := reconcile.Target{Config: config, Name: s.prefix}
		start := time.Now()
		engine := new(reconcile.Reconciler)
		if _, err := engine.Converge(ctx, target, desired); err != nil {
			return nil, err
		}
		first := time.Since(start)
		start = time.Now()
		result, err := engine.Reconcile(ctx, target, desired)
		if err != nil {
			return nil, err
		}
		again := time.Since(start)
		requests = result.Cost.Reads + result.Cost.Writes
		each[n] = (first + again) / time.Duration(n)
		fmt.Printf("# d: %d objects: first %s, again %s with %d requests, memory %d MiB\n", n, first.Round(time.Millisecond), again.Round(time.Millisecond), requests, peakMiB())
	}
	return []figure{{"d", over(each[10_000], each[1000]), each[10_000], each[1000], requests}}, nil
}

func over(a, b time.Duration) float64 { return float64(a) / float64(b) }
