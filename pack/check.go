package pack

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/strata-go/strata/internal/nearest"
	"github.com/strata-go/strata/internal/version"
)

// Check reports every problem that shows without rendering, sorted by place:
// defects of the files, values that nobody reads, names that cannot be, values
// that the pack's own schema refuses. What shows only in rendered objects,
// package packlint finds.
//
// The pack has as much as could be read. It is nil if there is no pack.json
// that can be parsed.
func Check(fsys fs.FS) (*Pack, []Problem) {
	p, errs := open(fsys)
	c := &checker{pack: p}
	c.errors(errs...)
	if p != nil {
		c.errors(p.missing...)
		c.all()
	}
	SortProblems(c.problems)
	return p, c.problems
}

// A checker collects the problems of one pack.
type checker struct {
	pack     *Pack
	values   *document
	settings Settings
	charts   []*chartFile
	problems []Problem
}

func (c *checker) add(severity Severity, at place, format string, args ...any) {
	c.problems = append(c.problems, Problem{severity, at.file, at.line, at.column, at.field, fmt.Sprintf(format, args...)})
}

func (c *checker) errors(errs ...error) {
	for _, err := range errs {
		c.problems = append(c.problems, problemOf(SeverityError, err))
	}
}

func (c *checker) all() {
	c.identity()
	var err error
	if c.values, err = readDocument(valuesFile, c.pack.Values); err != nil {
		c.errors(err)
		c.constraints()
		return // all that follows is about values
	}
	c.constraints()
	c.readSettings()
	c.readCharts()
	c.releases()
	c.chartValues()
	c.manifestValues()
	c.schema(c.presets())
}

// identity checks what pack.json says of the pack.
func (c *checker) identity() {
	at := place{file: packFile}
	if strings.HasPrefix(c.pack.Version, "v") {
		at.field = "version"
		c.add(SeverityInfo, at, `%q begins with "v", which the public catalogue refuses`, c.pack.Version)
	} else if _, err := version.Parse(c.pack.Version); err != nil && c.pack.Version != "" {
		at.field = "version"
		c.add(SeverityWarning, at, "%v: it is found by its exact name only", err)
	}
	if _, err := time.Parse(time.DateOnly, c.pack.EndOfLife); err != nil && strings.TrimSpace(c.pack.EndOfLife) != "" {
		at.field = "eol"
		c.add(SeverityWarning, at, "%q is not a date: want yyyy-MM-dd", c.pack.EndOfLife)
	}
	if state := c.pack.State(); state != Active {
		at.field = "annotations"
		c.add(SeverityInfo, at, "the pack is %s", state)
	}
	if len(c.pack.Charts) == 0 && len(c.pack.Manifests) == 0 && c.pack.Kind.Compare("") == 0 {
		c.add(SeverityWarning, place{file: packFile}, "there are neither charts nor kubeManifests: it installs nothing")
	}
	listed := slices.Concat(c.pack.Charts)
	for i, file := range listed {
		if slices.Contains(listed[:i], file) {
			at.field = "charts"
			c.add(SeverityError, at, "%s is listed twice", file)
		}
	}
}

var namespacePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func (c *checker) readSettings() {
	var err error
	c.settings, err = ReadSettings(c.values.data)
	c.inValues(SeverityError, err)
	switch name := c.settings.Namespace; {
	case err != nil:
	case name == "" && len(c.pack.Charts)+len(c.pack.Manifests) > 0:
		c.add(SeverityWarning, c.values.place("pack.namespace"),
			`there is no namespace: what names none goes to "default" if the layer does not say`)
	default:
		c.namespace(name, "pack.namespace")
	}
	for _, name := range c.settings.AdditionalNamespaces {
		c.namespace(name, "pack.additionalNamespaces")
	}
}

func (c *checker) namespace(name, field string) {
	if name != "" && !strings.Contains(name, "{{") && !namespacePattern.MatchString(name) {
		c.add(SeverityError, c.values.place(field),
			"%q cannot name a namespace: want up to 63 lower-case letters, digits and hyphens", name)
	}
}

// readCharts reads the charts that are there. Those that are missing are
// reported already.
func (c *checker) readCharts() {
	for _, file := range c.pack.Charts {
		if regular(c.pack.files, file) != nil {
			continue
		}
		chart, err := readChart(c.pack.files, file)
		if err != nil {
			c.errors(&Error{File: file, Err: err})
			continue
		}
		c.charts = append(c.charts, chart)
	}
	entries, _ := fs.ReadDir(c.pack.files, "charts")
	for _, e := range entries {
		if file := "charts/" + e.Name(); path.Ext(file) == ".tgz" && !slices.Contains(c.pack.Charts, file) {
			c.add(SeverityInfo, place{file: file}, "pack.json does not list this chart")
		}
	}
}

// releases checks the names of the Helm releases.
func (c *checker) releases() {
	taken := map[string]string{}
	for _, chart := range c.charts {
		field := "pack.releaseNameOverride"
		if c.settings.ReleaseNames[chart.Name] != "" {
			field += "." + chart.Name
		}
		release := c.settings.ReleaseName(c.pack.Name, chart.Name)
		if len(release) > maxReleaseName && !strings.Contains(release, "{{") {
			c.add(SeverityError, c.values.place(field),
				"the release name %q of chart %s has %d characters, and Helm allows %d: give it a shorter one here",
				release, chart.Name, len(release), maxReleaseName)
		}
		if other, ok := taken[release]; ok {
			c.add(SeverityError, c.values.place(field), "%s and %s have the same release name %q", other, chart.file, release)
		}
		taken[release] = chart.file
	}
	for _, name := range slices.Sorted(maps.Keys(c.settings.ReleaseNames)) {
		if !slices.ContainsFunc(c.charts, func(f *chartFile) bool { return f.Name == name }) && c.complete() {
			c.add(SeverityWarning, c.values.place("pack.releaseNameOverride."+name),
				"has no effect: no chart of the pack is called %q%s", name, nearest.Hint(name, c.chartNames()))
		}
	}
}

// complete reports whether all charts could be read.
func (c *checker) complete() bool { return len(c.charts) == len(c.pack.Charts) }

func (c *checker) chartNames() []string {
	var names []string
	for _, chart := range c.charts {
		names = append(names, chart.Name)
	}
	return names
}
