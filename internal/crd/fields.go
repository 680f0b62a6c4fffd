package crd

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/strata-go/strata/internal/nearest"
)

// setDefaults does to a value what the server does before it checks it: null
// goes where it is not allowed, and defaults come where nothing is.
func setDefaults(value any, schema map[string]any) {
	switch value := value.(type) {
	case map[string]any:
		for name, one := range object(schema["properties"]) {
			below := object(one)
			if now, ok := value[name]; ok && now == nil && below["nullable"] != true {
				delete(value, name)
			}
			if _, ok := value[name]; !ok && below["default"] != nil {
				value[name] = runtime.DeepCopyJSONValue(below["default"])
			}
			setDefaults(value[name], below)
		}
		if others := object(schema["additionalProperties"]); others != nil {
			for _, one := range value {
				setDefaults(one, others)
			}
		}
	case []any:
		for _, one := range value {
			setDefaults(one, object(schema["items"]))
		}
	}
}

// ofEveryObject are fields that need no schema.
var ofEveryObject = []string{"apiVersion", "kind", "metadata"} // constant

// unknown returns the fields of a value that its schema does not name.
func unknown(path string, value any, schema map[string]any) []Problem {
	var problems []Problem
	switch value := value.(type) {
	case map[string]any:
		properties := object(schema["properties"])
		for _, name := range slices.Sorted(maps.Keys(value)) {
			whole := path == "" || schema["x-kubernetes-embedded-resource"] == true
			if whole && slices.Contains(ofEveryObject, name) {
				continue
			}
			below, named := properties[name]
			switch others := schema["additionalProperties"]; {
			case named:
			case others == true, others == nil && schema[preserve] == true:
				continue
			case object(others) != nil:
				below = others
			default:
				problem := "there is no such field" + nearest.Hint(name, slices.Sorted(maps.Keys(properties)))
				problems = append(problems, Problem{path + "." + name, problem})
				continue
			}
			problems = append(problems, unknown(path+"."+name, value[name], object(below))...)
		}
	case []any:
		for i, one := range value {
			if items := object(schema["items"]); items != nil {
				problems = append(problems, unknown(fmt.Sprintf("%s[%d]", path, i), one, items)...)
			}
		}
	}
	return problems
}
