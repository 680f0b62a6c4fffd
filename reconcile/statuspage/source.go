package statuspage

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

const (
	updatesEvery = time.Hour        // newer versions are looked for
	pagePatience = 2 * time.Second  // with a cluster, before a page is shown without it
	patience     = 10 * time.Second // with a cluster, before it is taken to be out of reach
)

// A source has the status of one target, which is read when somebody wants it
// and is not read twice at a time.
type source struct {
	handler *Handler
	anchor  string // in the document
	id      reconcile.TargetID
	target  reconcile.Target

	mu      sync.Mutex
	status  *reconcile.Status
	problem error
	read    time.Time     // when the reading began
	reading chan struct{} // closed at the end of the reading that is under way

	lister *memory // of what is newer
}

// unknown reports whether the status could not be read when that was last tried.
func (s *source) unknown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status == nil || s.problem != nil
}

func (s *source) lastRead() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read
}

// get returns a status that is not older than that, or what is known if ctx is
// done before.
func (s *source) get(ctx context.Context, notBefore time.Time) (*reconcile.Status, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		s.mu.Lock()
		if !s.read.Before(notBefore) || ctx.Err() != nil {
			defer s.mu.Unlock()
			return s.status, s.read, s.problem
		}
		other := s.reading
		if other == nil {
			s.reading = make(chan struct{})
		}
		s.mu.Unlock()
		if other == nil {
			s.refresh(ctx)
			continue
		}
		select {
		case <-other: // if its viewer has gone, it is for us to read
		case <-ctx.Done():
		}
	}
}

// refresh reads the status. The last that could be read stays beside an error.
func (s *source) refresh(ctx context.Context) {
	began := time.Now()
	status, err := s.handler.reader.Status(ctx, s.target)
	if err == nil && s.handler.Lister != nil {
		if s.lister == nil || time.Since(s.lister.since) > updatesEvery {
			s.lister = &memory{Lister: s.handler.Lister, since: began}
		}
		if err := status.CheckUpdates(ctx, s.lister); err != nil {
			s.handler.warn(ctx, "looking for newer versions of "+s.id.String(), err)
		}
	}
	left := err != nil && errors.Is(ctx.Err(), context.Canceled) // the viewer
	if err != nil && !left {
		s.handler.warn(ctx, "reading the status of "+s.id.String(), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.reading)
	s.reading = nil
	switch {
	case err == nil:
		s.status, s.problem, s.read = status, nil, began
	case !left:
		s.problem, s.read = err, began
	}
}

// A memory is a Lister that asks for each source once.
type memory struct {
	profile.Lister
	since time.Time

	mu    sync.Mutex
	known map[layer.Ref][]string
}

func (m *memory) Versions(ctx context.Context, ref layer.Ref) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if versions, ok := m.known[ref]; ok {
		return versions, nil
	}
	versions, err := m.Lister.Versions(ctx, ref)
	if err == nil {
		if m.known == nil {
			m.known = map[layer.Ref][]string{}
		}
		m.known[ref] = versions
	}
	return versions, err
}
