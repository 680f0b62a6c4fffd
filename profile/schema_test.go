package profile_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/profile"
)

// The schema accepts what Parse accepts, and refuses what is misspelled.
func TestSchema(t *testing.T) {
	t.Parallel()
	for name, schema := range map[string][]byte{"profile": profile.Schema(), "stack": profile.StackSchema()} {
		if file, err := os.ReadFile("schema/cluster" + name + ".json"); err != nil || !bytes.Equal(file, schema) {
			t.Errorf("the schema of a %s is not its file: %v", name, err)
		}
	}
	profiles, stacks := compileSchema(t, profile.Schema()), compileSchema(t, profile.StackSchema())
	plain := strings.ReplaceAll(addon, "{{ .spectro.var.replicas }}", "2")
	for _, tt := range []struct {
		name, text string
		schema     *jsonschema.Schema
		want       string // of the error; "" if there is to be none
	}{
		{"infrastructure", infra, profiles, ""},
		{"add-on", plain, profiles, ""},
		{"stack", stackText, stacks, ""},
		{"misspelled", strings.Replace(plain, "namespace:", "namspace:", 1), profiles, "'namspace' not allowed"},
		{"two sources", strings.Replace(plain, "helm: {chart: web}", "helm: {chart: web}\n    pack: {name: web}", 1), profiles, "oneOf"},
		{"no source", strings.Replace(plain, "helm: {chart: web}\n", "\n", 1), profiles, "oneOf"},
		{"no name", strings.Replace(plain, "- name: web\n    installOrder", "- installOrder", 1), profiles, "missing property 'name'"},
		{"kind of a layer", strings.Replace(infra, "kind: os", "kind: kernel", 1), profiles, "value must be one of 'os', 'kubernetes'"},
		{"other file", stackText, profiles, "value must be 'ClusterProfile'"},
		{"override", strings.Replace(stackText, "layer: web", "lyaer: web", 1), stacks, "'lyaer' not allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data, err := yaml.YAMLToJSON([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			err = tt.schema.Validate(value)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

func compileSchema(t *testing.T, schema []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}
