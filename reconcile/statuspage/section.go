package statuspage

import (
	"cmp"
	"context"
	"html/template"
	"strings"
	"time"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

// A section is what the page shows of one target.
type section struct {
	ID      string // in the document
	Name    string
	Read    time.Time
	Problem string            // why it could not be read just now
	Status  *reconcile.Status // the last that was read; nil if none was
	Health  string            // a word, also where no status is known
	Picture template.HTML
	Layers  []reconcile.LayerStatus // from the top of the stack down
	Drifts  []reconcile.Drift       // first those that stay
	Notes   []note
	Newer   []profile.Newer // profiles
}

func (s *source) lastRead() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read
}

// section returns what the page shows, not older than that.
func (s *source) section(ctx context.Context, notBefore time.Time) section {
	status, read, err := s.get(ctx, notBefore)
	out := section{ID: s.anchor, Name: s.id.String(), Read: read, Status: status, Health: "Unknown"}
	notes, repaired := s.handler.log.of(s.id)
	out.Notes = notes
	if err != nil {
		out.Problem = err.Error()
	}
	if status == nil {
		out.Problem = cmp.Or(out.Problem, "the cluster has not answered yet")
		return out
	}
	out.Health = cmp.Or(string(status.Health), "Not installed")
	out.Picture = picture(status, out.ID)
	out.Newer = status.Updates
	for i := range status.Layers {
		l := status.Layers[len(status.Layers)-1-i]
		out.Layers = append(out.Layers, l)
		for _, o := range l.Objects {
			out.Drifts = append(out.Drifts, o.Drift...)
		}
	}
	out.Drifts = append(out.Drifts, repaired...)
	return out
}

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

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
