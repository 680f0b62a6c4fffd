package crd

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := o.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return o
}

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions:
  - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
  - {name: v2, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}
status: {storedVersions: [v1]}
`

func check(t *testing.T, got []Finding, want string) {
	t.Helper()
	var lines []string
	for _, f := range got {
		lines = append(lines, f.Path+": "+f.Problem)
	}
	switch text := strings.Join(lines, "\n"); {
	case want == "" && len(got) > 0:
		t.Errorf("findings are\n%s\nwant none", text)
	case want != "" && len(got) != 1, !strings.HasPrefix(text, want):
		t.Errorf("findings are\n%s\nwant one that begins with\n%s", text, want)
	}
}

func TestCompareVersions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ old, new, want string }{
		"nothing":                       {"x", "x", ""},
		"a version comes":               {"  - {name: v2,", "  - {name: v3, served: true, storage: false}\n  - {name: v2,", ""},
		"a version begins to be served": {"v2, served: false", "v2, served: true", ""},
		"it holds objects":              {"  - {name: v1,", "  - {name: v3,", ".spec.versions[v1]: it is removed, and objects may be stored in it"},
		"it was served":                 {"  - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}\n", "", ".spec.versions[v1beta1]: it is removed, and was served"},
		"it was not served":             {"  - {name: v2, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}\n", "", ""},
		"no longer served":              {"v1beta1, served: true", "v1beta1, served: false", ".spec.versions[v1beta1].served: it is no longer served"},
		"scope":                         {"Namespaced", "Cluster", `.spec.scope: it was "Namespaced" and is to be "Cluster"`},
		"kind":                          {"Gadget,", "Widget,", `.spec.names.kind: it was "Gadget"`},
		"plural":                        {"plural: gadgets", "plural: widgets", `.spec.names.plural: it was "gadgets"`},
		"group":                         {"group: example.com", "group: example.org", ".spec.group"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := strings.Replace(definition, tt.old, tt.new, 1)
			got := Compare(Read(parse(t, definition)), Read(parse(t, after)))
			if name == "it holds objects" { // that v3 is stored in its place is another
				got = got[:1]
			}
			check(t, got, tt.want)
		})
	}
}

func TestCompareStorage(t *testing.T) {
	t.Parallel()
	store := func(version string) Definition {
		d := Read(parse(t, definition))
		for i := range d.Versions {
			d.Versions[i].Storage = d.Versions[i].Name == version
		}
		return d
	}
	check(t, Compare(store("v1"), store("v1beta1")), "")
	check(t, Compare(store("v1"), store("v2")), ".spec.versions: objects were stored as v1 and are to be stored as v2, which was not served so far")
}

func TestCompareLooseDefinition(t *testing.T) {
	t.Parallel()
	loose := Read(parse(t, strings.Replace(definition, "scope:", "preserveUnknownFields: true\n  scope:", 1)))
	check(t, Compare(loose, Read(parse(t, definition))), ".spec.preserveUnknownFields: fields that no schema names are no longer kept")
	check(t, Compare(Read(parse(t, definition)), loose), "")
}

func TestCompareSchemas(t *testing.T) {
	t.Parallel()
	const root = ".spec.versions[v1].schema.openAPIV3Schema"
	for name, tt := range map[string]struct{ old, new, want string }{
		"the same":                   {"{type: string}", "{type: string}", ""},
		"described":                  {"{type: string}", "{type: string, description: x, default: a}", ""},
		"another type":               {"{type: string}", "{type: integer}", ".type: it was string and is to be integer"},
		"a type at last":             {"{}", "{type: integer}", ".type: it was any and is to be integer"},
		"any type":                   {"{type: string}", "{x-kubernetes-preserve-unknown-fields: true}", ""},
		"a wider type":               {"{type: integer}", "{type: number}", ""},
		"a narrower type":            {"{type: number}", "{type: integer}", ".type: it was number and is to be integer"},
		"also a string":              {"{type: integer}", "{x-kubernetes-int-or-string: true}", ""},
		"only a string":              {"{x-kubernetes-int-or-string: true}", "{type: string}", ".type: it was int-or-string and is to be string"},
		"null allowed":               {"{type: string}", "{type: string, nullable: true}", ""},
		"null forbidden":             {"{type: string, nullable: true}", "{type: string}", ".nullable: null is no longer allowed"},
		"larger enum":                {"{type: string, enum: [a]}", "{type: string, enum: [b, a]}", ""},
		"smaller enum":               {"{type: string, enum: [a, b, c]}", "{type: string, enum: [a]}", `.enum: no longer allowed are "b", "c"`},
		"new enum":                   {"{type: string}", "{type: string, enum: [a]}", `.enum: only "a" are allowed from now on`},
		"enum gone":                  {"{type: string, enum: [a]}", "{type: string}", ""},
		"larger maximum":             {"{type: integer, maximum: 5}", "{type: integer, maximum: 6}", ""},
		"smaller maximum":            {"{type: integer, maximum: 5}", "{type: integer, maximum: 4}", ".maximum: it was 5 and is to be 4"},
		"new maximum":                {"{type: integer}", "{type: integer, maximum: 4}", ".maximum: it is bounded from now on, by 4"},
		"smaller minimum":            {"{type: integer, minimum: 5}", "{type: integer, minimum: 4}", ""},
		"larger minimum":             {"{type: integer, minimum: 5}", "{type: integer, minimum: 6.5}", ".minimum: it was 5 and is to be 6.5"},
		"new minimum of zero":        {"{type: integer}", "{type: integer, minimum: 0}", ".minimum"},
		"new least length of zero":   {"{type: string}", "{type: string, minLength: 0}", ""},
		"new least length":           {"{type: string}", "{type: string, minLength: 1}", ".minLength"},
		"shorter":                    {"{type: string, maxLength: 9}", "{type: string, maxLength: 8}", ".maxLength"},
		"fewer items":                {"{type: array, items: {}}", "{type: array, items: {}, maxItems: 3}", ".maxItems"},
		"more properties":            {"{type: object}", "{type: object, minProperties: 1}", ".minProperties"},
		"exclusive":                  {"{type: integer, maximum: 5}", "{type: integer, maximum: 5, exclusiveMaximum: true}", ".exclusiveMaximum: it holds from now on"},
		"multiples":                  {"{type: integer}", "{type: integer, multipleOf: 5}", ".multipleOf"},
		"unique":                     {"{type: array}", "{type: array, uniqueItems: true}", ".uniqueItems"},
		"new pattern":                {"{type: string}", "{type: string, pattern: ^a$}", ".pattern: it was not set and is to be \"^a$\""},
		"another pattern":            {"{type: string, pattern: ^a}", "{type: string, pattern: ^a$}", `.pattern: it was "^a"`},
		"pattern gone":               {"{type: string, pattern: ^a}", "{type: string}", ""},
		"new format":                 {"{type: string}", "{type: string, format: date-time}", ".format"},
		"format of numbers":          {"{type: number}", "{type: number, format: double}", ""},
		"smaller integers":           {"{type: integer}", "{type: integer, format: int32}", ".format"},
		"list becomes a set":         {"{type: array, items: {type: string}}", "{type: array, items: {type: string}, x-kubernetes-list-type: set}", ".x-kubernetes-list-type"},
		"list is atomic":             {"{type: array, items: {type: string}}", "{type: array, items: {type: string}, x-kubernetes-list-type: atomic}", ""},
		"new property":               {"{type: object, properties: {a: {type: string}}}", "{type: object, properties: {a: {type: string}, b: {type: string}}}", ""},
		"property gone":              {"{type: object, properties: {a: {type: string}}}", "{type: object}", ".properties.a: it is removed"},
		"property gone, but kept":    {"{type: object, properties: {a: {type: string}}}", "{type: object, x-kubernetes-preserve-unknown-fields: true}", ""},
		"property among others":      {"{type: object, properties: {a: {type: string}}}", "{type: object, additionalProperties: {type: string}}", ""},
		"property unlike the others": {"{type: object, properties: {a: {type: string}}}", "{type: object, additionalProperties: {type: integer}}", ".properties.a.type"},
		"property is otherwise":      {"{type: object, properties: {a: {type: string}}}", "{type: object, properties: {a: {type: boolean}}}", ".properties.a.type"},
		"newly required":             {"{type: object, properties: {a: {type: string}}}", "{type: object, required: [a], properties: {a: {type: string}}}", `.required: "a" is required from now on`},
		"required with a default":    {"{type: object, properties: {a: {type: string}}}", "{type: object, required: [a], properties: {a: {type: string, default: x}}}", ""},
		"no longer required":         {"{type: object, required: [a], properties: {a: {type: string}}}", "{type: object, properties: {a: {type: string}}}", ""},
		"unknown fields go":          {"{type: object, x-kubernetes-preserve-unknown-fields: true}", "{type: object}", ".x-kubernetes-preserve-unknown-fields"},
		"what was free gets a type":  {"{type: object, x-kubernetes-preserve-unknown-fields: true}", "{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}}", ".properties.a: objects may have had anything there"},
		"a whole object":             {"{type: object}", "{type: object, x-kubernetes-embedded-resource: true}", ".x-kubernetes-embedded-resource"},
		"other names forbidden":      {"{type: object, additionalProperties: {type: string}}", "{type: object}", ".additionalProperties: names"},
		"other values":               {"{type: object, additionalProperties: {type: string}}", "{type: object, additionalProperties: {type: integer}}", ".additionalProperties.type"},
		"values get a type":          {"{type: object, additionalProperties: true}", "{type: object, additionalProperties: {type: integer}}", ".additionalProperties.type"},
		"items":                      {"{type: array, items: {type: string}}", "{type: array, items: {type: string, maxLength: 3}}", ".items.maxLength"},
		"items get a type":           {"{type: array}", "{type: array, items: {type: string}}", ".items.type"},
		"one of":                     {"{type: object}", "{type: object, oneOf: [{required: [a]}]}", ".oneOf"},
		"none of":                    {"{type: object, oneOf: [{required: [a]}]}", "{type: object}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			with := func(schema string) Definition {
				return Read(parse(t, strings.Replace(definition, "{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}",
					"{name: v1, served: true, storage: true, schema: {openAPIV3Schema: "+schema+"}}", 1)))
			}
			want := tt.want
			if want != "" {
				want = root + want
			}
			check(t, Compare(with(tt.old), with(tt.new)), want)
		})
	}
}
