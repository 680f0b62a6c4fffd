package statuspage

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

const defaultMinAge = 3 * time.Second

// A Handler serves at "/" a list of the targets, each of which has a page of its
// own at "/?target=NAME", as a single target has at "/"; the same as JSON at
// "/status.json"; and what else the pages need. It answers GET and HEAD only. Its
// zero value shows no targets: call Show. Set fields before the first call; then
// it is safe for concurrent use. Do not copy it.
type Handler struct {
	// Title is that of the page. If empty, "Clusters".
	Title string
	// Reconciler says how to read: its Store, Ready, Drift, Concurrency and
	// Observer are used. Its runs are not waited for. If nil, a zero one.
	Reconciler *reconcile.Reconciler
	// Lister, if not nil, such as a *registry.Client, is asked for newer versions,
	// once an hour for each target.
	Lister profile.Lister
	// MinAge is how old the status of a target gets before the cluster is asked
	// again, however many look at the page. If zero, 3 seconds.
	MinAge time.Duration
	// Logger, if not nil, is told of targets that cannot be read.
	Logger *slog.Logger

	once   sync.Once
	page   *template.Template
	reader *reconcile.Reconciler
	log    *log

	mu    sync.Mutex
	shown shown
	named int // anchors were given
}

// A shown is what a page is about. It is not changed, but replaced.
type shown struct {
	sources  []*source
	replaced chan struct{} // closed then
}

//go:embed page.html live.js style.css icon.svg
var files embed.FS

const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// Show says which targets are shown, in this order, by the names that
// [reconcile.TargetID] has: set Cluster in each. It may be called at any time, as
// clusters come and go; what is known of those that stay is kept.
func (h *Handler) Show(targets ...reconcile.Target) {
	h.setUp()
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.shown.sources
	h.shown.sources = make([]*source, len(targets))
	for i, t := range targets {
		if had := slices.IndexFunc(before, func(s *source) bool { return s.target == t }); had >= 0 {
			h.shown.sources[i] = before[had]
			continue
		}
		h.named++
		h.shown.sources[i] = &source{handler: h, anchor: fmt.Sprintf("target-%d", h.named), id: t.ID(), target: t}
	}
	h.log.keep(h.shown.sources)
	close(h.shown.replaced)
	h.shown.replaced = make(chan struct{})
}

// now returns what is shown.
func (h *Handler) now() shown {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.shown
}

// OnEvent shows an event of one of the targets. It is to be the OnEvent of the
// Reconcilers that bring them to their states, or to be called by it, and never
// blocks.
func (h *Handler) OnEvent(e reconcile.Event) {
	h.setUp()
	if h.of(e.Target) != nil {
		h.log.add(e)
	}
}

// of returns the source of a target, or nil.
func (h *Handler) of(target reconcile.TargetID) *source {
	for _, s := range h.now().sources {
		if s.id == target {
			return s
		}
	}
	return nil
}

// ServeHTTP answers a request. It returns when the request is over, for
// "/events" when the client has gone or the server's context is done.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.setUp()
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "this page can only be read", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case "/", "":
		h.servePage(w, r)
	case "/events":
		h.serveEvents(w, r)
	case "/status.json":
		h.serveJSON(w, r)
	case "/style.css":
		header.Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write([]byte(stylesheet())) // to a client that has gone
	case "/live.js", "/icon.svg":
		http.ServeFileFS(w, r, files, strings.TrimPrefix(r.URL.Path, "/"))
	default:
		http.NotFound(w, r)
	}
}

func (h *Handler) setUp() {
	h.once.Do(func() {
		h.page = template.Must(template.New("page.html").Funcs(template.FuncMap{"when": when, "stamp": stamp, "iso": iso, "newest": newest}).ParseFS(files, "page.html"))
		h.reader = new(reconcile.Reconciler)
		if r := h.Reconciler; r != nil {
			h.reader.Store, h.reader.Ready, h.reader.Drift, h.reader.Concurrency, h.reader.Observer = r.Store, r.Ready, r.Drift, r.Concurrency, r.Observer
		}
		h.log = newLog()
		h.shown.replaced = make(chan struct{})
	})
}

// asked returns the sources that a request is for: those of all targets, or of
// the one that it names. It answers a request for one that there is not.
func (h *Handler) asked(w http.ResponseWriter, r *http.Request) ([]*source, bool) {
	all := h.now().sources
	name := r.URL.Query().Get("target")
	if name == "" {
		return all, true
	}
	for _, s := range all {
		if s.id.String() == name {
			return []*source{s}, true
		}
	}
	http.Error(w, "there is no target of this name", http.StatusNotFound)
	return nil, false
}

// sectionsOf returns what pages show of targets. All are read at once, and those
// that do not answer soon are shown as they were.
func (h *Handler) sectionsOf(ctx context.Context, sources []*source) []section {
	ctx, cancel := context.WithTimeout(ctx, pagePatience)
	defer cancel()
	all := make([]section, len(sources))
	var wg sync.WaitGroup
	for i, s := range sources {
		wg.Go(func() { all[i] = s.section(ctx, time.Now().Add(-h.minAge())) })
	}
	wg.Wait()
	return all
}

func (h *Handler) minAge() time.Duration { return cmp.Or(h.MinAge, defaultMinAge) }

func (h *Handler) servePage(w http.ResponseWriter, r *http.Request) {
	sources, ok := h.asked(w, r)
	if !ok {
		return
	}
	data := page{Title: cmp.Or(h.Title, "Clusters"), Seen: h.log.newest(), Many: len(h.now().sources) > 1, Notes: h.log.of(sources)}
	data.Sections = h.sectionsOf(r.Context(), sources)
	if len(sources) == 1 {
		data.One = &data.Sections[0]
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := h.page.Execute(w, data); err != nil && r.Context().Err() == nil {
		h.warn(r.Context(), "writing the status page", err)
	}
}

// A document is one target as JSON.
type document struct {
	Name   string            `json:"name"`
	Read   time.Time         `json:"read,omitzero"` // when the status was read
	Error  string            `json:"error,omitempty"`
	Status *reconcile.Status `json:"status,omitempty"`
}

func (h *Handler) serveJSON(w http.ResponseWriter, r *http.Request) {
	sources, ok := h.asked(w, r)
	if !ok {
		return
	}
	documents := make([]document, len(sources))
	for i, s := range h.sectionsOf(r.Context(), sources) {
		documents[i] = document{s.Name, s.Read, s.Problem, s.Status}
	}
	var answer any = struct {
		Targets []document `json:"targets"`
	}{documents}
	if r.URL.Query().Get("target") != "" {
		answer = documents[0]
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil && r.Context().Err() == nil {
		h.warn(r.Context(), "writing the status page", err)
	}
}

func (h *Handler) warn(ctx context.Context, what string, err error) {
	if h.Logger != nil {
		h.Logger.WarnContext(ctx, what, "error", err)
	}
}
