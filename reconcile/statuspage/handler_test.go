package statuspage_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
	"github.com/strata-go/strata/reconcile/statuspage"
)

// desired returns a state of one layer with a ConfigMap.
func desired(t *testing.T, value string) *profile.Desired {
	t.Helper()
	d, err := profile.Resolve(t.Context(), nil, nil, &profile.Profile{Name: "shop", Version: "1.2.3", Type: profile.AddOn, Layers: []layer.Layer{{
		Name:   "settings",
		Source: layer.Source{Manifests: &layer.Manifests{Inline: []layer.Manifest{{Name: "a", Content: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\ndata: {a: '" + value + "'}\n"}}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// shown is a page of a simulated cluster.
type shown struct {
	*testing.T
	faults reconciletest.Faults
	target reconcile.Target
	page   statuspage.Handler
	engine *reconcile.Reconciler
}

func newShown(t *testing.T) *shown {
	t.Helper()
	var cluster reconciletest.Simulation
	x := &shown{T: t}
	config := rest.CopyConfig(cluster.Config())
	config.Wrap(x.faults.Wrap)
	x.target = reconcile.Target{Config: config, Cluster: "<shop>"}
	x.page.Show(x.target)
	x.engine = &reconcile.Reconciler{OnEvent: x.page.OnEvent}
	return x
}

func (x *shown) converge(value string) {
	x.Helper()
	if _, err := x.engine.Converge(x.Context(), x.target, desired(x.T, value)); err != nil {
		x.Fatal(err)
	}
}

func (x *shown) get(path string) *httptest.ResponseRecorder {
	x.Helper()
	w := httptest.NewRecorder()
	x.page.ServeHTTP(w, httptest.NewRequestWithContext(x.Context(), http.MethodGet, path, nil))
	return w
}

func TestPage(t *testing.T) {
	x := newShown(t)
	x.converge("1")
	w := x.get("/")
	for _, want := range []string{"&lt;shop&gt;", `<svg xmlns=`, `<th scope="row">settings</th>`, "shop@1.2.3", `class="badge Ready"`, "layer ready", `<html lang="en">`, "<main", "http-equiv"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page has no %q:\n%s", want, w.Body)
		}
	}
	for _, never := range []string{"<shop>", "<style", "style=", "onclick", "http://localhost"} {
		if strings.Contains(w.Body.String(), never) {
			t.Errorf("the page has %q, which its policy forbids", never)
		}
	}
	if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
		t.Errorf("the policy is %q", p)
	}
	var one struct{ Status reconcile.Status }
	if err := json.Unmarshal(x.get("/status.json?target=%3Cshop%3E").Body.Bytes(), &one); err != nil || !one.Status.Ready() {
		t.Errorf("as JSON the status is %+v, %v", one, err)
	}
	for path, code := range map[string]int{"/status.json": 200, "/style.css": 200, "/live.js": 200, "/icon.svg": 200, "/status.json?target=none": 404, "/handler.go": 404} {
		if got := x.get(path).Code; got != code {
			t.Errorf("%s is %d, want %d", path, got, code)
		}
	}
	post := httptest.NewRecorder()
	x.page.ServeHTTP(post, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
	if post.Code != http.StatusMethodNotAllowed || post.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST is answered with %d", post.Code)
	}
}

// However many look, the cluster is asked once; and a cluster that does not
// answer is said to.
func TestManyViewers(t *testing.T) {
	x := newShown(t)
	x.converge("1")
	x.faults.Take()
	var fresh shown
	fresh.page.Show(x.target)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			fresh.page.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		})
	}
	wg.Wait()
	if all := x.faults.Take(); len(all) == 0 || len(all) > 6 || len(all.Writes()) > 0 {
		t.Errorf("50 viewers ask the cluster %d times: %v", len(all), all)
	}
	x.faults.Play(reconciletest.Rule{Fault: reconciletest.Refuse})
	var broken shown
	broken.T = t
	broken.page.Show(x.target)
	if body := broken.get("/").Body.String(); !strings.Contains(body, "could not be read") || !strings.Contains(body, "Unknown") {
		t.Errorf("a page of a cluster that cannot be reached is\n%s", body)
	}
}

// What happens comes as events, with what was missed; a viewer that is gone
// leaves nothing behind, and one that does not read holds nothing up.
func TestEvents(t *testing.T) {
	x := newShown(t)
	x.page.MinAge = 1
	server := httptest.NewServer(&x.page)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	x.converge("1") // two events before, and more after
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/events?since=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for range 100 { // more than is buffered, which nobody reads yet
		x.page.OnEvent(reconcile.Event{Target: x.target.ID(), Type: reconcile.LayerWaiting, Layer: "settings", Message: strings.Repeat("x", 1<<16)})
	}
	x.converge("2")
	lines := bufio.NewReader(response.Body)
	var seen []string
	for len(seen) == 0 || !strings.Contains(seen[len(seen)-1], `\u003ctable`) {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, line)
	}
	if all := strings.Join(seen, ""); strings.Contains(all, "id: 1\n") || !strings.Contains(all, "id: 2\n") || !strings.Contains(all, "event: section") {
		t.Errorf("the events are %.2000s", all)
	}
	cancel()
	_, _ = io.Copy(io.Discard, lines)
}

// With many targets there is a list, and a page for each. A cluster that does not
// answer holds up neither the page nor the news of others, and is asked again.
func TestManyTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, dead := newShown(t), newShown(t)
		dead.faults.Play(reconciletest.Rule{Fault: reconciletest.Hang, Times: reconciletest.Always})
		dead.target.Cluster = "dead"
		x.page.Show(dead.target, x.target)
		x.converge("1")
		body := x.get("/").Body.String()
		for _, want := range []string{"1 Unknown · 1 Ready", `<a href="?target=dead">`, "1 of 1", "could not be read", "<em>&lt;shop&gt;</em>"} {
			if !strings.Contains(body, want) {
				t.Errorf("the list has no %q:\n%s", want, body)
			}
		}
		if strings.Contains(body, "<svg") {
			t.Error("the list has the picture of a target")
		}
		if one := x.get("/?target=%3Cshop%3E").Body.String(); !strings.Contains(one, "<svg") || strings.Contains(one, ">dead<") {
			t.Errorf("the page of one target is\n%s", one)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stream := &follower{ResponseRecorder: httptest.NewRecorder()}
		over := make(chan struct{})
		go func() {
			defer close(over)
			x.page.ServeHTTP(stream, httptest.NewRequestWithContext(ctx, http.MethodGet, "/events?since=2", nil))
		}()
		x.converge("2")
		time.Sleep(5 * time.Second)
		if got := stream.take(); !strings.Contains(got, "layer ready") || !strings.Contains(got, `data-health=\"Ready\"`) || strings.Contains(got, "could not be read") {
			t.Errorf("while a cluster does not answer, the events are\n%s", got)
		}
		dead.faults.Play()
		time.Sleep(time.Minute)
		if got := stream.take(); !strings.Contains(got, "could not be read") || !strings.Contains(got, "Not installed") {
			t.Errorf("when the cluster answers again, the events are\n%s", got)
		}
		x.page.Show(x.target)
		<-over
		cancel()
		if got := stream.take(); !strings.Contains(got, "event: reload") {
			t.Errorf("when other targets are shown, the events are\n%s", got)
		}
		if body := x.get("/").Body.String(); strings.Contains(body, ">dead<") || !strings.Contains(body, "layer ready") {
			t.Errorf("what stays is\n%s", body)
		}
		if code := x.get("/?target=dead").Code; code != http.StatusNotFound {
			t.Errorf("the page of what is gone is %d", code)
		}
	})
}

// A follower is a viewer of events.
type follower struct {
	*httptest.ResponseRecorder
	mu   sync.Mutex
	text strings.Builder
}

func (f *follower) Write(data []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.Write(data)
}

func (f *follower) WriteString(text string) (int, error) { return f.Write([]byte(text)) }

// take returns what was sent since the last time.
func (f *follower) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.text.Reset()
	return f.text.String()
}
