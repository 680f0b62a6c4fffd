package helm

import (
	"slices"

	"helm.sh/helm/v3/pkg/chart"
)

// A Chart is a Helm chart with its subcharts. It never changes, and is safe for
// concurrent use.
type Chart struct {
	root *chart.Chart
}

// Name returns the chart's name, as Chart.yaml has it.
func (c *Chart) Name() string { return c.root.Metadata.Name }

// Version returns the chart's version, as Chart.yaml has it.
func (c *Chart) Version() string { return c.root.Metadata.Version }

// AppVersion returns the version of what the chart installs, or "".
func (c *Chart) AppVersion() string { return c.root.Metadata.AppVersion }

// KubeVersion returns the constraint on the version of Kubernetes, or "".
func (c *Chart) KubeVersion() string { return c.root.Metadata.KubeVersion }

func (c *Chart) wrap(err error) error {
	return &ChartError{Chart: c.Name(), Version: c.Version(), Err: err}
}

// instance returns a copy of a chart for one rendering. Helm writes into charts
// while it looks which dependencies are enabled: into the metadata, into the
// tree, and over (not into) the default values. Files are shared.
func instance(c *chart.Chart) *chart.Chart {
	metadata := *c.Metadata
	metadata.Dependencies = slices.Clone(c.Metadata.Dependencies)
	for i, d := range metadata.Dependencies {
		dependency := *d
		metadata.Dependencies[i] = &dependency
	}
	copied := &chart.Chart{
		Metadata:  &metadata,
		Lock:      c.Lock,
		Templates: c.Templates,
		Values:    c.Values,
		Schema:    c.Schema,
		Files:     c.Files,
	}
	for _, d := range c.Dependencies() {
		copied.AddDependency(instance(d))
	}
	return copied
}
