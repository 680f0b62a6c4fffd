package statuspage

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	writeWithin = 15 * time.Second // or the client is gone
	retryEvery  = 15 * time.Second // a cluster that could not be read
	aliveEvery  = 25 * time.Second // so that nobody on the way cuts a quiet connection
)

// A stream sends server-sent events to one viewer.
type stream struct {
	*Handler
	w       http.ResponseWriter
	to      *http.ResponseController
	sources []*source             // that the viewer sees
	form    string                // the template: of a section, or of a row in the list
	touched map[*source]time.Time // by the last event that led to a section
	wanted  map[*source]wanted
	reading map[*source]wanted
	read    chan reading
	readers sync.WaitGroup
}

// wanted is a section that is to be sent. What an event told of is recorded on
// the cluster some time after it, so each section has a second one.
type wanted struct {
	notBefore time.Time // it was read
	second    bool
}

// reading is a section that was read.
type reading struct {
	source *source
	section
}

// serveEvents sends each note as "note" and, when there was one, how the target
// is then as "section"; "reload" when other targets are shown. Nothing is read while nothing happens, but for clusters
// that could not be read.
func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request) {
	replaced := h.now().replaced
	sources, ok := h.asked(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	missed, notes := h.log.follow(sinceOf(r))
	defer h.log.unfollow(notes)
	s := &stream{
		Handler: h, w: w, to: http.NewResponseController(w), sources: sources, form: "row",
		touched: map[*source]time.Time{}, wanted: map[*source]wanted{}, reading: map[*source]wanted{}, read: make(chan reading),
	}
	if len(sources) == 1 {
		s.form = "section"
	}
	defer s.readers.Wait()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	for _, source := range sources {
		s.touched[source] = time.Now()
		if source.unknown() {
			s.wanted[source] = wanted{notBefore: time.Now(), second: true}
		}
	}
	if s.write("retry: 2000\n\n") && s.catchUp(missed) {
		s.follow(ctx, notes, replaced)
	}
}

// catchUp sends the notes that the viewer has missed.
func (s *stream) catchUp(missed []note) bool {
	for _, n := range missed {
		s.touched[s.of(n.Target)] = time.Time{}
		if !s.note(n) {
			return false
		}
	}
	return true
}

// follow sends what happens, until ctx is done or the viewer is gone.
func (s *stream) follow(ctx context.Context, notes <-chan note, replaced <-chan struct{}) {
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for due, ok := s.due(), true; ok; due = s.due() {
		select {
		case <-ctx.Done():
			return
		case <-replaced:
			_ = s.event("reload", nil) // the viewer comes again, if it is there
			return
		case n := <-notes:
			ok = s.note(n)
		case <-due:
			s.start(ctx)
		case sec := <-s.read:
			ok = s.section(ctx, sec)
		case <-alive.C:
			ok = s.write(": still here\n\n")
		}
	}
}

// sinceOf returns the number of the last note that the viewer has.
func sinceOf(r *http.Request) int64 {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("since")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// due fires when a section is to be read, if one is wanted: at once, or when its
// target may be read again.
func (s *stream) due() <-chan time.Time {
	var first time.Time
	for _, source := range s.sources {
		if at := s.log.touchedAt(source.id); at.After(s.touched[source]) {
			s.touched[source], s.wanted[source] = at, wanted{notBefore: at}
		}
		w, ok := s.wanted[source]
		if _, busy := s.reading[source]; !ok || busy {
			continue
		}
		if at := s.readable(source, w); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	if first.IsZero() {
		return nil
	}
	return time.After(time.Until(first))
}

// readable returns when a section can be had.
func (s *stream) readable(of *source, w wanted) time.Time {
	read := of.lastRead()
	if next := read.Add(s.minAge()); read.Before(w.notBefore) && next.After(w.notBefore) {
		return next
	}
	return w.notBefore
}

// start reads the sections that are wanted and can be had, each by itself: one
// cluster that does not answer holds up no other.
func (s *stream) start(ctx context.Context) {
	for _, source := range s.sources {
		w, ok := s.wanted[source]
		if _, busy := s.reading[source]; !ok || busy || time.Now().Before(s.readable(source, w)) {
			continue
		}
		s.reading[source] = w
		delete(s.wanted, source)
		s.readers.Go(func() {
			sec := source.section(ctx, w.notBefore)
			select {
			case s.read <- reading{source, sec}:
			case <-ctx.Done():
			}
		})
	}
}

// section sends a section that was read, and says when the next is wanted.
func (s *stream) section(ctx context.Context, r reading) bool {
	w := s.reading[r.source]
	delete(s.reading, r.source)
	if _, again := s.wanted[r.source]; !again && r.Problem != "" {
		s.wanted[r.source] = wanted{time.Now().Add(retryEvery), true}
	} else if !again && !w.second {
		s.wanted[r.source] = wanted{r.Read.Add(s.minAge()), true}
	}
	var html strings.Builder
	if err := s.page.ExecuteTemplate(&html, s.form, r.section); err != nil {
		s.warn(ctx, "writing the status page", err)
		return false
	}
	return s.event("section", map[string]string{"id": r.ID, "html": html.String()})
}

// note sends a note that the viewer wants to see.
func (s *stream) note(n note) bool {
	if !slices.Contains(s.sources, s.of(n.Target)) {
		return true
	}
	return s.write(fmt.Sprintf("id: %d\n", n.Number)) && s.event("note", struct {
		note
		Stamp string `json:"stamp"`
	}{n, stamp(n.Time)})
}

// event sends a value. JSON has no line breaks.
func (s *stream) event(name string, value any) bool {
	data, err := json.Marshal(value)
	return err == nil && s.write(fmt.Sprintf("event: %s\ndata: %s\n\n", name, data))
}

// write reports whether the viewer is still there.
func (s *stream) write(text string) bool {
	_ = s.to.SetWriteDeadline(time.Now().Add(writeWithin)) // where there are deadlines
	if _, err := io.WriteString(s.w, text); err != nil {
		return false
	}
	return s.to.Flush() == nil
}
