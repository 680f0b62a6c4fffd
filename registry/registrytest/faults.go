package registrytest

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
)

// A script is the faults with how often each has had its turn.
type script struct {
	mu     sync.Mutex
	faults []Fault
	seen   []int
}

// Inject makes later requests go wrong, instead of what earlier calls said. Of
// several faults that match a request the first counts. With none, all goes
// well again.
func (s *Server) Inject(faults ...Fault) {
	s.faults.Store(&script{faults: faults, seen: make([]int, len(faults))})
}

// next returns the fault whose turn it is, if any.
func (s *script) next(r *http.Request) (Fault, bool) {
	if s == nil {
		return Fault{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Match != nil && !f.Match(r) {
			continue
		}
		s.seen[i]++
		turn := s.seen[i] - f.Skip
		if turn > 0 && (f.Times < 0 || turn <= max(f.Times, 1)) {
			return f, true
		}
	}
	return Fault{}, false
}

func (s *Server) faulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := s.faults.Load().next(r)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		if wait(r, f.Delay) {
			f.serve(w, r, next)
		}
	})
}

func (f Fault) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	switch {
	case f.Reset:
		panic(http.ErrAbortHandler)
	case f.Hang:
		<-r.Context().Done()
	case f.Status != 0:
		for key, values := range f.Header {
			w.Header()[http.CanonicalHeaderKey(key)] = values
		}
		w.WriteHeader(f.Status)
	case f.Truncate > 0, f.Change != nil:
		f.rewrite(w, r, next)
	default:
		next.ServeHTTP(w, r)
	}
}

// rewrite answers with something else than next does.
func (f Fault) rewrite(w http.ResponseWriter, r *http.Request, next http.Handler) {
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	body := answer.Body.Bytes()
	if f.Change != nil {
		body = f.Change(body)
	}
	maps.Copy(w.Header(), answer.Header())
	if r.Method != http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(answer.Code)
	if f.Truncate > 0 && f.Truncate < int64(len(body)) {
		_, _ = w.Write(body[:f.Truncate])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}
