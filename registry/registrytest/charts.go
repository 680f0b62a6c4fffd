package registrytest

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"testing/fstest"

	"github.com/opencontainers/go-digest"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/internal/archive"
)

const chartsPath = "/charts"

// chartRepository packs the charts in a file system and serves them with their
// index, see https://helm.sh/docs/topics/chart_repository.
func chartRepository(charts fs.FS) (http.Handler, error) {
	files := fstest.MapFS{}
	entries := map[string][]map[string]any{}
	folders, err := fs.ReadDir(charts, ".")
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		entry, err := packChart(files, charts, folder.Name())
		if err != nil {
			return nil, fmt.Errorf("chart %s: %w", folder.Name(), err)
		}
		name := fmt.Sprint(entry["name"])
		entries[name] = append(entries[name], entry)
	}
	index, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "generated": "2006-01-02T15:04:05Z", "entries": entries})
	if err != nil {
		return nil, err
	}
	files["index.yaml"] = &fstest.MapFile{Data: index}
	return http.StripPrefix(chartsPath, http.FileServerFS(files)), nil
}

// packChart adds a packed chart to files, and returns its entry in the index.
func packChart(files fstest.MapFS, charts fs.FS, folder string) (map[string]any, error) {
	chart, err := fs.Sub(charts, folder)
	if err != nil {
		return nil, err
	}
	data, err := fs.ReadFile(chart, "Chart.yaml")
	if err != nil {
		return nil, err
	}
	entry := map[string]any{}
	if err := yaml.Unmarshal(data, &entry); err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	if err := archive.WriteTarGz(&packed, chart, fmt.Sprint(entry["name"])); err != nil {
		return nil, err
	}
	file := fmt.Sprintf("%v-%v.tgz", entry["name"], entry["version"])
	files[file] = &fstest.MapFile{Data: packed.Bytes()}
	entry["urls"] = []string{file}
	entry["digest"] = digest.FromBytes(packed.Bytes()).Encoded()
	return entry, nil
}
