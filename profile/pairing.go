package profile

import (
	"iter"
	"maps"
	"slices"
)

// A pair is what two lists have of one name. had and has say in which of them it
// is.
type pair[T any] struct {
	name          string
	before, after T
	had, has      bool
}

// paired yields what two lists have of each name, by name.
func paired[T any](was, is []T, name func(T) string) iter.Seq[pair[T]] {
	pairs := map[string]pair[T]{}
	for _, v := range was {
		pairs[name(v)] = pair[T]{name: name(v), before: v, had: true}
	}
	for _, v := range is {
		p := pairs[name(v)]
		p.name, p.after, p.has = name(v), v, true
		pairs[name(v)] = p
	}
	return func(yield func(pair[T]) bool) {
		for _, name := range slices.Sorted(maps.Keys(pairs)) {
			if !yield(pairs[name]) {
				return
			}
		}
	}
}
