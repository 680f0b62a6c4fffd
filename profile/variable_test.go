package profile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

func TestVariableRules(t *testing.T) {
	t.Parallel()
	options := []profile.Option{{Value: "small", Label: "S"}, {Value: "large", Default: true}}
	for _, tt := range []struct {
		name      string
		variables []profile.Variable
		want      string // "" is valid
	}{
		{"all fields", []profile.Variable{{Name: "a", DisplayName: "A", Description: "d", Format: profile.FormatString, InputType: profile.InputDropdown, Options: options, Regex: "l", Required: true, Hidden: true, Immutable: true, Sensitive: true}}, ""},
		{"hidden and required", []profile.Variable{{Name: "a", Hidden: true, Required: true}}, "spec.variables[0].default: is missing; nobody is asked for a hidden variable"},
		{"immutable", []profile.Variable{{Name: "a", Immutable: true}}, "spec.variables[0].default: is missing; an immutable variable has no other value"},
		{"default among the options", []profile.Variable{{Name: "a", InputType: profile.InputDropdown, Options: options[:1], Default: "tiny"}}, `"tiny" is none of the options (small)`},
		{"two defaults", []profile.Variable{{Name: "a", InputType: profile.InputDropdown, Options: options, Default: "small"}}, "options[1].default: is true, but the default of the variable is another"},
		{"two options", []profile.Variable{{Name: "a", InputType: profile.InputDropdown, Options: append(options, options[0])}}, "options[2].value: is also the value of options[0]"},
		{"options of the format", []profile.Variable{{Name: "a", InputType: profile.InputDropdown, Format: profile.FormatNumber, Options: options[:1]}}, `options[0].value: "small" is not of format number`},
		{"no options", []profile.Variable{{Name: "a", InputType: profile.InputDropdown}}, "options: is empty; a dropdown has at least one option"},
		{"options of a text", []profile.Variable{{Name: "a", Options: options}}, "options: is set, but inputType is not dropdown"},
		{"input type", []profile.Variable{{Name: "a", InputType: "list"}}, `inputType: is "list"; want text, dropdown or multiline`},
		{"display names", []profile.Variable{{Name: "a", DisplayName: "A"}, {Name: "b", DisplayName: "A"}}, `spec.variables[1].displayName: "A" is also the displayName of spec.variables[0]`},
		{"regex", []profile.Variable{{Name: "a", Regex: "("}}, "spec.variables[0].regex: error parsing regexp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := addOnPacks("")
			p.Variables = tt.variables
			err := p.Validate()
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for format, values := range map[profile.Format][2][]string{
		profile.FormatNumber:   {{"0", "-1", "1.5", "+2e3", ".5"}, {"", "NaN", "Inf", "0x10", "1_0", "1,5"}},
		profile.FormatBoolean:  {{"true", "false"}, {"True", "yes", "1", "0", ""}},
		profile.FormatIPv4CIDR: {{"10.0.0.0/8"}, {"10.0.0.0/33", "::/8"}},
		profile.FormatIPv6:     {{"::1"}, {"fe80::1%eth0", "1.2.3.4"}},
		profile.FormatVersion:  {{"1.2.3", "1.2.3-rc.1+b"}, {"1.2", "v1.2.3", "2.2.2.develop"}},
		profile.FormatBase64:   {{"", "YQ==", "YWJj"}, {"YQ", "YQ=\n=", "Y!=="}},
	} {
		for _, value := range values[0] {
			if err := (profile.Variable{Format: format}).Check(value); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
		for _, value := range values[1] {
			if err := (profile.Variable{Format: format}).Check(value); err == nil {
				t.Errorf("%s takes %q", format, value)
			}
		}
	}
}

// All that is wrong with the values of a cluster is said at once.
func TestVariablesReportAll(t *testing.T) {
	t.Parallel()
	p := addOnPacks("")
	p.Variables = []profile.Variable{
		{Name: "a", Format: profile.FormatNumber, Regex: "^[0-9]$"},
		{Name: "b", Required: true},
		{Name: "c", Immutable: true, Default: "fixed"},
		{Name: "d", Sensitive: true, InputType: profile.InputDropdown, Options: []profile.Option{{Value: "hunter1"}}},
	}
	s := &profile.Stack{Profiles: []*profile.Profile{p}, Variables: map[string]string{"a": "ten", "c": "other", "d": "hunter2", "e": "x"}}
	_, err := s.Resolve(t.Context(), anyVersion, nil)
	if !errors.Is(err, profile.ErrVariable) {
		t.Fatalf("error = %v", err)
	}
	for _, want := range []string{
		`"ten" is not of format number`, `"ten" does not match regex`, `variable "b" is required`, `variable "c": it is immutable`,
		`variable "d": the value given (sensitive) is none of the options`, "variables.e: no profile of the stack has this variable",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter") {
		t.Errorf("the error shows a sensitive value: %v", err)
	}
	s.Variables = map[string]string{"b": "x", "c": "fixed"}
	if _, err := s.Resolve(t.Context(), anyVersion, nil); err != nil {
		t.Errorf("giving an immutable variable its own value: %v", err)
	}
}

func TestUses(t *testing.T) {
	t.Parallel()
	p := addOnPacks("# {{ .spectro.var.y }}\na: {{ .spectro.var.x }}\nb: '{{ .spectro.var.x }}{{ upper .spectro.var.y }}'\n", "c: {{ .spectro.var.x }}")
	p.Layers[1].AttachedManifests = []layer.Manifest{{Name: "m", Content: "kind: {{ .spectro.var.x }}\n"}}
	p.Variables = []profile.Variable{{Name: "y"}, {Name: "unused"}, {Name: "x"}}
	if got := fmt.Sprint(p.Uses()); got != "[{y la 1} {x la 2} {x lb 2}]" {
		t.Errorf("Uses = %s", got)
	}
}

func TestVariableSchema(t *testing.T) {
	t.Parallel()
	p := addOnPacks("")
	p.Variables = []profile.Variable{
		{Name: "size", DisplayName: "Size", InputType: profile.InputDropdown, Options: []profile.Option{{Value: "s", Label: "Small"}, {Value: "l", Default: true}}},
		{Name: "port", Format: profile.FormatNumber, Regex: "^[0-9]+$", Required: true},
		{Name: "token", Sensitive: true, Default: "s3cret", Required: true},
		{Name: "fixed", Immutable: true, Hidden: true, Default: "1.2.3", Format: profile.FormatVersion},
	}
	data, err := p.VariableSchema()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "s3cret") {
		t.Error("the schema shows a sensitive default")
	}
	var schema struct {
		Required   []string
		Properties map[string]map[string]any
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(schema.Required) != "[port]" {
		t.Errorf("required are %v", schema.Required)
	}
	for _, tt := range []struct{ property, keyword, want string }{
		{"size", "oneOf", "[map[const:s title:Small] map[const:l title:l]]"},
		{"size", "title", "Size"}, {"size", "default", "l"}, {"size", "x-order", "0"}, {"size", "x-input", "dropdown"},
		{"port", "allOf", "[map[pattern:^[-+]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][-+]?[0-9]+)?$] map[pattern:^[0-9]+$]]"},
		{"token", "writeOnly", "true"}, {"token", "format", "password"}, {"token", "default", "<nil>"},
		{"fixed", "const", "1.2.3"}, {"fixed", "readOnly", "true"}, {"fixed", "x-hidden", "true"}, {"fixed", "x-order", "3"},
	} {
		if got := fmt.Sprint(schema.Properties[tt.property][tt.keyword]); got != tt.want {
			t.Errorf("%s of %s is %s, want %s", tt.keyword, tt.property, got, tt.want)
		}
	}
}
