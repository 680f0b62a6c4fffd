package profile

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// variables compares the definitions of variables.
func (c *comparison) variables(a, b *Profile) []VariableChange {
	was, is := map[string]Variable{}, map[string]Variable{}
	for _, v := range a.Variables {
		was[v.Name] = v
	}
	for _, v := range b.Variables {
		is[v.Name] = v
	}
	all := maps.Clone(was)
	maps.Copy(all, is)
	var changes []VariableChange
	for _, name := range slices.Sorted(maps.Keys(all)) {
		before, had := was[name]
		after, has := is[name]
		change := VariableChange{Variable: name, Type: Changed}
		switch {
		case !had:
			change.Type = Added
		case !has:
			change.Type = Removed
		case reflect.DeepEqual(before, after):
			continue
		default:
			change.Fields = c.fields(before.shown(), after.shown())
			if before.Sensitive || after.Sensitive {
				change.Fields = hide(change.Fields)
			}
			change.Repave = b.repavedBy(name)
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
