package inventory

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/kube"
)

// A HookRun is how far the hooks of one event of a release have come.
type HookRun struct {
	Release   string        `json:"release"`
	Namespace string        `json:"namespace"`
	Event     string        `json:"event"`
	Content   digest.Digest `json:"content"`            // of the release
	Revision  int           `json:"revision,omitempty"` // of the release, before the event
	Done      []string      `json:"done,omitempty"`     // the hooks that succeeded, in their order
	Tidied    bool          `json:"tidied,omitempty"`   // those that are to go have gone
}

// HookRun returns how far the hooks of an event have come for a content of a
// release, which has the revision of r. For another content or revision than
// before they begin anew.
func (l *Layer) HookRun(r Release, event string, content digest.Digest) *HookRun {
	i := slices.IndexFunc(l.Hooks, func(h HookRun) bool {
		return h.Release == r.Name && h.Namespace == r.Namespace && h.Event == event
	})
	if i < 0 {
		l.Hooks = append(l.Hooks, HookRun{Release: r.Name, Namespace: r.Namespace, Event: event, Content: content})
		i = len(l.Hooks) - 1
	}
	if l.Hooks[i].Content != content || l.Hooks[i].Revision != r.Revision {
		l.Hooks[i] = HookRun{Release: r.Name, Namespace: r.Namespace, Event: event, Content: content, Revision: r.Revision}
	}
	return &l.Hooks[i]
}

// ForgetRuns says that the hooks of a release have run for what it is now.
// When it is changed, and changed back, they run again.
func (l *Layer) ForgetRuns(r Release) {
	l.Hooks = slices.DeleteFunc(l.Hooks, func(h HookRun) bool { return h.Release == r.Name && h.Namespace == r.Namespace })
}

// Leftover returns the object that a hook made or will make, or nil.
func (l *Layer) Leftover(key kube.Key) *Object {
	i := slices.IndexFunc(l.Leftovers, func(o Object) bool { return o.Key() == key })
	if i < 0 {
		return nil
	}
	return &l.Leftovers[i]
}

// Remember keeps in mind that a hook made an object, or will.
func (l *Layer) Remember(o Object) {
	if known := l.Leftover(o.Key()); known != nil {
		*known = o
		return
	}
	l.Leftovers = append(l.Leftovers, o)
}

// Forget says that an object that a hook made is gone.
func (l *Layer) Forget(key kube.Key) {
	l.Leftovers = slices.DeleteFunc(l.Leftovers, func(o Object) bool { return o.Key() == key })
}
