package profile

import (
	"bytes"
	"encoding/json"
)

// A formSchema is a JSON Schema (draft 2020-12) of the values that a cluster
// gives, with what forms need besides.
type formSchema struct {
	Schema               string           `json:"$schema"`
	Type                 string           `json:"type"`
	Properties           map[string]field `json:"properties"`
	Required             []string         `json:"required,omitempty"`
	AdditionalProperties bool             `json:"additionalProperties"`
}

// A field is the schema of one variable.
type field struct {
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Default     *string  `json:"default,omitempty"`
	Format      string   `json:"format,omitempty"`
	Encoding    string   `json:"contentEncoding,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
	AllOf       []match  `json:"allOf,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	OneOf       []choice `json:"oneOf,omitempty"`
	Const       *string  `json:"const,omitempty"`
	ReadOnly    bool     `json:"readOnly,omitempty"`
	WriteOnly   bool     `json:"writeOnly,omitempty"`
	// What JSON Schema has no words for.
	Order  int       `json:"x-order"`
	Input  InputType `json:"x-input"`
	Hidden bool      `json:"x-hidden,omitempty"`
}

type match struct {
	Pattern string `json:"pattern"`
}

type choice struct {
	Const       string `json:"const"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

// VariableSchema returns a JSON Schema (draft 2020-12) of [Stack.Variables] for
// forms: an object with a property for each variable of the stack, all of them
// strings. Beside the words of JSON Schema, "x-order" is the place in the form,
// "x-input" the [InputType], and "x-hidden" says that the form leaves it out.
// Defaults of sensitive variables are not in it.
//
// A regex is given as it is: RE2 and the expressions of JavaScript differ in
// little. [Variable.Check] has the last word.
func (s *Stack) VariableSchema() ([]byte, error) {
	schema := formSchema{Schema: "https://json-schema.org/draft/2020-12/schema", Type: "object", Properties: map[string]field{}}
	for _, p := range s.sorted() {
		for _, v := range p.Variables {
			if _, known := schema.Properties[v.Name]; known {
				continue
			}
			schema.Properties[v.Name] = v.field(len(schema.Properties))
			if v.Required && v.Value() == "" {
				schema.Required = append(schema.Required, v.Name)
			}
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(schema)
	return b.Bytes(), err
}

// VariableSchema is [Stack.VariableSchema] of p alone.
func (p *Profile) VariableSchema() ([]byte, error) {
	return (&Stack{Profiles: []*Profile{p}}).VariableSchema()
}

// field returns the schema of v, at a place in the form.
func (v Variable) field(order int) field {
	f := field{Type: "string", Title: v.DisplayName, Description: v.Description, Order: order, Input: v.InputType, Hidden: v.Hidden, Pattern: v.Regex}
	if f.Title == "" {
		f.Title = v.Name
	}
	if f.Input == "" {
		f.Input = InputText
	}
	pattern := ""
	switch v.Format { //nolint:exhaustive // text has no pattern
	case FormatNumber:
		pattern = numberPattern
	case FormatBoolean:
		f.Enum = []string{"true", "false"}
	case FormatIPv4, FormatIPv6:
		f.Format = string(v.Format)
	case FormatIPv4CIDR:
		pattern = ipv4cidrPattern
	case FormatVersion:
		pattern = versionPattern
	case FormatBase64:
		f.Encoding, pattern = "base64", base64Pattern
	}
	switch {
	case pattern != "" && v.Regex != "":
		f.Pattern, f.AllOf = "", []match{{pattern}, {v.Regex}}
	case pattern != "":
		f.Pattern = pattern
	}
	for _, o := range v.Options {
		if o.Label == "" {
			o.Label = o.Value
		}
		f.OneOf = append(f.OneOf, choice{o.Value, o.Label, o.Description})
	}
	f.ReadOnly, f.WriteOnly = v.Immutable, v.Sensitive
	if value := v.Value(); v.Sensitive {
		if f.Format == "" {
			f.Format = "password"
		}
	} else if value != "" {
		f.Default = &value
		if v.Immutable {
			f.Const = &value
		}
	}
	return f
}
