package reconcile

import (
	"strconv"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/inventory"
)

func TestFight(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		changes int // found so far, and repaired unless they were fought about
		every   time.Duration
		other   func(i int, d *inventory.Dispute)
		repairs int
		left    time.Duration // from the last repair on
	}{
		{"once", 1, time.Second, nil, 1, 0},
		{"twice", 2, time.Second, nil, 2, 0},
		{"the third time", 3, time.Second, nil, 2, 30 * time.Second},
		{"again and again", 20, time.Second, nil, 2, 30 * time.Second},
		{"after the truce", 40, time.Second, nil, 3, time.Minute},
		{"seldom", 40, 10 * time.Minute, nil, 40, 0},
		{"for ever", 100_000, time.Second, nil, 0, time.Hour},
		{"other values", 100, time.Second, func(i int, d *inventory.Dispute) { d.Value = digest.FromString(strconv.Itoa(i)) }, 100, 0},
		{"other values for ever", 1000, time.Second, func(i int, d *inventory.Dispute) { d.Value = digest.FromString(strconv.Itoa(i)) }, 0, 8 * time.Minute},
		{"other managers", 10, time.Second, func(i int, d *inventory.Dispute) { d.Manager = string(rune('a' + i)) }, 10, 0},
	} {
		var was inventory.Dispute
		repairs, now, until := 0, start, time.Time{}
		for i := range tt.changes {
			now = now.Add(tt.every)
			change := inventory.Dispute{Path: "/data/a", Manager: "them", Value: "x"}
			if tt.other != nil {
				tt.other(i, &change)
			}
			if until = fought(was, change, now); until.IsZero() {
				was = repaired(was, change, now)
				repairs++
			}
		}
		left := time.Duration(0)
		if !until.IsZero() {
			left = until.Sub(was.Last)
		}
		if left != tt.left || tt.repairs > 0 && repairs != tt.repairs {
			t.Errorf("%s: %d repairs, then left alone for %s; want %d, %s", tt.name, repairs, left, tt.repairs, tt.left)
		}
		if was.Repairs > 0 && fought(was, inventory.Dispute{Manager: was.Manager, Value: was.Value}, now.Add(3*time.Hour)) != (time.Time{}) {
			t.Errorf("%s: it is not forgotten", tt.name)
		}
	}
}
