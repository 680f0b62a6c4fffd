package reconcile

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/strata-go/strata/internal/kube"
)

// overlay returns an object with the fields of over laid over it. A list in over
// stands for the whole list.
func overlay(object, over *unstructured.Unstructured) *unstructured.Unstructured {
	laid, _ := laidIn(nil, runtime.DeepCopyJSON(object.Object), runtime.DeepCopyJSON(over.Object)).(map[string]any)
	return &unstructured.Unstructured{Object: laid}
}

// laidIn returns base with over laid over it, as an apply does: items of lists
// that held tells apart are merged. It changes base, and keeps parts of over.
func laidIn(held kube.Tree, base, over any) any {
	switch over := over.(type) {
	case map[string]any:
		into, ok := base.(map[string]any)
		if !ok {
			return over
		}
		for k, v := range over {
			into[k] = laidIn(held.Field(k), into[k], v)
		}
		return into
	case []any:
		into, ok := base.([]any)
		if !ok || len(over) == 0 || held.Name(over[0]) == "" {
			return over
		}
		return laidInList(held, into, over)
	}
	return over
}

func laidInList(held kube.Tree, base, over []any) []any {
	var out []any
	laid := map[int]bool{}
	for _, item := range base {
		name := held.Name(item)
		if i := kube.Find(over, name); i >= 0 && !laid[i] {
			laid[i], item = true, laidIn(held.Item(name), item, over[i])
		}
		out = append(out, item)
	}
	for i, item := range over {
		if !laid[i] {
			out = append(out, item)
		}
	}
	return out
}
