package helm

import (
	"path"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
)

// sourcesOf returns the templates of a chart and its subcharts by their paths,
// and what each sees.
func sourcesOf(tree *chart.Chart, scope chartutil.Values) map[string]source {
	sources := map[string]source{}
	addSources(sources, tree, scope)
	return sources
}

// addSources adds the templates of a chart, which sees of what the chart above
// it sees only its own values. It returns what the chart sees.
func addSources(sources map[string]source, c *chart.Chart, above map[string]any) map[string]any {
	subcharts := map[string]any{}
	own := map[string]any{
		"Chart": struct {
			chart.Metadata
			IsRoot bool
		}{*c.Metadata, c.IsRoot()},
		"Files":        newChartFiles(c.Files),
		"Release":      above["Release"],
		"Capabilities": above["Capabilities"],
		"Values":       chartutil.Values{},
		"Subcharts":    subcharts,
	}
	if c.IsRoot() {
		own["Values"] = above["Values"]
	} else if values, err := chartutil.Values(above).Table("Values." + c.Name()); err == nil {
		own["Values"] = values
	}
	for _, sub := range c.Dependencies() {
		subcharts[sub.Name()] = addSources(sources, sub, own)
	}
	library := strings.EqualFold(c.Metadata.Type, "library")
	for _, t := range c.Templates {
		if t == nil || library && !strings.HasPrefix(path.Base(t.Name), "_") {
			continue
		}
		sources[path.Join(c.ChartFullPath(), t.Name)] = source{
			text: string(t.Data), scope: own, basePath: path.Join(c.ChartFullPath(), "templates"),
		}
	}
	return own
}
