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
	ours, err := measure(runs, func() error {
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
	dryrun, err := measure(runs, func() error { return dry.applyAll(ctx, objects, true) })
	if err != nil {
		return nil, err
	}
	flux, err := newFlux(config)
	if err != nil {
		return nil, err
	}
	fluxssa, err := measure(runs+1, func() error { return flux.applyAll(ctx, objects) })
	if err != nil {
		return nil, err
	}
	return []figure{
		{"a-dryrun", over(dryrun.median, ours.median), ours, dryrun, cost.Reads + cost.Writes},
		{"a-fluxssa", over(fluxssa.median, ours.median), ours, fluxssa, cost.Reads + cost.Writes},
	}, nil
}

// firstApply measures (b): 1,000 objects that are not there yet.
func firstApply(ctx context.Context, config *rest.Config, runs int) ([]figure, error) {
	plain, err := newPlain(config)
	if err != nil {
		return nil, err
	}
	var requests int64
	ours, err := measureEach(runs, func(round int) (func() error, error) {
		s := shape{layers: 10, objects: 1000, prefix: fmt.Sprintf("b-ours-%d", round), text: "text"}
		desired, err := s.desired(ctx)
		return func() error {
			result, err := new(reconcile.Reconciler).Reconcile(ctx, reconcile.Target{Config: config, Name: s.prefix}, desired)
			if err == nil && !result.Ready {
				err = fmt.Errorf("it is not ready: %+v", result)
			}
			requests = result.Cost.Reads + result.Cost.Writes
			return err
		}, err
	})
	if err != nil {
		return nil, err
	}
	baseline, err := measureEach(runs, func(round int) (func() error, error) {
		s := shape{layers: 10, objects: 1000, prefix: fmt.Sprintf("b-plain-%d", round), text: "text"}
		objects, err := s.decode()
		return func() error {
			if err := plain.makeNamespaces(ctx, s); err != nil {
				return err
			}
			return plain.applyAll(ctx, objects, false)
		}, err
	})
	return []figure{{"b", over(ours.median, baseline.median), ours, baseline, requests}}, err
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
	ours, err := measure(runs, func() error {
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
	each := map[int]measured{}
	var requests int64
	for _, n := range []int{100, 1000, 10_000} {
		s := shape{layers: 10, objects: n, prefix: fmt.Sprintf("d-%d", n), text: "text"}
		desired, err := s.desired(ctx)
		if err != nil {
			return nil, err
		}
		target := reconcile.Target{Config: config, Name: s.prefix}
		forgetPeak()
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
		each[n] = measured{(first + again) / time.Duration(n), peakMiB()}
		fmt.Printf("# d: %d objects: first %s, again %s with %d requests, memory %d MiB\n", n, first.Round(time.Millisecond), again.Round(time.Millisecond), requests, each[n].peakMiB)
	}
	return []figure{{"d", over(each[10_000].median, each[1000].median), each[10_000], each[1000], requests}}, nil
}

func over(a, b time.Duration) float64 { return float64(a) / float64(b) }
