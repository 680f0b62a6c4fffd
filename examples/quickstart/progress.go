package main

import (
	"fmt"
	"time"

	"github.com/strata-go/strata/reconcile"
)

// A layerClock remembers since when each layer is worked on, and what it waits
// for.
type layerClock map[string]*layerTime

type layerTime struct {
	started bool
	since   time.Time           // it was started, or first told of
	waiting reconcile.ObjectRef // told of last
}

// progress prints one line when a layer is started, when it waits for another
// object, and when it is ready or gone.
func (l *life) progress(e reconcile.Event) {
	one := l.layers[e.Layer]
	if one == nil {
		one = &layerTime{since: time.Now()}
		l.layers[e.Layer] = one
	}
	say := func(format string, args ...any) {
		l.printf("%-16s  %s", e.Layer, fmt.Sprintf(format, args...))
	}
	switch e.Type {
	case reconcile.LayerStarted:
		one.started = true
		say("started %s", e.Message)
	case reconcile.LayerWaiting:
		if one.waiting != e.Object {
			one.waiting = e.Object
			say("waits for %s: %s", e.Object, e.Message)
		}
	case reconcile.LayerReady:
		if one.started {
			say("ready in %s", seconds(time.Since(one.since)))
		} else {
			say("ready as it is")
		}
	case reconcile.LayerRemoved:
		say("removed")
	case reconcile.LayerFailed:
		say("failed: %s", e.Message)
	case reconcile.ObjectKept:
		say("keeps %s: %s", e.Object, e.Message)
	case reconcile.HookStarted:
		say("runs the %s hook %s", e.Message, e.Object)
	case reconcile.ObjectDrifted, reconcile.FightFound, reconcile.ReleaseFreed, reconcile.PlanFailed:
		say("%s", e.Message)
	case reconcile.ObjectApplied, reconcile.ObjectDeleted:
		// Too many to tell of each.
	}
}

// summarize says what a call did, in one line.
func (l *life) summarize(result *reconcile.Result, took time.Duration) {
	l.last = result
	done := map[reconcile.Action]int{}
	for _, s := range result.Steps {
		done[s.Action]++
	}
	l.printf("%d created, %d updated, %d repaired, %d deleted; %d reads, %d writes; %s",
		done[reconcile.Create], done[reconcile.Update], done[reconcile.Repair], done[reconcile.Delete],
		result.Cost.Reads, result.Cost.Writes, seconds(took))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
