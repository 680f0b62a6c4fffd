package render

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/values"
)

// chartLayer renders a layer that is a chart.
func (b *builder) chartLayer(ctx context.Context) error {
	b.namespace = cmp.Or(b.Layer.Namespace, DefaultNamespace)
	b.out.require(b.Layer.Namespace)
	config, err := values.Parse("values", b.Values)
	if err != nil {
		return b.fail("", err)
	}
	if b.Content == nil {
		return b.fail("", errNoContent)
	}
	c, err := helm.LoadChart(b.Content)
	if err != nil {
		return b.fail("", err)
	}
	return b.chart(ctx, c, chartOptions{
		release: cmp.Or(b.Layer.Helm.ReleaseName, b.Layer.Name),
		values:  config,
	})
}

var errNoContent = errors.New("its content is missing")

// chartOptions say how one chart is installed.
type chartOptions struct {
	file    string // of the chart, for messages
	release string
	values  map[string]any
}

// chart renders one chart.
func (b *builder) chart(ctx context.Context, c *helm.Chart, o chartOptions) error {
	if slices.ContainsFunc(b.out.Releases, func(r Release) bool { return r.Name == o.release }) {
		return b.fail(o.file, fmt.Errorf("another chart has the release name %q too: give this one its own", o.release))
	}
	deployed := b.Releases[o.release]
	request := helm.Request{
		ReleaseName:  o.release,
		Namespace:    b.namespace,
		Values:       o.values,
		Revision:     deployed + 1,
		IsUpgrade:    deployed > 0,
		Capabilities: b.Capabilities.With(b.definitions()),

		Past:   b.Past,
		Lookup: b.Lookup,
		Limits: b.Limits,

		StrictSchemas: b.StrictSchemas,
	}
	rendered, err := c.Render(ctx, request)
	if err != nil {
		return b.fail(o.file, err)
	}
	b.out.Past.Add(rendered.Past)
	b.out.Queries = b.out.Queries.Merge(rendered.Queries)
	b.out.Releases = append(b.out.Releases, Release{
		Name:      o.release,
		Namespace: b.namespace,
		Revision:  request.Revision,
		Chart:     c,
		Values:    o.values,
		Manifest:  rendered.Manifest,
		Notes:     rendered.Notes,
		Hooks:     slices.Concat(rendered.Hooks, rendered.Tests),
	})
	b.out.Warnings = append(b.out.Warnings, rendered.Warnings...)
	hooks := rendered.Hooks
	if b.Layer.Test {
		hooks = slices.Concat(hooks, rendered.Tests)
	}
	return errors.Join(
		b.add(rendered.CRDs, Object{Release: o.release, FromCRDs: true}),
		b.add(rendered.Objects, Object{Release: o.release}),
		b.addHooks(hooks, o.release),
	)
}

// definitions returns those of the charts before.
func (b *builder) definitions() []manifest.Object {
	var all []manifest.Object
	for _, o := range b.out.Objects {
		if o.Batch() == manifest.Definitions {
			all = append(all, o.Object)
		}
	}
	return all
}

func (b *builder) addHooks(hooks []helm.Hook, release string) error {
	var errs []error
	for _, h := range hooks {
		var err error
		if h.Object, err = manifest.Canonical(h.Object); err != nil {
			errs = append(errs, b.fail("", err))
		}
		b.out.Hooks = append(b.out.Hooks, Hook{h, release, b.namespace})
	}
	return errors.Join(errs...)
}
