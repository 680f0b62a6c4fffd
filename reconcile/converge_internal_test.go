package reconcile

import (
	"slices"
	"testing"
)

// What was kept in an early pass is not in the inventory any more, and is told by
// no later one.
func TestResultOfPasses(t *testing.T) {
	t.Parallel()
	first, second := Kept{ObjectRef{Kind: "A"}, "it is said so"}, Kept{ObjectRef{Kind: "B"}, "it is said so"}
	r := new(Result)
	r.add(Result{Kept: []Kept{first}, Steps: make([]Step, 2), Waiting: make([]Waiting, 1)})
	r.add(Result{Kept: []Kept{first, second}, Steps: make([]Step, 1), Ready: true})
	if want := []Kept{first, second}; !slices.Equal(r.Kept, want) || len(r.Steps) != 3 || len(r.Waiting) != 0 || !r.Ready {
		t.Errorf("got %+v", r)
	}
}
