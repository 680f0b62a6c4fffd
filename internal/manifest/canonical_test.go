package manifest_test

import (
	"reflect"
	"testing"

	"github.com/strata-go/strata/internal/manifest"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	const role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\n"
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
	tests := map[string]struct{ doc, want string }{
		"aggregated role": {
			role + "aggregationRule: {clusterRoleSelectors: []}\nrules: []\n",
			role + "aggregationRule: {clusterRoleSelectors: []}\n"},
		"role": {role + "rules: []\n", ""},
		"variable twice": {
			pod + `spec: {containers: [{name: a}, {name: b, env: [{name: x, value: "1"}, {name: y}, {name: x, value: "2"}]}]}`,
			pod + `spec: {containers: [{name: a}, {name: b, env: [{name: y}, {name: x, value: "2"}]}]}`},
		"in another's template": {
			"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {initContainers: [{env: [{name: x}, {name: x}]}]}}}",
			"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {initContainers: [{env: [{name: x}]}]}}}"},
		"variables": {pod + "spec: {containers: [{env: [{name: x}, {name: y}, {}, {}, null, text]}, text, {env: text}]}", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := parseOne(t, tt.doc)
			before := o.DeepCopy()
			want := before
			if tt.want != "" {
				want = parseOne(t, tt.want)
			}
			got, err := manifest.Canonical(o)
			if err != nil || !reflect.DeepEqual(got.Object, want.Object) {
				t.Errorf("got %v, %v; want %v", got.Object, err, want.Object)
			}
			if !reflect.DeepEqual(o, before) {
				t.Error("the given object was changed")
			}
		})
	}
}
