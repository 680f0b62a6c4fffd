package pack

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/nearest"
)

// chartValues reports values of charts that nobody reads: the packs that have
// them look configured, and are not.
func (c *checker) chartValues() {
	if len(c.pack.Charts) == 0 {
		return
	}
	if v, ok := c.values.data["charts"]; ok && v != nil && c.values.block("charts") == nil {
		c.add(SeverityError, c.values.place("charts"), "must be a map with a key for each chart")
		return
	}
	names := c.chartNames()
	block := c.values.block("charts")
	for _, key := range slices.Sorted(maps.Keys(block)) {
		field := join("charts", key)
		switch {
		case slices.Contains(names, key) || !c.complete():
		case key == "global":
			c.add(SeverityWarning, c.values.place(field), "nobody reads it: charts of a pack share no values")
		default:
			c.add(SeverityWarning, c.values.place(field),
				"nobody reads it: no chart of the pack is called %q%s; the values of a chart stand at charts.<name in Chart.yaml>: %s",
				key, nearest.Hint(key, names), strings.Join(prefixed(names), ", "))
		}
	}
	for _, chart := range c.charts {
		switch v := block[chart.Name].(type) {
		case nil:
			c.unconfigured(chart)
		case map[string]any:
			c.dead(chart, join("charts", chart.Name), v, chart.defaults)
		default:
			c.add(SeverityError, c.values.place(join("charts", chart.Name)), "must be a map: the values of the chart")
		}
	}
}

func prefixed(names []string) []string {
	var fields []string
	for _, name := range names {
		fields = append(fields, "charts."+name)
	}
	return fields
}

// unconfigured says that a chart has no values, and is loud if its values seem
// to stand at the root.
func (c *checker) unconfigured(chart *chartFile) {
	var misplaced []string
	for _, key := range slices.Sorted(maps.Keys(c.values.data)) {
		_, known := chart.defaults[key]
		if (known || key == chart.Name) && !slices.Contains([]string{"pack", "charts", "manifests"}, key) {
			misplaced = append(misplaced, key)
		}
	}
	field := join("charts", chart.Name)
	for _, key := range misplaced {
		c.add(SeverityWarning, c.values.place(key), "nobody reads it: chart %s reads %s.%s", chart.Name, field, key)
	}
	if len(misplaced) == 0 {
		c.add(SeverityInfo, c.values.place(field), "there is no such block: the chart has its own values")
	}
}

// dead reports keys that no template of a chart reads. field is the path of
// over in the values, and defaults are what it is laid over.
func (c *checker) dead(chart *chartFile, field string, over, defaults map[string]any) {
	reads := newReads()
	reads.add(chart.reads)
	reads.mentions(string(c.pack.Values)) // values can hold templates
	for _, key := range slices.Sorted(maps.Keys(over)) {
		at := join(field, key)
		inner, _ := over[key].(map[string]any)
		_, known := defaults[key]
		below, _ := defaults[key].(map[string]any)
		sub, isSubchart := chart.below(key)
		switch {
		case key == "global" || key == "tags":
		case sub != nil:
			c.dead(sub, at, inner, merged(sub.defaults, below))
		case isSubchart:
		case !known && !reads.readsTop(key):
			c.add(SeverityWarning, c.values.place(at), "nobody reads it: neither the values nor the templates of chart %s have it%s",
				chart.Name, nearest.Hint(key, slices.Collect(maps.Keys(defaults))))
		case len(below) > 0:
			c.deadBelow(reads, chart, at, key, inner, below)
		}
	}
}

// deadBelow is dead for the second level.
func (c *checker) deadBelow(reads *reads, chart *chartFile, field, key string, over, defaults map[string]any) {
	for _, inner := range slices.Sorted(maps.Keys(over)) {
		if _, known := defaults[inner]; !known && !reads.readsSecond(key, inner) {
			c.add(SeverityWarning, c.values.place(join(field, inner)),
				"nobody reads it: neither the values nor the templates of chart %s have %s.%s%s",
				chart.Name, key, inner, nearest.Hint(inner, slices.Collect(maps.Keys(defaults))))
		}
	}
}

// merged returns the keys of both maps.
func merged(a, b map[string]any) map[string]any {
	m := maps.Clone(a)
	if m == nil {
		return b
	}
	maps.Copy(m, b)
	return m
}

// manifestValues reports values of manifests that nobody reads.
func (c *checker) manifestValues() {
	byName := map[string]string{}
	for _, file := range c.pack.Manifests {
		byName[strings.TrimSuffix(path.Base(file), path.Ext(file))] = file
	}
	names := slices.Sorted(maps.Keys(byName))
	block := c.values.block("manifests")
	for _, name := range slices.Sorted(maps.Keys(block)) {
		field := join("manifests", name)
		file, ok := byName[name]
		if !ok {
			c.add(SeverityWarning, c.values.place(field), "nobody reads it: no manifest of the pack is called %q%s", name, nearest.Hint(name, names))
			continue
		}
		text, err := fs.ReadFile(c.pack.files, file)
		if err != nil {
			continue // it is reported already
		}
		reads := newReads()
		reads.template(file, string(text))
		over, _ := block[name].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(over)) {
			if !reads.readsTop(key) {
				c.add(SeverityWarning, c.values.place(join(field, key)), "nobody reads it: %s does not have .Values.%s", file, key)
			}
		}
	}
}
