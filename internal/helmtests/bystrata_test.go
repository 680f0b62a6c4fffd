package helmtests

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
	"github.com/strata-go/strata/registry/registrytest"
)

// byStrata runs a chart with the engine on a simulated cluster.
type byStrata struct {
	*testing.T
	server  *registrytest.Server
	cluster reconciletest.Simulation
	client  dynamic.Interface
	engine  reconcile.Reconciler
	target  reconcile.Target
	seen    watching

	registry, chart string
	tests           bool
}

func newByStrata(t *testing.T, server *registrytest.Server, c testChart) *byStrata {
	t.Helper()
	s := &byStrata{T: t, server: server, tests: c.tests}
	script := []reconciletest.Behavior{
		{Kind: "Job", After: 3 * time.Millisecond},
		{Kind: "Pod", After: 3 * time.Millisecond, Status: map[string]any{"phase": "Succeeded"}},
	}
	if c.fails != "" {
		script = append([]reconciletest.Behavior{{Kind: "Job", Name: c.fails, Fail: "BackoffLimitExceeded"}}, script...)
	}
	s.cluster.Behave(script...)
	config := s.cluster.Config()
	var err error
	if s.client, err = dynamic.NewForConfig(s.cluster.Config()); err != nil {
		t.Fatal(err)
	}
	s.seen = watching{base: s.cluster.Config().Transport, hooks: map[string]string{}}
	config.Wrap(func(base http.RoundTripper) http.RoundTripper { return &s.seen })
	s.target = reconcile.Target{Config: config}
	s.engine = reconcile.Reconciler{Fetcher: server.Client()}
	s.registry = server.URL + "/" + strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	pin, err := server.Client().PushChart(t.Context(), s.registry, c.fs())
	if err != nil && strings.Contains(err.Error(), "3-canary") {
		t.Skip(err) // the one version of the catalogue that is none, which Helm takes
	}
	if err != nil {
		t.Fatal(err)
	}
	s.chart = pin.Name + "@" + pin.Version
	return s
}

func (c testChart) fs() fs.FS {
	files := fstest.MapFS{}
	for _, f := range c.files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return files
}

func (s *byStrata) do(step step) []string {
	s.Helper()
	s.seen.trace = nil
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	var err error
	switch step.action {
	case "install", "upgrade":
		_, err = s.engine.Converge(ctx, s.target, s.desired(step))
	case "rollback":
		_, err = s.engine.RollbackAndWait(ctx, s.target, "")
	default:
		_, err = s.engine.DeleteAndWait(ctx, s.target)
	}
	s.seen.end()
	if ctx.Err() != nil {
		s.Fatal(err)
	}
	if err != nil {
		s.Logf("%s: %v", step.action, err)
		return append(s.seen.trace, "error")
	}
	return s.seen.trace
}

func (s *byStrata) desired(step step) *profile.Desired {
	s.Helper()
	values, err := yaml.Marshal(step.values())
	if err != nil {
		s.Fatal(err)
	}
	name, version, _ := strings.Cut(s.chart, "@")
	one := layer.Layer{Name: releaseName, Namespace: namespace, Test: s.tests, Values: string(values), Source: layer.Source{Helm: &layer.Helm{Registry: s.registry, Chart: name, Version: version}}}
	d, err := profile.Resolve(s.Context(), s.server.Client(), nil, &profile.Profile{Name: "hooks", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{one}})
	if err != nil {
		s.Fatal(err)
	}
	return d
}

// watching notes what requests do to hooks, and to the marker.
type watching struct {
	base http.RoundTripper

	mu    sync.Mutex
	hooks map[string]string // those that are there: kind and name, by path
	last  string            // the path of the one that may not have ended yet
	trace []string
}

func (w *watching) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.URL.Query().Has("dryRun") {
		return w.base.RoundTrip(r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	var o unstructured.Unstructured
	_ = json.Unmarshal(body, &o.Object) // what is none is no hook
	_, hook := o.GetAnnotations()[release.HookAnnotation]
	switch known := w.hooks[r.URL.Path]; {
	case r.Method == http.MethodPost && hook:
		w.settle()
		at := path.Join(r.URL.Path, o.GetName())
		w.hooks[at] = o.GetKind() + " " + o.GetName()
		w.trace, w.last = append(w.trace, "create "+w.hooks[at]), at
	case r.Method == http.MethodDelete && known != "":
		w.settle()
		delete(w.hooks, r.URL.Path)
		w.trace = append(w.trace, "delete "+known)
	case path.Base(r.URL.Path) == markerName:
		w.settle()
		w.trace = append(w.trace, "release")
	}
	return w.base.RoundTrip(r)
}

// settle notes what became of the hook that was made last.
func (w *watching) settle() {
	at := w.last
	w.last = ""
	if at == "" {
		return
	}
	if o := w.get(at); o != nil && ends(o) {
		w.trace = append(w.trace, outcome(o)+" "+w.hooks[at])
	}
}

// get returns the object at a path, or nil.
func (w *watching) get(at string) *unstructured.Unstructured {
	request, err := http.NewRequest(http.MethodGet, "https://simulation.invalid"+at, http.NoBody)
	if err != nil {
		return nil
	}
	response, err := w.base.RoundTrip(request)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	var o unstructured.Unstructured
	if err := json.NewDecoder(response.Body).Decode(&o.Object); err != nil || response.StatusCode != http.StatusOK {
		return nil
	}
	return &o
}

func (w *watching) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settle()
}

// ends reports whether a hook is one that Helm waits for.
func ends(o *unstructured.Unstructured) bool {
	return o.GetKind() == "Job" || o.GetKind() == "Pod"
}

// outcome says how a Job or Pod is.
func outcome(o *unstructured.Unstructured) string {
	phase, _, _ := unstructured.NestedString(o.Object, "status", "phase")
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		if m, ok := c.(map[string]any); ok && m["status"] == "True" && (m["type"] == "Complete" || m["type"] == "Failed") {
			phase, _ = m["type"].(string)
		}
	}
	switch phase {
	case "Complete", "Succeeded":
		return "complete"
	case "Failed":
		return "failed"
	}
	return "not yet complete"
}

// withoutLeftovers takes out of the trace of an uninstallation that what hooks
// left behind goes at its end. Helm never removes that: the user has to look for
// it. What an installation made goes with it here, whoever made it, but for
// definitions.
func (s *byStrata) withoutLeftovers(trace []string, helms int) []string {
	s.Helper()
	n := min(helms, len(trace))
	for _, one := range trace[n:] {
		if !strings.HasPrefix(one, "delete ") {
			return trace
		}
	}
	for at, hook := range s.seen.hooks {
		if left := s.seen.get(at); left != nil && left.GetKind() != "CustomResourceDefinition" {
			s.Errorf("%s is left on the cluster", hook)
		}
	}
	return trace[:n]
}
