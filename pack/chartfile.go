package pack

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/archive"
)

const (
	// maxCharts bounds how deep charts may stand in charts.
	maxCharts = 16
	// maxUnpacked bounds one chart, unpacked.
	maxUnpacked = 256 << 20
)

// A chartFile is what a check needs to know of a chart. It is read without
// Helm, which this package does not compile.
type chartFile struct {
	file      string         // path in the pack
	Name      string         `yaml:"name"`
	Version   string         `yaml:"version"`
	Requires  []requirement  `yaml:"dependencies"`
	defaults  map[string]any // its values.yaml
	reads     *reads         // of its own templates, and of those of its subcharts
	subcharts []*chartFile
}

// A requirement is an entry of the dependencies of a chart.
type requirement struct {
	Name, Alias, Condition string
	Tags                   []string
}

// readChart reads a chart archive.
func readChart(fsys fs.FS, file string) (*chartFile, error) {
	tgz, err := read(fsys, file, maxUnpacked)
	if err != nil {
		return nil, err
	}
	return unpackChart(file, tgz, 0)
}

func unpackChart(file string, tgz []byte, depth int) (*chartFile, error) {
	unpacked, err := archive.ReadTarGz(bytes.NewReader(tgz), archive.Limits{Total: maxUnpacked})
	if err != nil {
		return nil, err
	}
	root, err := archive.Root(unpacked, "Chart.yaml")
	if err != nil {
		return nil, err
	}
	return newChart(file, root, depth)
}

// newChart reads the chart in fsys.
func newChart(file string, fsys fs.FS, depth int) (*chartFile, error) {
	if depth > maxCharts {
		return nil, fmt.Errorf("charts stand more than %d deep in each other", maxCharts)
	}
	c := &chartFile{file: file, reads: newReads()}
	if err := c.metadata(fsys); err != nil {
		return nil, err
	}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path.Dir(name) == "charts":
			return c.subchart(fsys, name, d, depth+1)
		case d.IsDir():
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		if strings.HasPrefix(name, "templates/") {
			c.reads.template(name, string(text))
		} else {
			c.reads.mentions(string(text))
		}
		return nil
	})
	for _, s := range c.subcharts {
		c.reads.add(s.reads)
	}
	for _, r := range c.Requires {
		c.reads.paths(r.Condition)
	}
	return c, err
}

func (c *chartFile) metadata(fsys fs.FS) error {
	text, err := fs.ReadFile(fsys, "Chart.yaml")
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, c); err != nil {
		return fmt.Errorf("reading Chart.yaml: %w", err)
	}
	// Charts of the first version list their dependencies in a file.
	if text, err := fs.ReadFile(fsys, "requirements.yaml"); err == nil && c.Requires == nil {
		_ = yaml.Unmarshal(text, &struct {
			Dependencies *[]requirement
		}{&c.Requires}) // Helm says what is wrong with it
	}
	if text, err := fs.ReadFile(fsys, "values.yaml"); err == nil {
		// Defaults that cannot be read are Helm's to report too.
		_ = yaml.Unmarshal(text, &c.defaults)
	}
	return nil
}

// subchart reads an entry of the charts folder. What cannot be read is left
// out: rendering says why.
func (c *chartFile) subchart(fsys fs.FS, name string, d fs.DirEntry, depth int) error {
	var sub *chartFile
	var err error
	if d.IsDir() {
		var inner fs.FS
		if inner, err = fs.Sub(fsys, name); err == nil {
			sub, err = newChart(c.file, inner, depth)
		}
	} else if path.Ext(name) == ".tgz" {
		var tgz []byte
		if tgz, err = fs.ReadFile(fsys, name); err == nil {
			sub, err = unpackChart(c.file, tgz, depth)
		}
	}
	if err == nil && sub != nil {
		c.subcharts = append(c.subcharts, sub)
	}
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// below returns the subchart whose values stand at a key, if one does.
func (c *chartFile) below(key string) (sub *chartFile, isSubchart bool) {
	for _, r := range c.Requires {
		if r.Alias == key {
			return c.named(r.Name), true
		}
		isSubchart = isSubchart || r.Name == key
	}
	sub = c.named(key)
	return sub, isSubchart || sub != nil
}

func (c *chartFile) named(name string) *chartFile {
	for _, s := range c.subcharts {
		if s.Name == name {
			return s
		}
	}
	return nil
}
