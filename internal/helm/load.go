package helm

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/archive"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/ignore"
)

const (
	// maxChart bounds a chart, unpacked, with all archives in it.
	maxChart = 256 << 20
	// maxDepth bounds how deep subcharts may stand in subcharts.
	maxDepth = 16
)

// LoadArchive reads a chart as "helm package" makes it: a gzipped tar file with
// one folder. The name is for messages. Errors are of type [*ChartError].
func LoadArchive(name string, tgz []byte) (*Chart, error) {
	l := reader{left: maxChart}
	root, err := l.archive(tgz, 0)
	if err != nil {
		return nil, &ChartError{Chart: name, Err: err}
	}
	return &Chart{root}, nil
}

// LoadChart reads a chart from a folder that has a Chart.yaml, or from one
// whose only folder has it, as unpacked archives do. As with Helm, .helmignore
// counts in a folder and not in an archive. Errors are of type [*ChartError].
func LoadChart(fsys fs.FS) (*Chart, error) {
	l := reader{left: maxChart}
	root, err := l.folder(fsys)
	if err != nil {
		return nil, &ChartError{Err: err}
	}
	return &Chart{root}, nil
}

// A reader reads one chart. Helm's own loader keeps the order of subcharts in
// a map, and so gives another chart each time; it also bounds each archive in
// an archive by itself. Hence only single charts are left to it.
type reader struct {
	left int64 // bytes that may still be read
}

func (l *reader) archive(tgz []byte, depth int) (*chart.Chart, error) {
	if l.left <= 0 {
		return nil, errTooLarge
	}
	unpacked, err := archive.ReadTarGz(bytes.NewReader(tgz), archive.Limits{Total: l.left})
	if err != nil {
		return nil, err
	}
	root, err := archive.Root(unpacked, "Chart.yaml")
	if err != nil {
		return nil, err
	}
	files, err := l.files(root, nil)
	if err != nil {
		return nil, err
	}
	return l.chart(files, depth)
}

func (l *reader) folder(fsys fs.FS) (*chart.Chart, error) {
	root, err := archive.Root(fsys, "Chart.yaml")
	if err != nil {
		return nil, err
	}
	var rules *ignore.Rules
	if _, err := fs.Stat(fsys, "Chart.yaml"); err == nil {
		if rules, err = ignoreRules(fsys); err != nil {
			return nil, err
		}
	}
	files, err := l.files(root, rules)
	if err != nil {
		return nil, err
	}
	return l.chart(files, 0)
}

func ignoreRules(fsys fs.FS) (*ignore.Rules, error) {
	text, err := fs.ReadFile(fsys, ignore.HelmIgnore)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	rules, err := ignore.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", ignore.HelmIgnore, err)
	}
	rules.AddDefaults()
	return rules, nil
}

// files returns the files of a chart by path. A nil rules ignores none.
func (l *reader) files(root fs.FS, rules *ignore.Rules) (map[string][]byte, error) {
	files := map[string][]byte{}
	return files, fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch ignored := rules != nil && rules.Ignore(name, info); {
		case ignored && d.IsDir():
			return fs.SkipDir
		case ignored || d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s: not a regular file", name)
		}
		if l.left -= info.Size(); l.left < 0 {
			return errTooLarge
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		files[name] = bytes.TrimPrefix(data, []byte("\uFEFF"))
		return nil
	})
}

var errTooLarge = fmt.Errorf("is larger than %d MiB unpacked", maxChart>>20)

// chart builds a chart from its files, those of its subcharts included.
func (l *reader) chart(files map[string][]byte, depth int) (*chart.Chart, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("subcharts stand more than %d deep in each other", maxDepth)
	}
	var own []*loader.BufferedFile
	subcharts := map[string]map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		inCharts, ok := strings.CutPrefix(name, "charts/")
		if !ok || path.Ext(name) == ".prov" {
			own = append(own, &loader.BufferedFile{Name: name, Data: files[name]})
			continue
		}
		sub, rest, _ := strings.Cut(inCharts, "/")
		if strings.HasPrefix(sub, "_") || strings.HasPrefix(sub, ".") {
			continue
		}
		if subcharts[sub] == nil {
			subcharts[sub] = map[string][]byte{}
		}
		subcharts[sub][rest] = files[name]
	}
	c, err := loader.LoadFiles(own)
	if err != nil {
		return nil, err
	}
	c.Raw = nil // a second list of the same files
	for _, sub := range slices.Sorted(maps.Keys(subcharts)) {
		dependency, err := l.subchart(subcharts[sub], depth+1)
		if err != nil {
			return nil, fmt.Errorf("reading subchart charts/%s: %w", sub, err)
		}
		c.AddDependency(dependency)
	}
	return c, nil
}

// subchart reads an entry of a charts folder, which is an archive if its only
// file has no path below it.
func (l *reader) subchart(files map[string][]byte, depth int) (*chart.Chart, error) {
	if tgz, ok := files[""]; ok {
		return l.archive(tgz, depth)
	}
	return l.chart(files, depth)
}
