package apiserver

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// How long a watch lasts at most, and how often it says that nothing happened.
const (
	watchTimeout  = 30 * time.Minute
	bookmarkEvery = time.Minute
)

func watches(r *http.Request) bool {
	w := r.URL.Query().Get("watch")
	return r.Method == http.MethodGet && (w == "true" || w == "1")
}

func (q *request) watches() bool { return watches(q.Request) && q.name.Name == "" }

// A watcher is one watch.
type watcher struct {
	server  *Server
	request *request
	match   func(object) bool
	version int64 // events up to it are sent
	timeout time.Duration
	first   []any // what is sent before
	gone    bool  // the events after version are forgotten
}

// openWatch begins a watch.
func (s *Server) openWatch(q *request) (*watcher, error) {
	match, err := q.selector()
	if err != nil {
		return nil, err
	}
	w := &watcher{server: s, request: q, match: match, timeout: watchTimeout}
	if seconds, err := strconv.Atoi(q.query.Get("timeoutSeconds")); err == nil && seconds > 0 {
		w.timeout = time.Duration(seconds) * time.Second
	}
	from := q.query.Get("resourceVersion")
	initial := q.query.Get("sendInitialEvents") == "true"
	if from == "" || from == "0" || initial {
		w.version = s.store.version
		for _, o := range s.store.list(q.groupResource(), q.name.Namespace) {
			if match(o) {
				w.first = append(w.first, w.frame(watch.Added, o))
			}
		}
		if initial {
			w.first = append(w.first, w.bookmark(true))
		}
		return w, nil
	}
	if w.version, err = strconv.ParseInt(from, 10, 64); err != nil {
		return nil, apierrors.NewBadRequest("invalid resourceVersion: " + from)
	}
	_, known := s.store.since(w.version)
	w.gone = !known
	return w, nil
}

// run sends events until the client has enough or the watch is over.
func (w *watcher) run(out http.ResponseWriter) {
	ctx, cancel := context.WithTimeout(w.request.Context(), w.timeout)
	defer cancel()
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(http.StatusOK)
	bookmarks := time.NewTicker(bookmarkEvery)
	defer bookmarks.Stop()
	for frames := w.first; w.send(out, frames) && !w.gone; {
		var changed <-chan struct{}
		if frames, changed = w.next(); len(frames) > 0 || w.gone {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-bookmarks.C:
			if w.request.query.Get("allowWatchBookmarks") == "true" {
				frames = []any{w.bookmark(false)}
			}
		}
	}
}

func (w *watcher) send(out http.ResponseWriter, frames []any) bool {
	if w.gone {
		frames = append(frames, w.expired())
	}
	for _, f := range frames {
		data, err := json.Marshal(f)
		if err != nil {
			return false
		}
		if _, err := out.Write(append(data, '\n')); err != nil {
			return false
		}
	}
	if f, ok := out.(http.Flusher); ok {
		f.Flush()
	}
	return true
}

// next returns what happened since the last call, and what is closed when more
// happens.
func (w *watcher) next() ([]any, <-chan struct{}) {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	events, known := w.server.store.since(w.version)
	if !known {
		w.gone = true
		return nil, nil
	}
	var frames []any
	for _, e := range events {
		w.version = e.version
		if !w.request.inScope(e, w.request.groupResource()) {
			continue
		}
		if f := w.seen(e); f != nil {
			frames = append(frames, f)
		}
	}
	return frames, w.server.store.changed
}

// seen returns an event as it looks through the selector.
func (w *watcher) seen(e event) any {
	was, is := e.before != nil && w.match(e.before), e.after != nil && w.match(e.after)
	switch {
	case is && was:
		return w.frame(watch.Modified, e.after)
	case is:
		return w.frame(watch.Added, e.after)
	case was && e.after != nil:
		left := e.before.DeepCopy()
		left.SetResourceVersion(strconv.FormatInt(e.version, 10))
		return w.frame(watch.Deleted, left)
	case was:
		return w.frame(watch.Deleted, e.before)
	}
	return nil
}

func (w *watcher) frame(kind watch.EventType, o object) any {
	return map[string]any{"type": kind, "object": w.request.view(o)}
}

// bookmark says up to which version everything was sent.
func (w *watcher) bookmark(initial bool) any {
	o := w.request.empty()
	o.SetResourceVersion(strconv.FormatInt(w.version, 10))
	if initial {
		o.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	}
	return w.frame(watch.Bookmark, o)
}

func (w *watcher) expired() any {
	status := apierrors.NewResourceExpired("too old resource version: " + strconv.FormatInt(w.version, 10)).Status()
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	return map[string]any{"type": watch.Error, "object": status}
}
