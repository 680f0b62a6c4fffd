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

	"github.com/strata-go/strata/internal/kube"
)

// serverKept are fields of metadata that change with every write.
var serverKept = []string{"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"}

// compare returns the fields in which two states of an object differ, sorted.
// Lists are compared item by item. The content of Secrets is not shown.
func compare(old, now *unstructured.Unstructured) []Change {
	var changes []Change
	managed := old.GetManagedFields()
	for _, d := range differences(old, now) {
		c := d.change(now)
		if d.old != nil {
			c.Owners = owners(kube.Holders(managed, old.Object, d.path))
		}
		changes = append(changes, c)
	}
	return changes
}

func owners(holders []metav1.ManagedFieldsEntry) []FieldOwner {
	var all []FieldOwner
	for _, e := range holders {
		one := FieldOwner{Manager: e.Manager}
		if e.Time != nil {
			one.Time = e.Time.UTC()
		}
		all = append(all, one)
	}
	return all
}

// A difference is a field in which two states of an object differ.
type difference struct {
	path     kube.Path
	old, now any // nil if the field is missing
}

// change returns d for people. The content of Secrets is not shown.
func (d difference) change(of *unstructured.Unstructured) Change {
	c := Change{Field: d.path.String(), Old: text(d.old), New: text(d.now)}
	if of.GetKind() == "Secret" && of.GroupVersionKind().Group == "" && d.path[0].Name != "metadata" {
		c.Old, c.New = hidden(c.Old), hidden(c.New)
	}
	return c
}

// differences returns the fields in which two states of an object differ,
// sorted.
func differences(old, now *unstructured.Unstructured) []difference {
	var all []difference
	held := kube.TreeOf(slices.Concat(old.GetManagedFields(), now.GetManagedFields()))
	differ(place{held: held}, withoutServerKept(old), withoutServerKept(now), func(d difference) { all = append(all, d) })
	return all
}

// A place is a field, and what managers hold there.
type place struct {
	path kube.Path
	held kube.Tree
}

func (p place) field(name string) place { return place{p.path.Field(name), p.held.Field(name)} }

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
func differ(at place, a, b any, add func(difference)) {
	am, aok := a.(map[string]any)
	bm, bok := b.(map[string]any)
	if aok && bok || a == nil && len(bm) > 0 || b == nil && len(am) > 0 {
		keys := map[string]any{}
		maps.Copy(keys, am)
		maps.Copy(keys, bm)
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			differ(at.field(k), am[k], bm[k], add)
		}
		return
	}
	al, aok := a.([]any)
	bl, bok := b.([]any)
	if aok && bok && (differKeyed(at, al, bl, add) || differItems(at.path, al, bl, add)) {
		return
	}
	if !reflect.DeepEqual(a, b) {
		add(difference{at.path, a, b})
	}
}

// differKeyed compares two lists as the API server does that tells their items
// apart, wherever they are, and reports whether it does.
func differKeyed(at place, a, b []any, add func(difference)) bool {
	an, bn := byKeys(at.held, a), byKeys(at.held, b)
	if an == nil || bn == nil {
		return false
	}
	all := maps.Clone(bn)
	maps.Copy(all, an)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		i, before := an[name]
		j, after := bn[name]
		switch {
		case !after:
			add(difference{at.path.Keyed(i, a[i], name), a[i], nil})
		case !before:
			add(difference{at.path.Keyed(j, b[j], name), nil, b[j]})
		default:
			differ(place{at.path.Keyed(i, a[i], name), at.held.Item(name)}, a[i], b[j], add)
		}
	}
	return true
}

// byKeys returns where the items of a list are, by how the API server names
// them, or nil if it does not.
func byKeys(held kube.Tree, list []any) map[string]int {
	names := make(map[string]int, len(list))
	for i, item := range list {
		name := held.Name(item)
		if _, twice := names[name]; twice || name == "" {
			return nil
		}
		names[name] = i
	}
	return names
}

// differItems compares two lists item by item, and reports whether it can: they
// are of the same length, or all items have names.
func differItems(path kube.Path, a, b []any, add func(difference)) bool {
	if len(a) == len(b) {
		for i := range a {
			at := path.Item(i, a[i])
			if at[len(path)].Name != path.Item(i, b[i])[len(path)].Name {
				at[len(path)].Name = ""
			}
			differ(place{path: at}, a[i], b[i], add)
		}
		return true
	}
	an, bn := byName(path, a), byName(path, b)
	if an == nil || bn == nil {
		return false
	}
	all := maps.Clone(an)
	maps.Copy(all, bn) // where b has the item counts: that is where it shall be
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var before, after any
		if i, ok := an[name]; ok {
			before = a[i]
		}
		if i, ok := bn[name]; ok {
			after = b[i]
		}
		at := path.Item(all[name], map[string]any{"name": name})
		if before == nil || after == nil {
			add(difference{at, before, after})
		} else {
			differ(place{path: at}, before, after, add)
		}
	}
	return true
}

// byName returns where the items of a list are, by their names, or nil if some
// have none of their own.
func byName(path kube.Path, list []any) map[string]int {
	names := make(map[string]int, len(list))
	for i, item := range list {
		name := path.Item(i, item)[len(path)].Name
		if _, twice := names[name]; twice || name == "" {
			return nil
		}
		names[name] = i
	}
	return names
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
