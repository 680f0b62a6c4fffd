package statuspage

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

// A page is what the template makes the page of.
type page struct {
	Title    string
	Seen     int64 // the number of the last note on it
	Many     bool  // there is a list of targets
	Sections []section
	One      *section // the only target on the page; nil if it is the list
	Notes    []note
}

// Summary says how many targets there are of each health, the worst first.
func (p page) Summary() string {
	count := map[string]int{}
	for _, s := range p.Sections {
		count[s.Health]++
	}
	var parts []string
	for _, health := range order {
		if n := count[health]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, health))
		}
	}
	return strings.Join(parts, " · ")
}

// order is that of healths, the worst first. The script has it, too.
var order = []string{"Failed", unknown, "Drifted", "Progressing", "Removing", notInstalled, "Ready"}

// The words for targets that have no health.
const (
	unknown      = "Unknown"
	notInstalled = "Not installed"
)

// A section is what the page shows of one target.
type section struct {
	ID      string // in the document
	Name    string
	Read    time.Time
	Problem string                  // why it could not be read just now
	Status  *reconcile.Status       // the last that was read; nil if none was
	Health  string                  // a word, also where no status is known
	Layers  []reconcile.LayerStatus // from the top of the stack down
	Drifts  []reconcile.Drift       // first those that stay
}

// section returns what the page shows, not older than that.
func (s *source) section(ctx context.Context, notBefore time.Time) section {
	status, read, err := s.get(ctx, notBefore)
	out := section{ID: s.anchor, Name: s.id.String(), Read: read, Status: status, Health: unknown}
	if err != nil {
		out.Problem = err.Error()
	}
	if status == nil {
		out.Problem = cmp.Or(out.Problem, "the cluster has not answered yet")
		return out
	}
	out.Health = cmp.Or(string(status.Health), notInstalled)
	for i := range status.Layers {
		l := status.Layers[len(status.Layers)-1-i]
		out.Layers = append(out.Layers, l)
		for _, o := range l.Objects {
			out.Drifts = append(out.Drifts, o.Drift...)
		}
	}
	out.Drifts = append(out.Drifts, s.handler.log.repaired(s.id)...)
	return out
}

// Mark is the class of the health.
func (s section) Mark() string { return strings.ReplaceAll(s.Health, " ", "") }

// Picture returns the stack as a picture.
func (s section) Picture() template.HTML { return picture(s.Status, s.ID) }

// Ready is how many layers are ready.
func (s section) Ready() int { return s.Status.Count(reconcile.Ready) }

// Newer is how many sources have newer versions.
func (s section) Newer() int {
	n := len(s.Status.Updates)
	for _, l := range s.Layers {
		if l.Update != nil {
			n++
		}
	}
	return n
}

// Trouble returns the lowest layer that is as bad as the whole; nil if all is well.
func (s section) Trouble() *reconcile.LayerStatus {
	for i := range s.Layers {
		l := &s.Layers[len(s.Layers)-1-i]
		if s.Status.Health != reconcile.Ready && l.Health == s.Status.Health {
			return l
		}
	}
	return nil
}

// newest returns the newest version of what is newer.
func newest(n profile.Newer) string { return cmp.Or(n.Major, n.Minor, n.Patch) }

// picture returns the stack as SVG to stand among others in one document. Its
// styles are in the style sheet.
func picture(s *reconcile.Status, id string) template.HTML {
	before, rest, _ := strings.Cut(s.SVG(), "<style>")
	_, after, _ := strings.Cut(rest, "</style>\n")
	svg := strings.NewReplacer("strata-title", id+"-title", "strata-desc", id+"-desc").Replace(before) + after
	return template.HTML(svg) //nolint:gosec // Status.SVG escapes what it shows
}

// stylesheet returns the styles of the page and of the pictures.
func stylesheet() string {
	_, rest, _ := strings.Cut(new(reconcile.Status).SVG(), "<style>")
	pictures, _, _ := strings.Cut(rest, "</style>")
	own, err := files.ReadFile("style.css")
	if err != nil {
		return err.Error() // never: it is embedded
	}
	return pictures + string(own)
}

// stamp returns a time of day for people, and when the whole of it.
func stamp(t time.Time) string { return t.UTC().Format("15:04:05") }

func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
