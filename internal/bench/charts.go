package main

import (
	"context"
	"fmt"
	"testing/fstest"

	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/registry/registrytest"
)

// small is a chart of a ConfigMap, a Service and a Deployment.
var small = fstest.MapFS{
	"Chart.yaml":  {Data: []byte("apiVersion: v2\nname: small\nversion: 1.0.0\n")},
	"values.yaml": {Data: []byte("text: hello\n")},
	"templates/all.yaml": {Data: []byte(`apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}"}
data: {text: "{{ .Values.text }}"}
---
apiVersion: v1
kind: Service
metadata: {name: "{{ .Release.Name }}"}
spec: {selector: {app: "{{ .Release.Name }}"}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}"}
spec:
  selector: {matchLabels: {app: "{{ .Release.Name }}"}}
  template:
    metadata: {labels: {app: "{{ .Release.Name }}"}}
    spec: {containers: [{name: main, image: example.com/small:1}]}
`)},
}

// charts is a stack of releases of the small chart.
type charts struct {
	desired *profile.Desired
	engine  *reconcile.Reconciler
	close   func() error
}

func newCharts(ctx context.Context, count int, namespace string) (*charts, error) {
	server, err := registrytest.Start()
	if err != nil {
		return nil, err
	}
	client := server.Client()
	if _, err := client.PushChart(ctx, server.URL, small); err != nil {
		return nil, err
	}
	p := &profile.Profile{Name: "charts", Version: "1.0.0", Type: profile.AddOn}
	for i := range count {
		p.Layers = append(p.Layers, layer.Layer{
			Name: releaseName(i), Namespace: namespace, Source: layer.Source{Helm: &layer.Helm{Chart: "small"}},
		})
	}
	desired, err := profile.Resolve(ctx, client, nil, p)
	return &charts{desired, &reconcile.Reconciler{Fetcher: client}, server.Close}, err
}

func releaseName(i int) string { return fmt.Sprintf("small-%d", i) }

// untilReady measures (e): 20 charts installed until they are ready, against
// Helm's SDK with wait, one after the other and eight at a time.
func untilReady(ctx context.Context, config *rest.Config, runs int) ([]figure, error) {
	const count = 20
	var requests int64
	ours, err := measureEach(runs, func(round int) (func() error, error) {
		name := fmt.Sprintf("e-ours-%d", round)
		c, err := newCharts(ctx, count, name)
		return func() error {
			defer func() { _ = c.close() }()
			result, err := c.engine.Converge(ctx, reconcile.Target{Config: config, Name: name}, c.desired)
			if err == nil {
				requests = result.Cost.Reads + result.Cost.Writes
			}
			return err
		}, err
	})
	if err != nil {
		return nil, err
	}
	figures := []figure{{id: "e-serial"}, {id: "e-parallel"}}
	for i, atOnce := range []int{1, 8} {
		baseline, err := measureEach(runs, func(round int) (func() error, error) {
			h := helmSDK{config, fmt.Sprintf("e-helm-%d-%d", atOnce, round)}
			return func() error { return h.installAll(ctx, count, atOnce) }, h.makeNamespace(ctx)
		})
		if err != nil {
			return nil, err
		}
		figures[i] = figure{figures[i].id, over(baseline.median, ours.median), ours, baseline, requests}
	}
	return figures, nil
}

// nothingToUpgrade measures (g): a pass over 50 releases with nothing to do,
// against an upgrade of each by Helm's SDK.
func nothingToUpgrade(ctx context.Context, config *rest.Config, runs int) ([]figure, error) {
	const count = 50
	c, err := newCharts(ctx, count, "g-ours")
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.close() }()
	target := reconcile.Target{Config: config, Name: "g"}
	if _, err := c.engine.Converge(ctx, target, c.desired); err != nil {
		return nil, err
	}
	var cost reconcile.Cost
	ours, err := measure(runs, func() error {
		result, err := c.engine.Reconcile(ctx, target, c.desired)
		if err == nil && (!result.Ready || result.Cost.Writes > 0) {
			err = fmt.Errorf("something was done: %+v", result)
		}
		cost = result.Cost
		return err
	})
	if err != nil {
		return nil, err
	}
	h := helmSDK{config, "g-helm"}
	if err := h.makeNamespace(ctx); err != nil {
		return nil, err
	}
	if err := h.installAll(ctx, count, 8); err != nil {
		return nil, err
	}
	baseline, err := measure(runs, func() error { return h.upgradeAll(ctx, count) })
	return []figure{{"g", over(baseline.median, ours.median), ours, baseline, cost.Reads + cost.Writes}}, err
}
