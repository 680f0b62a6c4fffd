package manifest

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Canonical returns o as it can be applied server-side and still means what was
// written. An object that is so already is returned as it is. What differs:
//
//   - The stringData of a Secret is in its data, see [FoldStringData].
//   - A ClusterRole that aggregates others has no rules of its own: a controller
//     fills them in, and whoever applies some stands in its way.
//   - A variable that a container sets twice is set once, as the last one says:
//     that is the one which counts, and an apply with both is refused.
//
// The errors are those of FoldStringData.
func Canonical(o Object) (Object, error) {
	o, err := FoldStringData(o)
	if err != nil {
		return o, err
	}
	if o.GroupVersionKind().Group == "rbac.authorization.k8s.io" && o.GetKind() == "ClusterRole" && o.Object["aggregationRule"] != nil && o.Object["rules"] != nil {
		o = o.DeepCopy()
		delete(o.Object, "rules")
	}
	var repeated bool
	EachContainer(o.Object, func(c map[string]any) { repeated = repeated || len(lastOfEach(c)) < len(variables(c)) })
	if repeated {
		o = o.DeepCopy()
		EachContainer(o.Object, func(c map[string]any) {
			if variables(c) != nil {
				c["env"] = lastOfEach(c)
			}
		})
	}
	return o, nil
}

func variables(container map[string]any) []any {
	env, _ := container["env"].([]any)
	return env
}

// lastOfEach returns the variables of a container without those that a later
// one of the same name replaces.
func lastOfEach(container map[string]any) []any {
	env := variables(container)
	last := map[string]int{}
	for i, v := range env {
		last[variableName(v)] = i
	}
	var kept []any
	for i, v := range env {
		if name := variableName(v); name == "" || last[name] == i {
			kept = append(kept, v)
		}
	}
	return kept
}

func variableName(v any) string {
	variable, _ := v.(map[string]any)
	name, _, _ := unstructured.NestedString(variable, "name")
	return name
}
