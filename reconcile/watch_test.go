package reconcile_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

const gauge = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gauges.watch.example.com}
spec:
  group: watch.example.com
  scope: Namespaced
  names: {plural: gauges, kind: Gauge}
  versions:
  - {name: v1, served: true, storage: true, subresources: {status: {}}, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
---
apiVersion: watch.example.com/v1
kind: Gauge
metadata: {name: gauge, namespace: default}
spec: {a: b}
`

// watched is a target that is being watched.
type watched struct {
	*life
	cancel context.CancelFunc
	ended  chan error
	line   line

	mu   sync.Mutex
	seen []reconcile.Event
}

func watch(l *life, d *profile.Desired) *watched {
	w := &watched{life: l, ended: make(chan error, 1)}
	l.engine.OnEvent = func(e reconcile.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seen = append(w.seen, e)
	}
	l.target.Config = rest.CopyConfig(l.target.Config)
	l.target.Config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		w.line.next = next
		return &w.line
	})
	ctx, cancel := context.WithCancel(l.ctx)
	w.cancel = cancel
	l.Cleanup(cancel)
	go func() { w.ended <- l.engine.Watch(ctx, l.target, d) }()
	return w
}

// A line is the way to the API server, which may be cut.
type line struct {
	next http.RoundTripper

	mu   sync.Mutex
	down bool
	open []io.Closer // the responses on their way
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	down := l.down
	l.mu.Unlock()
	if down {
		return nil, errors.New("the line is cut")
	}
	response, err := l.next.RoundTrip(r)
	if err == nil && r.URL.Query().Has("watch") && strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadata") {
		l.mu.Lock()
		l.open = append(l.open, response.Body)
		l.mu.Unlock()
	}
	return response, err
}

func (l *line) cut(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
	for _, one := range l.open {
		_ = one.Close()
	}
	l.open = nil
}

// event reports whether there was such an event since the last call of forget.
func (w *watched) event(is reconcile.EventType, text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.seen, func(e reconcile.Event) bool {
		return e.Type == is && strings.Contains(e.Layer+" "+e.Object.String()+" "+e.Message, text)
	})
}

func (w *watched) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = nil
}

// until waits for something to become true.
func (w *watched) until(what string, is func() bool) {
	w.Helper()
	late := time.After(30 * time.Second)
	for !is() {
		select {
		case err := <-w.ended:
			w.Fatalf("Watch ends with %v before %s", err, what)
		case <-late:
			w.Fatalf("%s: never", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// idle checks that nothing is asked while nothing happens.
func (w *watched) idle(after string) {
	w.Helper()
	time.Sleep(500 * time.Millisecond) // what was begun may end
	w.rec.take()
	time.Sleep(time.Second)
	if all, _ := w.rec.take(); len(all) > 0 {
		w.Errorf("after %s, while nothing happens, there are the requests %v", after, all)
	}
}

func TestE2EWatch(t *testing.T) {
	l := newLife(t, "watch")
	d := drifting{l, "watch"}
	reported := drifting{l, "watch-reported"}
	correct, report := plain("correct", d.text("a: '1'")+"---"+gauge), plain("report", reported.text("a: '1'"))
	report.Drift.Mode = layer.DriftReport
	w := watch(l, desiredOf(t, correct, report))
	w.until("the watches are open", func() bool {
		w.line.mu.Lock()
		defer w.line.mu.Unlock()
		return len(w.line.open) == 3 // config maps, definitions, gauges
	})
	w.idle("the installation")

	d.edit("them", `"a": "x"`)
	w.until("the repair", func() bool { return d.data() == "map[a:1]" })
	time.Sleep(200 * time.Millisecond)
	_, writes := w.rec.take()
	for _, one := range writes {
		if !strings.HasSuffix(one.Path, "/configmaps/watch") && !strings.Contains(one.Path, "/namespaces/strata-watch/") {
			t.Errorf("the repair writes %v", one)
		}
	}
	if !w.event(reconcile.ObjectDrifted, `.data.a: "1" -> "x" by "them"`) {
		t.Error("no event says what drifted")
	}
	w.idle("a repair")

	if err := l.kube.CoreV1().ConfigMaps("default").Delete(l.ctx, "watch", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.until("it is made anew", func() bool { return d.data() == "map[a:1]" })
	_, err := l.kube.CoreV1().ConfigMaps("default").Patch(l.ctx, "watch", types.MergePatchType, []byte(`{"metadata": {"labels": null}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.until("the labels are back", func() bool {
		cm, err := l.kube.CoreV1().ConfigMaps("default").Get(l.ctx, "watch", metav1.GetOptions{})
		return err == nil && len(cm.Labels) == 2
	})

	reported.edit("them", `"a": "y"`)
	w.until("the report", func() bool { return w.event(reconcile.ObjectDrifted, "watch-reported") })
	w.idle("a report")
	if reported.data() != "map[a:y]" {
		t.Errorf("what is only reported is %s", reported.data())
	}
	w.health()
	w.outage(d)
	w.ends()
	l.removes()
}

// health has an object become unready, and ready again.
func (w *watched) health() {
	w.Helper()
	gauges := w.dynamic.Resource(schema.GroupVersionResource{Group: "watch.example.com", Version: "v1", Resource: "gauges"}).Namespace("default")
	set := func(status string) {
		w.Helper()
		body := `{"status": {"conditions": [{"type": "Ready", "status": "` + status + `", "message": "low on oil"}]}}`
		if _, err := gauges.Patch(w.ctx, "gauge", types.MergePatchType, []byte(body), metav1.PatchOptions{}, "status"); err != nil {
			w.Fatal(err)
		}
	}
	w.forget()
	set("False")
	w.until("the object is not ready", func() bool { return w.event(reconcile.LayerWaiting, "low on oil") })
	set("True")
	w.until("the layer is ready", func() bool { return w.event(reconcile.LayerReady, "correct") })
	w.idle("a change of health")
}

// outage has the API server go away and something change meanwhile.
func (w *watched) outage(d drifting) {
	w.Helper()
	w.line.cut(true)
	d.edit("them", `"a": "meanwhile"`)
	time.Sleep(100 * time.Millisecond)
	w.line.cut(false)
	w.until("the repair after an outage", func() bool { return d.data() == "map[a:1]" })
}

// ends checks that nothing goes on when Watch has returned.
func (w *watched) ends() {
	w.Helper()
	w.cancel()
	if err := <-w.ended; !errors.Is(err, context.Canceled) {
		w.Errorf("Watch = %v, want that it was cancelled", err)
	}
	buffer := make([]byte, 1<<20)
	for one := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if strings.Contains(one, "(*feed)") || strings.Contains(one, "(*session)") && strings.Contains(one, "watch") {
			w.Errorf("this goes on:\n%s", one)
		}
	}
}
