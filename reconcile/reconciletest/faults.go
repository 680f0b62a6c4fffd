package reconciletest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Faults stands between a client and an API server, of whatever kind: it takes
// note of each request and, where its script says so, makes one fail.
//
//	faults := new(reconciletest.Faults)
//	config.Wrap(faults.Wrap)
//	faults.Play(reconciletest.Rule{
//		Method: "PATCH", Path: "deployments/web",
//		Fault: reconciletest.Answer(apierrors.NewTooManyRequests("busy", 1)),
//	})
//
// The zero Faults lets everything through. It is safe for concurrent use, and
// may stand before several clients, whose requests are then counted together.
// Do not copy it.
type Faults struct {
	mu       sync.Mutex
	script   []*rule
	requests Requests
}

// A Rule says which requests meet a fault: of those that match, Times requests
// after the first Skip. Zero fields match every request.
type Rule struct {
	// Method is "PATCH" for example.
	Method string
	// Path is how the path ends, in whole segments: "deployments/web" is that
	// object, of any namespace, and "deployments" any list of deployments.
	Path string
	// When, if not nil, decides on what the other fields match.
	When func(Request) bool
	// Skip is how many matching requests are let through before.
	Skip int
	// Times is how many requests meet the fault, [Always] for all that follow.
	// Zero means one.
	Times int
	// Fault is what happens to them. If nil, they are let through, and rules
	// that follow do not see them.
	Fault Fault
}

// Always as [Rule.Times] means: from then on.
const Always = -1

type rule struct {
	Rule
	seen int // requests that matched
}

func (r *rule) matches(q Request) bool {
	return (r.Method == "" || r.Method == q.Method) &&
		(r.Path == "" || strings.HasSuffix(q.Path, "/"+strings.TrimPrefix(r.Path, "/"))) &&
		(r.When == nil || r.When(q))
}

// meets counts a request, and reports whether it meets the fault.
func (r *rule) meets(q Request) bool {
	if !r.matches(q) {
		return false
	}
	r.seen++
	return r.seen > r.Skip && (r.Times < 0 || r.seen <= r.Skip+max(r.Times, 1))
}

// Play replaces the script. The first rule that a request meets decides on it;
// each rule counts the requests that matched it and that no rule before it took.
// With no rules, everything is let through again.
func (f *Faults) Play(rules ...Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = nil
	for _, r := range rules {
		f.script = append(f.script, &rule{Rule: r})
	}
}

// Wrap returns a transport that sends requests on to next. It is what
// [k8s.io/client-go/rest.Config.Wrap] takes.
func (f *Faults) Wrap(next http.RoundTripper) http.RoundTripper { return faulty{f, next} }

type faulty struct {
	*Faults
	next http.RoundTripper
}

func (t faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	if fault := t.note(r); fault != nil {
		return fault(r, t.next)
	}
	return t.next.RoundTrip(r)
}

// note takes note of a request, and returns the fault that it meets, or nil.
func (f *Faults) note(r *http.Request) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery}
	var fault Fault
	if i := slices.IndexFunc(f.script, func(r *rule) bool { return r.meets(q) }); i >= 0 {
		fault = f.script[i].Fault
	}
	q.Faulty = fault != nil
	f.requests = append(f.requests, q)
	return fault
}

// Take returns the requests since the last call, in the order in which they
// came, and forgets them.
func (f *Faults) Take() Requests {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := f.requests
	f.requests = nil
	return taken
}
