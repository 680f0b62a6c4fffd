package reconcile

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// serverKept are fields of metadata that change with every write.
var serverKept = []string{"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"}

// compare returns the fields in which two states of an object differ, sorted.
// Lists are compared item by item. The content of Secrets is not shown.
func compare(old, now *unstructured.Unstructured) []Change {
	var changes []Change
	add := func(field string, a, b any) {
		changes = append(changes, Change{field, text(a), text(b)})
	}
	a, b := withoutServerKept(old), withoutServerKept(now)
	differ("", a, b, add)
	if old.GetKind() == "Secret" && old.GroupVersionKind().Group == "" {
		for i := range changes {
			if strings.HasPrefix(changes[i].Field, ".metadata.") {
				continue
			}
			changes[i].Old, changes[i].New = hidden(changes[i].Old), hidden(changes[i].New)
		}
	}
	return changes
}

func withoutServerKept(o *unstructured.Unstructured) map[string]any {
	top := maps.Clone(o.Object)
	delete(top, "status")
	if meta, ok := top["metadata"].(map[string]any); ok {
		meta = maps.Clone(meta)
		for _, f := range serverKept {
			delete(meta, f)
		}
		top["metadata"] = meta
	}
	return top
}

// differ calls add for each leaf in which a and b differ.
func differ(path string, a, b any, add func(string, any, any)) {
	am, aok := a.(map[string]any)
	bm, bok := b.(map[string]any)
	if aok && bok {
		keys := maps.Clone(am)
		maps.Copy(keys, bm)
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			differ(path+"."+k, am[k], bm[k], add)
		}
		return
	}
	al, aok := a.([]any)
	bl, bok := b.([]any)
	if aok && bok && len(al) == len(bl) {
		for i := range al {
			differ(fmt.Sprintf("%s[%d]", path, i), al[i], bl[i], add)
		}
		return
	}
	if !reflect.DeepEqual(a, b) {
		add(path, a, b)
	}
}

func text(v any) string {
	if v == nil {
		return ""
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

func hidden(s string) string {
	if s == "" {
		return ""
	}
	return "(sensitive)"
}

func metadataOf(o *unstructured.Unstructured) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Name: o.GetName(), Namespace: o.GetNamespace(), UID: o.GetUID(), Labels: o.GetLabels(),
		Annotations: o.GetAnnotations(), ManagedFields: o.GetManagedFields(),
	}}
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(quoted, ", ")
}
