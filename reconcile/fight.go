package reconcile

import (
	"slices"
	"time"

	"github.com/strata-go/strata/internal/inventory"
)

const (
	// fightAfter is how many repairs of one value by one manager are made before
	// it is a fight: the third time that the same is found, it is left.
	fightAfter = 2
	// manyRepairs is the same whatever the values are.
	manyRepairs = 200
	// memory is how long a repair counts, beside the time that was kept off.
	memory = 5 * time.Minute
	// The first time to keep off; it doubles with each repair that was in vain.
	firstTruce, longestTruce = 30 * time.Second, time.Hour
	// maxRemembered bounds what is kept in mind of one object.
	maxRemembered = 32
)

// truce returns how long a field is left alone after its last repair.
func truce(d inventory.Dispute) time.Duration {
	vain := max(d.Same-fightAfter, d.Repairs-manyRepairs)
	if vain < 0 {
		return 0
	}
	if vain > 10 {
		return longestTruce
	}
	return min(firstTruce<<vain, longestTruce)
}

// over reports whether the field stayed as it was repaired for long enough to
// forget about it.
func over(d inventory.Dispute, now time.Time) bool { return now.Sub(d.Last) > memory+2*truce(d) }

// repaired returns the dispute about a field that is repaired at this time,
// after a change that has a path, a manager and a value. was is what is known
// of it from before.
func repaired(was, change inventory.Dispute, now time.Time) inventory.Dispute {
	change.Repairs, change.Same, change.Last = 1, 1, now
	if was.Repairs > 0 && was.Manager == change.Manager && !over(was, now) {
		change.Repairs = was.Repairs + 1
		if was.Value == change.Value {
			change.Same = was.Same + 1
		}
	}
	return change
}

// fought returns until when a changed field is left alone, or zero.
func fought(was, change inventory.Dispute, now time.Time) time.Time {
	if was.Repairs == 0 || was.Manager != change.Manager || over(was, now) {
		return time.Time{}
	}
	if was.Value != change.Value {
		was.Same = 0
	}
	until := was.Last.Add(truce(was))
	if !now.Before(until) {
		return time.Time{}
	}
	return until
}

// remembered returns the disputes of an object that still count, with news about
// some of its fields.
func remembered(was *inventory.Drift, news []inventory.Dispute, now time.Time) []inventory.Dispute {
	all := slices.Clone(news)
	if was != nil {
		for _, d := range was.Disputes {
			if !over(d, now) && !slices.ContainsFunc(news, func(n inventory.Dispute) bool { return n.Path == d.Path }) {
				all = append(all, d)
			}
		}
	}
	return all[:min(len(all), maxRemembered)]
}

// truceEnds returns when the first of the fights goes on; zero if there is none.
func truceEnds(all []Drift) time.Time {
	var first time.Time
	for _, d := range all {
		if d.Fight() && (first.IsZero() || d.Until.Before(first)) {
			first = d.Until
		}
	}
	return first
}
