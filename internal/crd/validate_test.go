package crd

import (
	"fmt"
	"strings"
	"testing"
)

const gadgetSchema = `{type: object, required: [spec], properties: {
  spec: {type: object, required: [size, mode], properties: {
    size: {type: integer, minimum: 1, maximum: 9, format: int32},
    mode: {type: string, default: plain, enum: [plain, fancy]},
    name: {type: string, pattern: "^[a-z]+$", maxLength: 5},
    port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]},
    when: {type: string, format: date-time},
    note: {type: string, nullable: true},
    labels: {type: object, additionalProperties: {type: string}},
    free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}},
    parts: {type: array, minItems: 1, items: {type: object, required: [id], properties: {id: {type: string}, kind: {type: string, default: x}}}},
    template: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}}},
  status: {type: object}}}`

func TestValidator(t *testing.T) {
	t.Parallel()
	d := Read(parse(t, strings.Replace(definition, "{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}",
		"{name: v1, served: true, storage: true, schema: {openAPIV3Schema: "+strings.ReplaceAll(gadgetSchema, "\n", "\n    ")+"}}", 1)))
	v, err := d.Validator("v1")
	if err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]string{
		"{size: 3}":                             "",
		"{size: 3.0}":                           "",
		"{size: 3, mode: null}":                 "",
		"{size: 3, note: null}":                 "",
		"{size: 3, port: 80}":                   "",
		"{size: 3, port: http}":                 "",
		"{size: 3, labels: {a: b}}":             "",
		"{size: 3, free: {a: x, b: [1]}}":       "",
		"{size: 3, parts: [{id: a}]}":           "",
		"{size: 3, when: 2026-01-02T03:04:05Z}": "",
		"{size: 3, template: {apiVersion: v1, kind: X, metadata: {name: a}, spec: {}}}": "",

		"{}":                                ".spec.size: is required",
		"null":                              ".spec: is required",
		"{size: big}":                       `.spec.size: must be of type integer: "string"`,
		"{size: 0}":                         ".spec.size: should be greater than or equal to 1",
		"{size: 10}":                        ".spec.size: should be less than or equal to 9",
		"{size: 3, mode: other}":            ".spec.mode: should be one of [plain fancy]",
		"{size: 3, name: A}":                ".spec.name: should match '^[a-z]+$'",
		"{size: 3, name: abcdef}":           ".spec.name: should be at most 5 chars long",
		"{size: 3, port: true}":             ": \"spec.port\" must validate at least one schema (anyOf)\n.spec.port: must be of type integer,string",
		"{size: 3, when: tomorrow}":         ".spec.when: must be of type date-time",
		"{size: 3, labels: {a: 1}}":         ".spec.labels.a: must be of type string",
		"{size: 3, free: {a: 1}}":           ".spec.free.a: must be of type string",
		"{size: 3, parts: []}":              ".spec.parts: should have at least 1 items",
		"{size: 3, parts: [{kind: a}]}":     ".spec.parts[0].id: is required",
		"{size: 3, sise: 4}":                `.spec.sise: there is no such field, did you mean "size"?`,
		"{size: 3, parts: [{id: a, x: 1}]}": ".spec.parts[0].x: there is no such field",
		"{size: 3, template: {sepc: {}}}":   `.spec.template.sepc: there is no such field, did you mean "spec"?`,
	} {
		t.Run(spec, func(t *testing.T) {
			t.Parallel()
			o := parse(t, "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: a}\nspec: "+spec)
			var got []string
			for _, p := range v.Check(o) {
				got = append(got, p.Field+": "+p.Problem)
			}
			if text := strings.Join(got, "\n"); (text == "") != (want == "") || !strings.HasPrefix(text, want) {
				t.Errorf("problems are\n%s\nwant\n%s", text, want)
			}
			if before := fmt.Sprint(o.Object["spec"]); strings.Contains(before, "plain") {
				t.Errorf("checking changes the object: %s", before)
			}
		})
	}
	all := v.Check(parse(t, "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: a}\nspec: {size: x, mode: z, name: Z}"))
	if len(all) != 3 {
		t.Errorf("problems are %v, want all three", all)
	}
	if none, err := d.Validator("v9"); none != nil || err != nil {
		t.Errorf("the validator of no version is %v, %v", none, err)
	}
}
