package pack

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/joined"
	"github.com/strata-go/strata/internal/version"
)

// constraints checks what pack.json asks of other packs and of machines.
func (c *checker) constraints() {
	for i, d := range c.pack.Constraints.Dependencies {
		at := place{file: packFile, field: fmt.Sprintf("constraints.dependencies[%d]", i)}
		if d.Type == "" {
			c.add(SeverityWarning, at, "has no type, and so no effect: want required, optional, notSupported or upgrade")
		}
		low, errLow := version.Parse(d.MinVersion)
		high, errHigh := version.Parse(d.MaxVersion)
		switch {
		case d.MinVersion != "" && errLow != nil:
			c.add(SeverityError, at, "minVersion: %v", errLow)
		case d.MaxVersion != "" && errHigh != nil:
			c.add(SeverityError, at, "maxVersion: %v", errHigh)
		case errLow == nil && errHigh == nil && version.CompareBound(low, high) > 0:
			c.add(SeverityError, at, "minVersion %s is above maxVersion %s", d.MinVersion, d.MaxVersion)
		}
	}
	for i, r := range c.pack.Constraints.Resources {
		if r.Type != "cpu" && r.Type != "memory" && r.Type != "diskSize" {
			at := place{file: packFile, field: fmt.Sprintf("constraints.resources[%d].type", i)}
			c.add(SeverityWarning, at, "%q is not known, and has no effect: want cpu, memory or diskSize", r.Type)
		}
	}
	if c.values == nil {
		return
	}
	if _, err := c.pack.Needs(c.values.data); err != nil {
		c.inValues(SeverityWarning, err)
	}
}

// inValues adds errors about values, whose places are looked up.
func (c *checker) inValues(severity Severity, err error) {
	for _, err := range joined.Errors(err) {
		if e, ok := errors.AsType[*Error](err); ok {
			c.add(severity, c.values.place(e.Field), "%v", e.Err)
		}
	}
}

// presets checks each preset by applying it. It returns what the values may
// hold: as they are, and what each preset adds.
func (c *checker) presets() (offered []map[string]any) {
	presets, err := c.pack.Presets()
	c.errors(joined.Errors(err)...)
	offered = append(offered, c.values.data)
	for _, p := range presets {
		adds, err := parseValues(presetsFile, p.Add)
		if err != nil {
			continue // it is reported already
		}
		offered = append(offered, adds)
		if _, err := EnablePresets(c.pack.Values, []Preset{p}, map[string]string{p.Group: p.Name}); err != nil {
			c.add(SeverityError, place{presetsFile, p.Line, 1, ""}, "preset %q cannot be applied: %v", p.Name, err)
		}
	}
	for _, p := range presets {
		for _, path := range p.Remove {
			if !slices.ContainsFunc(offered, func(m map[string]any) bool { return resolve(m, path) != nil }) {
				c.add(SeverityWarning, place{presetsFile, p.Line, 1, ""},
					"preset %q removes %s, which neither the values nor any preset has", p.Name, path)
			}
		}
	}
	if err := known(presets, EnabledPresets(c.pack.Values)); err != nil {
		c.add(SeverityInfo, place{file: valuesFile, line: 1, column: 1},
			"the values say that presets are enabled which the pack does not have: %v", err)
	}
	return offered
}

// schema checks the values of the pack against its own schema. What is to be
// set by those who use the pack is no defect.
func (c *checker) schema(offered []map[string]any) {
	schema, problems := c.pack.Schema()
	c.problems = append(c.problems, problems...)
	for _, rule := range schema {
		there := func(m map[string]any) bool { return len(valuesAt(m, rule.Path, "")) > 0 }
		switch {
		case there(c.values.data):
		case !slices.ContainsFunc(offered, there) && !strings.Contains(rule.Path, "$[]"):
			c.add(SeverityWarning, place{schemaFile, rule.Line, 1, rule.Path}, "neither the values nor any preset has this value")
			continue
		default:
			continue
		}
		for _, err := range joined.Errors(Schema{rule}.Check(c.values.data)) {
			severity := SeverityWarning
			if errors.Is(err, errMissing) {
				severity = SeverityInfo
			}
			c.inValues(severity, err)
		}
	}
}
