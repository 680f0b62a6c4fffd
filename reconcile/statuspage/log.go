package statuspage

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/strata-go/strata/reconcile"
)

const (
	kept     = 40 // notes, and drifts, of each target
	buffered = 64 // notes for a viewer that is slow
)

// A note is an event as the page shows it.
type note struct {
	Number int64              `json:"number"` // of all targets together
	Target reconcile.TargetID `json:"-"`
	Name   string             `json:"target"`
	Time   time.Time          `json:"time"`
	Type   string             `json:"type"`
	Mark   string             `json:"mark"` // ready, failed, drifted or progress
	Layer  string             `json:"layer"`
	Text   string             `json:"text"`
}

// A log keeps the last notes, and sends new ones to those who follow it.
type log struct {
	mu        sync.Mutex
	last      int64
	notes     map[reconcile.TargetID][]note
	drifts    map[reconcile.TargetID][]reconcile.Drift // that were found, and not left
	touched   map[reconcile.TargetID]time.Time         // when the last event of a target came
	followers map[chan note]bool
}

func newLog() *log {
	return &log{notes: map[reconcile.TargetID][]note{}, drifts: map[reconcile.TargetID][]reconcile.Drift{}, touched: map[reconcile.TargetID]time.Time{}, followers: map[chan note]bool{}}
}

// again reports whether a later note says the same once more.
func (n note) again(later note) bool {
	return n.Type == later.Type && n.Layer == later.Layer && n.Text == later.Text
}

// keep forgets all targets but those of sources.
func (l *log) keep(sources []*source) {
	l.mu.Lock()
	defer l.mu.Unlock()
	gone := func(target reconcile.TargetID) bool {
		return !slices.ContainsFunc(sources, func(s *source) bool { return s.id == target })
	}
	maps.DeleteFunc(l.notes, func(t reconcile.TargetID, _ []note) bool { return gone(t) })
	maps.DeleteFunc(l.drifts, func(t reconcile.TargetID, _ []reconcile.Drift) bool { return gone(t) })
	maps.DeleteFunc(l.touched, func(t reconcile.TargetID, _ time.Time) bool { return gone(t) })
}

// add adds an event. Who is too slow for it misses it.
func (l *log) add(e reconcile.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	target := e.Target
	n := note{Number: l.last, Target: target, Name: target.String(), Time: time.Now(), Type: words(e.Type), Mark: markOf(e.Type), Layer: e.Layer, Text: textOf(e)}
	notes := l.notes[target]
	if before := len(notes) - 1; before >= 0 && notes[before].again(n) {
		notes = notes[:before:before]
	}
	l.notes[target] = last(append(notes, n))
	l.touched[target] = n.Time
	if e.Drift != nil && !e.Drift.Stays() {
		l.drifts[target] = last(append(l.drifts[target], *e.Drift))
	}
	for f := range l.followers {
		select {
		case f <- n:
		default:
		}
	}
}

// last returns the last of many, in memory of its own.
func last[T any](all []T) []T {
	if len(all) <= kept {
		return all
	}
	return slices.Clone(all[len(all)-kept:])
}

func (l *log) newest() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// of returns what is kept of the targets of sources, newest first.
func (l *log) of(sources []*source) []note {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []note
	for _, s := range sources {
		all = append(all, l.notes[s.id]...)
	}
	slices.SortFunc(all, func(a, b note) int { return cmp.Compare(b.Number, a.Number) })
	return all[:min(len(all), kept)]
}

// repaired returns the last drift of a target that was repaired, newest first.
func (l *log) repaired(target reconcile.TargetID) []reconcile.Drift {
	l.mu.Lock()
	defer l.mu.Unlock()
	drifts := slices.Clone(l.drifts[target])
	slices.Reverse(drifts)
	return drifts
}

// touchedAt returns when the last event of a target came; zero if none has.
func (l *log) touchedAt(target reconcile.TargetID) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.touched[target]
}

// follow returns the notes since the numbered one, and a channel for those to
// come.
func (l *log) follow(since int64) ([]note, chan note) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var missed []note
	for _, notes := range l.notes {
		for _, n := range notes {
			if n.Number > since || since > l.last {
				missed = append(missed, n)
			}
		}
	}
	slices.SortFunc(missed, func(a, b note) int { return cmp.Compare(a.Number, b.Number) })
	f := make(chan note, buffered)
	l.followers[f] = true
	return missed, f
}

func (l *log) unfollow(f chan note) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.followers, f)
}

// words returns "layer ready" for LayerReady.
func words(t reconcile.EventType) string {
	var b strings.Builder
	for i, r := range string(t) {
		if i > 0 && 'A' <= r && r <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

func markOf(t reconcile.EventType) string {
	switch t {
	case reconcile.LayerReady:
		return "ready"
	case reconcile.LayerFailed, reconcile.PlanFailed:
		return "failed"
	case reconcile.ObjectDrifted, reconcile.FightFound:
		return "drifted"
	default:
		return "progress"
	}
}

// textOf says what an event is about.
func textOf(e reconcile.Event) string {
	object := e.Object.String()
	switch {
	case e.Object == (reconcile.ObjectRef{}), e.Drift != nil:
		return e.Message
	case e.Message == "":
		return object
	default:
		return object + ": " + e.Message
	}
}
