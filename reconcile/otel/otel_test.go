package otel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/otel"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", env: [{name: TOKEN, value: "{{ .spectro.var.token }}"}]}]}
`

// desired returns a state with a sensitive value in it.
func desired(t *testing.T, content string) *profile.Desired {
	t.Helper()
	stack := &profile.Stack{Profiles: []*profile.Profile{{
		Name: "shop", Version: "1.0.0", Type: profile.AddOn,
		Variables: []profile.Variable{{Name: "token", Sensitive: true}},
		Layers:    []layer.Layer{{Name: "web", Source: layer.Source{Manifests: &layer.Manifests{Inline: []layer.Manifest{{Name: "web", Content: content}}}}}},
	}}, Variables: map[string]string{"token": "hunter2-hunter2"}}
	d, err := stack.Resolve(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tree returns spans as lines, indented below their parents, each line once and
// without the requests.
func tree(spans []trace.ReadOnlySpan) string {
	slices.SortStableFunc(spans, func(a, b trace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	var b strings.Builder
	var below func(parent trace.ReadOnlySpan, indent string)
	below = func(parent trace.ReadOnlySpan, indent string) {
		for _, s := range spans {
			if strings.HasPrefix(s.Name(), "kubernetes ") || s.Parent().SpanID() != parent.SpanContext().SpanID() {
				continue
			}
			fmt.Fprintln(&b, indent+s.Name())
			below(s, indent+"  ")
		}
	}
	for _, s := range spans {
		if !s.Parent().IsValid() {
			fmt.Fprintln(&b, s.Name())
			below(s, "  ")
		}
	}
	return b.String()
}

func TestSpans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cluster reconciletest.Simulation
		cluster.Behave(reconciletest.Behavior{Kind: "Deployment", After: time.Minute})
		recorder := tracetest.NewSpanRecorder()
		engine := &reconcile.Reconciler{Observer: &otel.Observer{Provider: trace.NewTracerProvider(trace.WithSpanProcessor(recorder))}}
		target := reconcile.Target{Config: cluster.Config(), Cluster: "eu", Name: "shop"}
		if _, err := engine.Converge(t.Context(), target, desired(t, web)); err != nil {
			t.Fatal(err)
		}
		spans := recorder.Ended()
		want := `strata.Converge
  strata pass
    strata plan
    strata layer
  strata wait
  strata pass
    strata plan
    strata layer
    strata prune
`
		if got := tree(spans); got != want {
			t.Errorf("the spans are\n%s\nwant\n%s", got, want)
		}
		applied := 0
		for _, s := range spans {
			text := fmt.Sprint(s.Name(), s.Attributes(), s.Status(), s.Events())
			if strings.Contains(text, "hunter2") {
				t.Errorf("a span shows a secret: %s", text)
			}
			if all := s.Attributes(); !slices.Contains(all, otel.ClusterKey.String("eu")) || !slices.Contains(all, otel.InstallationKey.String("shop")) {
				t.Errorf("the span %q does not name its target: %s", s.Name(), text)
			}
			if s.Name() == "kubernetes apply" && strings.Contains(text, "deployments.apps") {
				applied++
				parent := slices.IndexFunc(spans, func(p trace.ReadOnlySpan) bool { return p.SpanContext().SpanID() == s.Parent().SpanID() })
				if spans[parent].Name() != "strata layer" {
					t.Errorf("the Deployment is applied in the span %q, want that of the layer", spans[parent].Name())
				}
			}
		}
		if applied != 1 {
			t.Errorf("%d spans apply the Deployment, want 1", applied)
		}
	})
}

// An error is the status of its spans, without what it quotes of the values.
func TestSpanOfError(t *testing.T) {
	var cluster reconciletest.Simulation
	recorder := tracetest.NewSpanRecorder()
	engine := &reconcile.Reconciler{Observer: &otel.Observer{SkipRequests: true, Provider: trace.NewTracerProvider(trace.WithSpanProcessor(recorder))}}
	_, err := engine.Reconcile(t.Context(), reconcile.Target{Config: cluster.Config()}, desired(t, strings.Replace(web, "apps/v1", "none.example.com/{{ .spectro.var.token }}", 1)))
	if err == nil {
		t.Fatal("a kind that nobody serves is no error")
	}
	for _, s := range recorder.Ended() {
		if s.Status().Code != codes.Error || s.Status().Description == "" || strings.Contains(s.Status().Description, "hunter2") {
			t.Errorf("the status of %q is %+v, want the error without the secret", s.Name(), s.Status())
		}
	}
	if got := tree(recorder.Ended()); got != "strata.Reconcile\n  strata pass\n    strata plan\n" || len(recorder.Ended()) != 3 {
		t.Errorf("the spans are\n%s", got)
	}
}

// A span that lasts for ever would never be seen: what Watch does stands alone.
func TestSpansOfWatch(t *testing.T) {
	var cluster reconciletest.Simulation
	recorder := tracetest.NewSpanRecorder()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	engine := &reconcile.Reconciler{Observer: &otel.Observer{SkipRequests: true, Provider: trace.NewTracerProvider(trace.WithSpanProcessor(recorder))}}
	engine.OnEvent = func(e reconcile.Event) {
		switch e.Type {
		case reconcile.LayerReady:
			go deletes(ctx, t, cluster.Config())
		case reconcile.ObjectDrifted:
			cancel()
		default:
		}
	}
	if err := engine.Watch(ctx, reconcile.Target{Config: cluster.Config()}, desired(t, web)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := tree(recorder.Ended()); strings.Count("\n"+got, "\nstrata pass\n") < 2 || strings.Contains(got, "Watch") {
		t.Errorf("the spans are\n%s\nwant two passes that stand alone", got)
	}
}

func deletes(ctx context.Context, t *testing.T, config *rest.Config) {
	client, err := kubernetes.NewForConfig(config)
	if err == nil {
		err = client.AppsV1().Deployments("default").Delete(ctx, "web", metav1.DeleteOptions{})
	}
	if err != nil && ctx.Err() == nil {
		t.Error(err)
	}
}

func TestZeroObserver(t *testing.T) {
	var cluster reconciletest.Simulation
	engine := &reconcile.Reconciler{Observer: new(otel.Observer)}
	if _, err := engine.Status(t.Context(), reconcile.Target{Config: cluster.Config()}); err != nil {
		t.Fatal(err)
	}
}
