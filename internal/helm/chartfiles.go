package helm

import (
	"encoding/base64"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/gobwas/glob"
	"helm.sh/helm/v3/pkg/chart"
)

// chartFiles are what templates see as .Files: the files of the chart that are
// no templates, and no others.
type chartFiles map[string][]byte

func newChartFiles(list []*chart.File) chartFiles {
	files := make(chartFiles, len(list))
	for _, f := range list {
		files[f.Name] = f.Data
	}
	return files
}

// GetBytes returns a file; one that is missing is empty.
func (f chartFiles) GetBytes(name string) []byte {
	if data, ok := f[name]; ok {
		return data
	}
	return []byte{}
}

// Get returns a file as text.
func (f chartFiles) Get(name string) string { return string(f.GetBytes(name)) }

// Glob returns the files whose path matches a pattern. As with Helm, a pattern
// that is none matches all.
func (f chartFiles) Glob(pattern string) chartFiles {
	found := chartFiles{}
	if len(pattern) > 1024 {
		return found
	}
	matcher, err := glob.Compile(pattern, '/')
	for name, data := range f {
		if err != nil || matcher.Match(name) {
			found[name] = data
		}
	}
	return found
}

// AsConfig returns the files as the data of a ConfigMap, by their base names.
func (f chartFiles) AsConfig() string {
	return f.data(func(data []byte) string { return string(data) })
}

// AsSecrets returns the files as the data of a Secret.
func (f chartFiles) AsSecrets() string { return f.data(base64.StdEncoding.EncodeToString) }

func (f chartFiles) data(encode func([]byte) string) string {
	if f == nil {
		return ""
	}
	data := map[string]string{}
	// Of two with one base name the last counts, which is any with Helm.
	for _, name := range slices.Sorted(maps.Keys(f)) {
		data[path.Base(name)] = encode(f[name])
	}
	return toYAML(data)
}

// Lines returns the lines of a file.
func (f chartFiles) Lines(name string) []string {
	if len(f[name]) == 0 {
		return []string{}
	}
	return strings.Split(strings.TrimSuffix(string(f[name]), "\n"), "\n")
}
