package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/strata-go/strata/layer"
)

// String returns s as a table for people.
func (s *Status) String() string {
	if !s.Installed {
		return fmt.Sprintf("%s: nothing is installed\n", s.Target)
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "LAYER\tKIND\tSOURCE\tVERSION\tOBJECTS\tHEALTH\tPROFILE")
	for _, l := range s.Layers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", l.Name, l.Kind, l.Format, cmp.Or(l.Version, "-"), len(l.Objects), l.Health, l.Profile)
	}
	_ = w.Flush() // a strings.Builder never fails
	for _, l := range s.Layers {
		if l.Message != "" {
			fmt.Fprintf(&b, "%s: %s\n", l.Name, l.Message)
		}
	}
	return b.String()
}

// Picture returns the stack as a picture for a terminal: the layers as boxes on
// each other, the bottom of the stack at the bottom.
func (s *Status) Picture() string {
	rows := make([][2]string, 0, len(s.Layers))
	for _, l := range slices.Backward(s.Layers) {
		left := fmt.Sprintf("%s %s", mark(l.Health), l.Name)
		if l.Version != "" {
			left += " " + l.Version
		}
		right := string(l.Kind)
		if l.Kind == layer.AddOn {
			right += " (" + string(l.Format) + ")"
		}
		rows = append(rows, [2]string{left, right})
	}
	width := utf8.RuneCountInString(s.title())
	for _, r := range rows {
		width = max(width, utf8.RuneCountInString(r[0])+utf8.RuneCountInString(r[1])+3)
	}
	line := func(left, right string) string {
		gap := width - utf8.RuneCountInString(left) - utf8.RuneCountInString(right)
		return "│ " + left + strings.Repeat(" ", gap) + right + " │\n"
	}
	rule := strings.Repeat("─", width+2)
	var b strings.Builder
	b.WriteString("┌" + rule + "┐\n")
	for _, r := range rows {
		b.WriteString(line(r[0], r[1]))
		b.WriteString("├" + rule + "┤\n")
	}
	b.WriteString(line(s.title(), ""))
	b.WriteString("└" + rule + "┘\n")
	return b.String()
}

func (s *Status) title() string {
	return fmt.Sprintf("%s on Kubernetes %s", s.Target, s.KubernetesVersion)
}

// mark is one letter wide, and tells the healths apart without colours.
func mark(h Health) string {
	switch h {
	case Ready:
		return "✔"
	case Failed:
		return "✘"
	case Drifted:
		return "≠"
	case Removing:
		return "−"
	default:
		return "…"
	}
}
