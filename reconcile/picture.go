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

// String returns s as a table for people, with what is wrong, newer versions and
// endpoints below it. [Status.Details] has all.
func (s *Status) String() string {
	if !s.Installed {
		return fmt.Sprintf("%s: nothing is installed\n", s.Target)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s; %s\n\n", s.title(), s.Health, s.counts())
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "LAYER\tKIND\tSOURCE\tVERSION\tOBJECTS\tHEALTH\tPROFILE")
	for _, l := range s.Layers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", l.Name, l.Kind, l.Format, cmp.Or(l.Version, "-"), len(l.Objects), l.Health, l.Profile)
	}
	_ = w.Flush() // a strings.Builder never fails
	for _, n := range s.Updates {
		fmt.Fprintf(&b, "profile %s: there is version %s\n", n.Source, cmp.Or(n.Major, n.Minor, n.Patch))
	}
	for _, l := range s.Layers {
		if l.Message != "" {
			fmt.Fprintf(&b, "%s: %s\n", l.Name, oneLine(l.Message))
		}
		if newest := l.newest(); newest != "" {
			fmt.Fprintf(&b, "%s: there is version %s\n", l.Name, newest)
		}
		for _, e := range l.Endpoints {
			fmt.Fprintf(&b, "%s: %s (%s)\n", l.Name, e, e.Object)
		}
	}
	return b.String()
}

// Picture returns the stack as a picture for a terminal: the layers on each
// other, the bottom of the stack at the bottom, with a rule between two kinds.
func (s *Status) Picture() string {
	var columns [4]int // widths
	rows := make([][4]string, len(s.Layers))
	for i, l := range s.Layers {
		rows[i] = [4]string{mark(l.Health) + " " + l.Name, cmp.Or(l.Version, "-"), l.counts(), string(l.Health)}
		for c, text := range rows[i] {
			columns[c] = max(columns[c], utf8.RuneCountInString(text))
		}
	}
	width := utf8.RuneCountInString(s.title())
	lines := make([]string, len(rows))
	for i, row := range rows {
		lines[i] = fmt.Sprintf("%-*s  %-*s  %-*s  %-*s", columns[0], row[0], columns[1], row[1], columns[2], row[2], columns[3], row[3])
		width = max(width, utf8.RuneCountInString(lines[i]))
	}
	var b strings.Builder
	var above layer.Kind
	rule := func(left, right string, kind layer.Kind) {
		name := ""
		if kind != "" {
			name = " " + string(kind) + " "
		}
		b.WriteString(left + "─" + name + strings.Repeat("─", width+1-len(name)) + right + "\n")
	}
	left, right := "┌", "┐"
	for i, l := range slices.Backward(s.Layers) {
		if kind := l.Kind.OrDefault(); kind != above {
			rule(left, right, kind)
			above, left, right = kind, "├", "┤"
		}
		fmt.Fprintf(&b, "│ %-*s │\n", width, lines[i])
	}
	rule(left, right, "")
	fmt.Fprintf(&b, "│ %-*s │\n", width, s.title())
	rule("└", "┘", "")
	return b.String()
}

func (s *Status) title() string {
	if !s.Installed {
		return s.Target.String() + ": nothing is installed"
	}
	return fmt.Sprintf("%s on Kubernetes %s", s.Target, s.KubernetesVersion)
}

// counts says how much is in the stack: "5 layers, 4 ready · 31 objects · 7 images".
func (s *Status) counts() string {
	objects, images := 0, map[string]bool{}
	for _, l := range s.Layers {
		objects += len(l.Objects)
		for _, image := range l.Images {
			images[image] = true
		}
	}
	return fmt.Sprintf("%s, %d ready · %s · %s", plural(len(s.Layers), "layer"), s.Count(Ready), plural(objects, "object"), plural(len(images), "image"))
}

// inWords says what a picture of s shows.
func (s *Status) inWords() string {
	if !s.Installed {
		return s.title()
	}
	lines := []string{fmt.Sprintf("%s: %s; %s. From the top:", s.title(), s.Health, s.counts())}
	for _, l := range slices.Backward(s.Layers) {
		lines = append(lines, l.inWords())
	}
	return strings.Join(lines, "\n")
}

func (l *LayerStatus) inWords() string {
	name := strings.TrimSpace(l.Name + " " + l.Version)
	words := []string{fmt.Sprintf("%s layer %s: %s; %s; %s.", l.Kind, name, l.Health, l.origin(), l.counts())}
	for _, more := range []string{oneLine(l.Message), joinEndpoints(l.Endpoints)} {
		if more != "" {
			words = append(words, more)
		}
	}
	return strings.Join(words, " ")
}

// origin says what the layer was made from.
func (l *LayerStatus) origin() string {
	return fmt.Sprintf("%s · profile %s", strings.TrimSpace(string(l.Format)+" "+l.Package), l.Profile)
}

// counts says how much is in the layer.
func (l *LayerStatus) counts() string {
	text := plural(len(l.Objects), "object")
	if n := len(l.Images); n > 0 {
		text += " · " + plural(n, "image")
	}
	return text
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
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
