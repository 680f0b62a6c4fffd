package reconcile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/bom"
	strataotel "github.com/strata-go/strata/reconcile/otel"
	strataprometheus "github.com/strata-go/strata/reconcile/prometheus"
	"github.com/strata-go/strata/reconcile/statuspage"
)

// mark is in every secret of the test, and in no output.
const mark = "hush"

// secretive has secrets wherever content may have values.
func secretive(version string) fstest.MapFS {
	return files(
		"Chart.yaml", "apiVersion: v2\nname: secretive\nversion: "+version+"\n",
		"values.yaml", "plain: "+mark+"-in-a-chart\ntoken: ''\nbroken: false\nhookFails: false\n",
		"templates/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: secretive}\nstringData: {plain: {{ .Values.plain }}, token: {{ .Values.token | quote }}}\n",
		"templates/all.yaml", strings.NewReplacer("NAME", "secretive", "namespace: default", "annotations: {token: {{ .Values.token | quote }}}",
			"ANNOTATIONS", "", "pause:3.10", `pause:3.10, env: [{name: TOKEN, value: {{ .Values.token | quote }}}], args: [{{ printf "--token=%s" .Values.token | quote }}]`).Replace(workload),
		"templates/broken.yaml", "{{ if .Values.broken }}{{ fail (printf \"the token is %s\" .Values.token) }}{{ end }}\n",
		"templates/hook.yaml", strings.NewReplacer("NAME", "job", "EVENTS", "pre-upgrade", "WEIGHT", "0", "MORE", "helm.sh/hook-delete-policy: before-hook-creation",
			"{{ .Values.fail }}", `{{ .Values.hookFails }}", strata.dev/test-log: "logging in with {{ .Values.token }}`).Replace(hook),
		"templates/NOTES.txt", "Log in with {{ .Values.token }}.\n",
	)
}

// secrecy is a life all of whose output is kept.
type secrecy struct {
	*life
	out  bytes.Buffer
	page *statuspage.Handler
}

func (s *secrecy) say(all ...any) {
	for _, one := range all {
		fmt.Fprintf(&s.out, "%+v\n", one)
		if data, err := json.Marshal(one); err == nil {
			s.out.Write(data)
		}
	}
}

// desired has a sensitive variable in a chart's values, in a URL, and encoded.
func (s *secrecy) desired(token, values string) *profile.Desired {
	s.Helper()
	chart := layer.Layer{Name: "chart", Namespace: "secrecy", Source: layer.Source{Helm: &layer.Helm{Chart: "secretive"}}, Values: "token: '{{ .spectro.var.token }}'\n" + values}
	config := plain("config", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: secrecy, namespace: default}\ndata: {url: 'https://user:{{ .spectro.var.token }}@example.com', encoded: '{{ .spectro.var.token | b64enc }}'}\n"+
		"---\napiVersion: v1\nkind: Secret\nmetadata: {name: secrecy, namespace: default}\nstringData: {written: "+mark+"-in-a-manifest}\n")
	config.InstallOrder = 1
	stack, err := profile.Compose(&profile.Profile{
		Name: "secrecy", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{chart, config},
		Variables: []profile.Variable{{Name: "token", Sensitive: true}},
	})
	if err != nil {
		s.Fatal(err)
	}
	stack.Variables = map[string]string{"token": token}
	d, err := stack.Resolve(s.ctx, s.server.Client(), nil)
	if err != nil {
		s.Fatal(err)
	}
	s.say(d.Lock(), d, d.Digest())
	return d
}

func (s *secrecy) plan(d *profile.Desired) {
	p, err := s.engine.Plan(s.ctx, s.target, d)
	s.say(err)
	if p != nil {
		s.say(p, p.String(), p.Markdown(), p.Steps)
	}
}

func (s *secrecy) look() {
	s.Helper()
	status, err := s.engine.Status(s.ctx, s.target)
	if err != nil {
		s.Fatal(err)
	}
	bill, err := bom.Encode(status, bom.Details{})
	s.say(err, status, status.String(), status.Picture(), status.SVG(), string(bill))
	for _, path := range []string{"/", "/status.json"} {
		w := httptest.NewRecorder()
		s.page.ServeHTTP(w, httptest.NewRequestWithContext(s.ctx, http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			s.Errorf("GET %s: %d", path, w.Code)
		}
		s.say(w.Body.String())
	}
	states, err := s.engine.History(s.ctx, s.target)
	s.say(err, states)
	found, err := s.engine.Discover(s.ctx, reconcile.Target{Config: s.target.Config, Name: "other"}, reconcile.Hints{})
	s.say(err)
	if found != nil {
		s.say(found.String())
	}
}

// disturb changes what has a secret in it.
func (s *secrecy) disturb() {
	s.Helper()
	for o, patch := range map[object]string{
		{secrets, "secrecy", "secretive"}:     `{"data":{"token":"eA=="}}`,
		{configMaps, "default", "secrecy"}:    `{"data":{"url":"https://example.com"}}`,
		{deployments, "secrecy", "secretive"}: `{"metadata":{"annotations":{"token":"x"}}}`,
	} {
		if _, err := s.dynamic.Resource(o.resource).Namespace(o.namespace).Patch(s.ctx, o.name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "somebody"}); err != nil {
			s.Fatal(err)
		}
	}
}

// Nothing that people read, and nothing that is sent somewhere, has a secret in it.
func TestE2ESecrecy(t *testing.T) {
	s := &secrecy{life: newLife(t, "secrecy")}
	if _, err := s.server.Client().PushChart(s.ctx, s.server.URL, secretive("1.0.0")); err != nil {
		t.Fatal(err)
	}
	s.engine.Logger = slog.New(slog.NewTextHandler(&s.out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	spans, metrics := tracetest.NewInMemoryExporter(), new(strataprometheus.Collector)
	s.engine.Observer = reconcile.Observers{&strataotel.Observer{Provider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))}, metrics}
	s.page = &statuspage.Handler{MinAge: time.Nanosecond}
	s.page.Show(s.target)
	listen := s.engine.OnEvent
	s.engine.OnEvent = func(e reconcile.Event) { listen(e); s.page.OnEvent(e) }
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	first, second := s.desired(mark+"-first-token", ""), s.desired(mark+"-second-token", "")
	s.plan(first)
	s.say(s.converge(first))
	s.look()
	s.plan(second)
	s.disturb()
	s.look()
	s.plan(first)
	s.say(s.converge(first))
	for _, values := range []string{"broken: true", "hookFails: true"} {
		d := s.desired(mark+"-second-token", values)
		s.plan(d)
		result, err := s.engine.Converge(s.ctx, s.target, d)
		if err == nil {
			t.Errorf("%s: no error", values)
		}
		s.say(result, err)
		s.look()
	}
	s.say(s.converge(second))
	s.look()
	s.say(s.engine.DeleteAndWait(s.ctx, s.target))
	s.say(s.events)
	gathered, err := registry.Gather()
	if len(gathered) == 0 || len(spans.GetSpans()) == 0 {
		t.Errorf("%d metrics, %d spans, %v", len(gathered), len(spans.GetSpans()), err)
	}
	s.say(gathered, spans.GetSpans())
	out := s.out.String()
	for line := range strings.Lines(out) {
		if i := strings.Index(line, mark); i >= 0 {
			t.Errorf("a secret is shown: ...%s...", line[max(0, i-200):min(len(line), i+80)])
		}
	}
	// That is how what begins with the mark is encoded.
	if i := strings.Index(out, "aHVzaC"); i >= 0 {
		t.Errorf("an encoded secret is shown: %s", out[max(0, i-200):i+40])
	}
	if len(out) < 20_000 {
		t.Errorf("only %d bytes were looked at", len(out))
	}
}
