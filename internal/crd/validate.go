package crd

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	openapi "k8s.io/kube-openapi/pkg/validation/errors"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
)

// A Problem is what an object has that its definition does not allow.
type Problem struct {
	Field   string // ".spec.size"
	Problem string
}

// A Validator knows one version of a definition. It is safe for concurrent use.
type Validator struct {
	schema   *spec.Schema
	raw      map[string]any
	keepsAll bool
}

// Validator returns what checks objects of a version, or nil if the version has
// no schema.
func (d Definition) Validator(version string) (*Validator, error) {
	v := d.Version(version)
	if v == nil || v.Schema == nil {
		return nil, nil
	}
	data, err := json.Marshal(open(v.Schema))
	if err != nil {
		return nil, err
	}
	schema := new(spec.Schema)
	if err := json.Unmarshal(data, schema); err != nil {
		return nil, fmt.Errorf("%s: reading the schema of %s: %w", d.Name, version, err)
	}
	return &Validator{schema, v.Schema, d.Loose}, nil
}

// Check returns what is wrong with an object, as the API server would: types,
// required fields, enums, patterns, formats and bounds, after defaults are set.
// Rules in CEL (x-kubernetes-validations) are not checked. Fields that no schema
// names are problems too, as a server-side apply refuses them.
func (v *Validator) Check(o *unstructured.Unstructured) []Problem {
	object := runtime.DeepCopyJSON(o.Object)
	setDefaults(object, v.raw)
	var problems []Problem
	if !v.keepsAll {
		problems = unknown("", object, v.raw)
	}
	for _, err := range validate.NewSchemaValidator(v.schema, nil, "", strfmt.Default).Validate(object).Errors {
		problems = append(problems, problem(err))
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return strings.Compare(a.Field, b.Field) })
	return problems
}

func problem(err error) Problem {
	one, ok := errors.AsType[*openapi.Validation](err)
	if !ok {
		return Problem{"", err.Error()}
	}
	text := strings.TrimPrefix(err.Error(), fmt.Sprintf("%s in %s ", one.Name, one.In))
	return Problem{"." + strings.Trim(one.Name, "."), text}
}

// open returns a schema as the validator reads it, which knows JSON Schema
// without the extensions of Kubernetes.
func open(schema map[string]any) map[string]any {
	out := make(map[string]any, len(schema))
	for key, value := range schema {
		switch value := value.(type) {
		case map[string]any:
			switch key {
			case "properties", "patternProperties", "definitions":
				named := make(map[string]any, len(value))
				for name, one := range value {
					named[name] = open(object(one))
				}
				out[key] = named
			case "items", "additionalProperties", "not":
				out[key] = open(value)
			default:
				out[key] = value
			}
		case []any:
			out[key] = value
			if key == "allOf" || key == "anyOf" || key == "oneOf" {
				opened := make([]any, len(value))
				for i, one := range value {
					opened[i] = open(object(one))
				}
				out[key] = opened
			}
		default:
			out[key] = value
		}
	}
	delete(out, "$ref") // the server refuses it
	if schema[intOrString] == true {
		out["type"] = []any{"integer", "string"}
	}
	if format, _ := schema["format"].(string); !meant(typeOf(schema), format) {
		delete(out, "format")
	}
	return out
}

// meant reports whether a format means anything for a type.
func meant(t, format string) bool {
	switch t {
	case "string", "":
		return true
	case "integer":
		return format == "int32" || format == "int64"
	case "number":
		return format == "float" || format == "double"
	}
	return false
}
