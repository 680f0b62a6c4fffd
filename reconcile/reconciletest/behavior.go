package reconciletest

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/reconcile/reconciletest/internal/apiserver"
)

// A Behavior says what becomes of objects in a [Simulation] once they are
// written. Of Kind, Namespace and Name, those that are empty match every object.
// The zero Behavior makes all objects ready at once.
type Behavior struct {
	Kind, Namespace, Name string

	// After is how long an object takes to become ready, each time that it is
	// created or that its spec changes.
	After time.Duration
	// Never keeps it from becoming ready, until the script is another one.
	Never bool
	// Fail makes it fail, with a reason as Kubernetes would give it. A workload
	// has a pod whose containers wait for that reason, ImagePullBackOff for
	// example; or it cannot have its pods, if the reason is FailedCreate, as with
	// a quota; or it is over its time, if the reason is ProgressDeadlineExceeded.
	// A Job has failed, with BackoffLimitExceeded for example.
	Fail string
	// Status, if not nil, is the status of an object that is ready. A Simulation
	// knows what it is for the kinds that are built in, and for custom resources a
	// condition Ready.
	Status map[string]any
}

func (b Behavior) matches(o *unstructured.Unstructured) bool {
	return (b.Kind == "" || b.Kind == o.GetKind()) &&
		(b.Namespace == "" || b.Namespace == o.GetNamespace()) &&
		(b.Name == "" || b.Name == o.GetName())
}

// Behave replaces the script that says what becomes of objects. For each object
// the first behavior that matches counts, and what none matches is ready at once.
// All objects are looked at again: what was kept from being ready may be so now.
func (s *Simulation) Behave(script ...Behavior) {
	s.script.mu.Lock()
	s.script.behaviors = slices.Clone(script)
	s.script.mu.Unlock()
	server, err := s.start()
	if err != nil {
		return // the next request says so
	}
	server.Do(func(w apiserver.Writer) {
		for _, o := range w.All() {
			s.script.Written(w, o)
		}
	})
}

// script is the controllers of a simulation.
type script struct {
	server func() (*apiserver.Server, error)

	mu        sync.Mutex
	behaviors []Behavior
	scripted  map[types.UID]bool
	due       map[attempt]time.Time // when it is to be ready
}

// An attempt of an object to become ready.
type attempt struct {
	uid        types.UID
	generation int64
}

// behavior returns that of an object, and whether this script, or one before,
// has one.
func (s *script) behavior(o *unstructured.Unstructured) (Behavior, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.behaviors, func(b Behavior) bool { return b.matches(o) })
	if i < 0 {
		return Behavior{}, s.scripted[o.GetUID()]
	}
	if s.scripted == nil {
		s.scripted = map[types.UID]bool{}
	}
	s.scripted[o.GetUID()] = true
	return s.behaviors[i], true
}

// Written makes the status of an object what the script says.
func (s *script) Written(w apiserver.Writer, o *unstructured.Unstructured) {
	if len(o.GetOwnerReferences()) > 0 && o.GetKind() == "Pod" || o.GetDeletionTimestamp() != nil {
		return // what is done to its owner is done to it
	}
	b, scripted := s.behavior(o)
	status, ok := outcomes(o.GroupVersionKind().GroupKind())
	if !ok {
		if !w.Custom(o) || !scripted {
			return
		}
		status = customOutcome
	}
	out := ready
	switch {
	case b.Fail != "":
		out = failed
	case b.Never || !s.isDue(o, b.After):
		out = waiting
	}
	next := status(o, outcome{out, b.Fail})
	if out == ready && b.Status != nil {
		next = b.Status
	}
	keepTimes(o, next)
	_ = w.SetStatus(o, next) // a status that the schema of a custom resource refuses is not written
	s.showPod(w, o, out, b.Fail)
}

// isDue reports whether an object that takes a time has taken it, and if not
// comes back when it has.
func (s *script) isDue(o *unstructured.Unstructured, after time.Duration) bool {
	if after <= 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	this := attempt{o.GetUID(), o.GetGeneration()}
	at, known := s.due[this]
	if known {
		return !time.Now().Before(at)
	}
	if s.due == nil {
		s.due = map[attempt]time.Time{}
	}
	s.due[this] = time.Now().Add(after)
	time.AfterFunc(after, func() {
		server, err := s.server()
		if err != nil {
			return
		}
		server.Do(func(w apiserver.Writer) {
			if now := w.Get(o); now != nil {
				s.Written(w, now)
			}
		})
	})
	return false
}
