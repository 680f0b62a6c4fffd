package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/inventory"
)

// maxNamed is how many objects a gap names.
const maxNamed = 5

// A takeover is what a plan does to a layer beyond taking it over as it is.
type takeover struct{ changed, hooks []string }

// changing returns a gap for each layer that a plan would not take over as it
// is: because the templates of its chart make other values each time, because
// hooks run as in an upgrade, or because somebody changed the objects since.
func changing(p *Plan) []Gap {
	layers := map[string]takeover{}
	for _, s := range p.Steps {
		if s.Layer != "" && !s.marksOnly() {
			t := layers[s.Layer]
			t.changed = append(t.changed, s.inWords())
			layers[s.Layer] = t
		}
	}
	for _, h := range p.Hooks {
		t := layers[h.Layer]
		t.hooks = append(t.hooks, fmt.Sprintf("%s %s", h.Event, h.Object))
		layers[h.Layer] = t
	}
	var gaps []Gap
	for _, name := range slices.Sorted(maps.Keys(layers)) {
		gaps = append(gaps, Gap{Kind: GapChange, Layer: name, Problem: "taking it over " + layers[name].String()})
	}
	return gaps
}

func (t takeover) String() string {
	var parts []string
	if len(t.changed) > 0 {
		parts = append(parts, "changes "+named(t.changed)+"; what templates make anew, such as passwords, can be set in the values")
	}
	if len(t.hooks) > 0 {
		parts = append(parts, "runs the hooks "+named(t.hooks))
	}
	return strings.Join(parts, ", and ")
}

// marksOnly reports whether nothing becomes of an object but that it says whose
// it is.
func (s Step) marksOnly() bool {
	if s.Action == Unchanged {
		return true
	}
	return s.Action == Adopt && !slices.ContainsFunc(s.Changes, func(c Change) bool { return !c.marks() })
}

// marks reports whether a field is a label that says whose an object is.
func (c Change) marks() bool {
	const labels = ".metadata.labels"
	if c.Field == labels {
		return c.Old == "" // there were none
	}
	return strings.HasPrefix(c.Field, labels) && (strings.Contains(c.Field, inventory.PartOf) || strings.Contains(c.Field, layerLabel))
}

// inWords returns the object, and how many fields of it become otherwise.
func (s Step) inWords() string {
	if s.Action != Adopt {
		return fmt.Sprintf("%s (%s)", s.Object, s.Action)
	}
	n := 0
	for _, c := range s.Changes {
		if !c.marks() {
			n++
		}
	}
	return fmt.Sprintf("%s (%s)", s.Object, plural(n, "field"))
}

// named lists the first of many.
func named(all []string) string {
	if more := len(all) - maxNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:maxNamed], ", "), more)
	}
	return strings.Join(all, ", ")
}
