package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// The media types of Helm charts, see https://helm.sh/docs/topics/registries.
const (
	chartConfigType  = "application/vnd.cncf.helm.config.v1+json"
	chartContentType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

	chartFile    = "Chart.yaml"
	maxChartFile = 1 << 20
)

// PushChart stores the chart directory in files in a registry, named by name
// or URL, as helm push does, so that helm pull reads it. Equal files give an
// equal digest; what is there already is treated as in [Client.PushPack]. All
// files are stored: .helmignore is not read.
func (c *Client) PushChart(ctx context.Context, registry string, files fs.FS) (layer.Pin, error) {
	a, err := chartArtifact(files)
	if err != nil {
		return layer.Pin{}, fail("push", layer.Ref{Format: layer.FormatHelm, Registry: registry}, "", err)
	}
	return c.push(ctx, registry, a)
}

func chartArtifact(files fs.FS) (artifact, error) {
	root, err := archive.Root(files, chartFile)
	if err != nil {
		return artifact{}, err
	}
	config, err := chartConfig(root)
	if err != nil {
		return artifact{}, fmt.Errorf("%s: %w", chartFile, err)
	}
	var chart struct{ Name, Version, Description string }
	if err := json.Unmarshal(config, &chart); err != nil {
		return artifact{}, fmt.Errorf("%s: %w", chartFile, err)
	}
	if chart.Name == "" || chart.Version == "" {
		return artifact{}, fmt.Errorf("%s: name and version are required", chartFile)
	}
	if _, err := version.Parse(chart.Version); err != nil {
		return artifact{}, fmt.Errorf("%s: %w", chartFile, err)
	}
	content, err := newContent(chartContentType, root, chart.Name)
	if err != nil {
		return artifact{}, err
	}
	annotations := map[string]string{
		ocispec.AnnotationTitle:       chart.Name,
		ocispec.AnnotationVersion:     chart.Version,
		ocispec.AnnotationDescription: chart.Description,
	}
	maps.DeleteFunc(annotations, func(_, text string) bool { return text == "" })
	return artifact{
		ref:         layer.Ref{Format: layer.FormatHelm, Name: chart.Name, Version: chart.Version},
		config:      newBlob(chartConfigType, config),
		content:     content,
		annotations: annotations,
	}, nil
}

// chartConfig returns Chart.yaml as JSON.
func chartConfig(root fs.FS) ([]byte, error) {
	f, err := root.Open(chartFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxChartFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxChartFile {
		return nil, errors.New("larger than 1 MiB")
	}
	return yaml.YAMLToJSON(data)
}
