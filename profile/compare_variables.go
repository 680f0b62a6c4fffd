package profile

import (
	"encoding/json"
	"reflect"
	"strings"
)

// variables compares the definitions of variables.
func (c *comparison) variables(a, b *Profile) []VariableChange {
	var changes []VariableChange
	for p := range paired(a.Variables, b.Variables, func(v Variable) string { return v.Name }) {
		before, after := p.before, p.after
		change := VariableChange{Variable: p.name, Type: Changed}
		switch {
		case !p.had:
			change.Type = Added
		case !p.has:
			change.Type = Removed
		case reflect.DeepEqual(before, after):
			continue
		default:
			change.Fields = c.fields(before.shown(), after.shown())
			if before.Sensitive || after.Sensitive {
				change.Fields = hide(change.Fields)
			}
			change.Repave = b.repavedBy(p.name)
		}
		changes = append(changes, change)
	}
	return changes
}

// shown returns the fields of v.
func (v Variable) shown() map[string]any {
	m := map[string]any{}
	data, _ := json.Marshal(v) // holds nothing that JSON cannot
	_ = json.Unmarshal(data, &m)
	return m
}

// hide leaves the values out that only who may know the variable may see.
func hide(fields []ValueChange) []ValueChange {
	for i, f := range fields {
		if strings.HasPrefix(f.Path, "default") || strings.HasPrefix(f.Path, "options") {
			fields[i] = ValueChange{f.Path, mask(f.Old), mask(f.New)}
		}
	}
	return fields
}
