package statuspage

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	writeWithin = 15 * time.Second // or the client is gone
	aliveEvery  = 25 * time.Second // so that nobody on the way cuts a quiet connection
)

// A stream sends server-sent events to one viewer.
type stream struct {
	*Handler
	w       http.ResponseWriter
	to      *http.ResponseController
	touched map[*source]time.Time // by the last event that led to a section
	wanted  map[*source]wanted
}

// wanted is a section that is to be sent. What an event told of is recorded on
// the cluster some time after it, so each section has a second one.
type wanted struct {
	notBefore time.Time // it was read
	second    bool
}

// serveEvents sends each note as "note" and, when there was one, how the target
// is then as "section". Nothing is read while nothing happens.
func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	missed, notes := h.log.follow(sinceOf(r))
	defer h.log.unfollow(notes)
	s := &stream{Handler: h, w: w, to: http.NewResponseController(w), touched: map[*source]time.Time{}, wanted: map[*source]wanted{}}
	for _, source := range h.sources {
		s.touched[source] = time.Now()
	}
	if !s.write("retry: 2000\n\n") {
		return
	}
	for _, n := range missed {
		s.touched[s.of(n.Target)] = time.Time{}
		if !s.note(n) {
			return
		}
	}
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for due := s.due(); ; due = s.due() {
		ok := true
		select {
		case <-r.Context().Done():
			return
		case n := <-notes:
			ok = s.note(n)
		case <-due:
			ok = s.sections(r)
		case <-alive.C:
			ok = s.write(": still here\n\n")
		}
		if !ok {
			return
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

// due fires when a section is to be sent, if one is wanted: at once, or when its
// target may be read again.
func (s *stream) due() <-chan time.Time {
	var first time.Time
	for _, source := range s.sources {
		if at := s.log.touchedAt(source.id); at.After(s.touched[source]) {
			s.touched[source], s.wanted[source] = at, wanted{notBefore: at}
		}
		if w, ok := s.wanted[source]; ok {
			if at := s.readable(source, w); first.IsZero() || at.Before(first) {
				first = at
			}
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

// sections sends those that are wanted and can be had.
func (s *stream) sections(r *http.Request) bool {
	for _, source := range s.sources {
		w, ok := s.wanted[source]
		if !ok || time.Now().Before(s.readable(source, w)) {
			continue
		}
		sec := source.section(r.Context(), w.notBefore)
		delete(s.wanted, source)
		if !w.second {
			s.wanted[source] = wanted{sec.Read.Add(s.minAge()), true}
		}
		var html strings.Builder
		if err := s.page.ExecuteTemplate(&html, "section", sec); err != nil {
			s.warn(r.Context(), "writing the status page", err)
			return false
		}
		if !s.event("section", map[string]string{"id": sec.ID, "html": html.String()}) {
			return false
		}
	}
	return true
}

func (s *stream) note(n note) bool {
	return s.write(fmt.Sprintf("id: %d\n", n.Number)) && s.event("note", struct {
		note
		ID    string `json:"id"`
		Stamp string `json:"stamp"`
	}{n, s.of(n.Target).anchor, stamp(n.Time)})
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
