package reconcile

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/strata-go/strata/profile"
)

// String returns the plan as a table for people, without what stays unchanged.
func (p *Plan) String() string {
	var b strings.Builder
	switch steps := p.changing(); {
	case len(steps)+len(p.Hooks) > 0:
		p.table(&b, steps)
	case p.begins() || len(p.Drift()) == 0:
		b.WriteString(p.nothing())
	}
	for _, d := range p.Drift() {
		fmt.Fprintf(&b, "drift     %s\n", d)
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	if !p.Empty() {
		fmt.Fprintf(&b, "%s\n", p.forecast())
	}
	return b.String()
}

// nothing says why there are no steps and hooks.
func (p *Plan) nothing() string {
	if !p.begins() || p.desired == nil {
		return fmt.Sprintf("nothing to do: %d objects are as they should be\n", len(p.Steps))
	}
	text := "no object changes; only the record of what is installed does\n"
	if p.before.Lock != nil {
		text += profile.CompareLocks(p.before.Lock, p.desired.Lock()).String()
	}
	return text
}

func (p *Plan) forecast() string {
	return fmt.Sprintf("%d reads and %d writes are expected", p.Requests.Reads, p.Requests.Writes)
}

// table writes the steps, each with its changes below it, and the hooks.
func (p *Plan) table(b *strings.Builder, steps []Step) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 4, 2, ' ', 0)
	for _, s := range steps {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Action, s.Object, s.from(), s.Reason)
	}
	for _, h := range p.Hooks {
		fmt.Fprintf(w, "hook\t%s\t%s\t%s\n", h.Object, h.Layer, h.when())
	}
	_ = w.Flush() // a strings.Builder never fails
	for i, line := range strings.SplitAfter(table.String(), "\n") {
		b.WriteString(line)
		if i < len(steps) {
			for _, c := range steps[i].Changes {
				fmt.Fprintf(b, "          %s\n", c)
			}
		}
	}
}

// String returns what happens to which object, and why.
func (s Step) String() string {
	text := fmt.Sprintf("%s %s", s.Action, s.Object)
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return inLayer(s.Layer, text)
}

// from returns the layer, and the profile that it comes from.
func (s Step) from() string {
	if s.Layer == "" || s.Profile.Name == "" {
		return s.Layer
	}
	return fmt.Sprintf("%s (%s)", s.Layer, s.Profile)
}

func (h Hook) when() string {
	return fmt.Sprintf("%s of release %s, weight %d", h.Event, h.Release, h.Weight)
}

// String returns `.spec.replicas: 1 -> 2 (owned by "hpa")`.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s -> %s%s", c.Field, orMissing(c.Old), orMissing(c.New), c.owned())
}

func (c Change) owned() string {
	if len(c.Owners) == 0 {
		return ""
	}
	names := make([]string, len(c.Owners))
	for i, o := range c.Owners {
		names[i] = o.Manager
	}
	return " (owned by " + quoteAll(names) + ")"
}

func orMissing(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// Markdown returns the plan as a table for a pull request.
func (p *Plan) Markdown() string {
	cell := strings.NewReplacer("|", `\|`, "\n", " ").Replace
	var b strings.Builder
	if p.still() && len(p.Hooks) == 0 {
		b.WriteString(p.nothing())
	} else {
		b.WriteString("| action | object | layer | why |\n|---|---|---|---|\n")
		for _, s := range p.changing() {
			var why strings.Builder
			why.WriteString(cell(s.Reason))
			for _, c := range s.Changes {
				fmt.Fprintf(&why, "<br>`%s`: %s → %s%s", cell(c.Field), cell(orMissing(c.Old)), cell(orMissing(c.New)), cell(c.owned()))
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.Action, cell(s.Object.String()), cell(s.from()), why.String())
		}
		for _, h := range p.Hooks {
			fmt.Fprintf(&b, "| hook | %s | %s | %s |\n", cell(h.Object.String()), cell(h.Layer), cell(h.when()))
		}
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "\n- %s", cell(w))
	}
	if !p.Empty() {
		fmt.Fprintf(&b, "\n%s.\n", p.forecast())
	}
	return b.String()
}
