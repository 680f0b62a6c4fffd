package kube

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
)

// Annotators returns the managers, without ourselves, that hold an annotation of
// an object as a whole, and not of a subresource.
func Annotators(managed []metav1.ManagedFieldsEntry, annotation string) []string {
	var names []string
	for _, e := range managed {
		tree := fieldTree(e)
		for _, key := range []string{"f:metadata", "f:annotations", "f:" + annotation} {
			tree, _ = tree[key].(map[string]any)
		}
		if tree != nil && e.Manager != Manager && !slices.Contains(names, e.Manager) {
			names = append(names, e.Manager)
		}
	}
	return names
}

// fieldTree returns the fields of an entry; nil if it is of a subresource.
func fieldTree(e metav1.ManagedFieldsEntry) map[string]any {
	var tree map[string]any
	if e.FieldsV1 == nil || e.Subresource != "" || json.Unmarshal(e.FieldsV1.GetRawBytes(), &tree) != nil {
		return nil
	}
	return tree
}

// HandOver makes us the manager of all fields that other managers hold, as if we
// had applied them. Nothing else of the object changes. The next [Client.Apply]
// then removes what it does not set: so an object goes over from a tool that
// updates to one that applies.
func (c *Client) HandOver(ctx context.Context, r Resource, ref Ref, managers []string) error {
	o, err := c.GetMetadata(ctx, r, ref)
	if err != nil {
		return err
	}
	for i, e := range o.ManagedFields {
		if slices.Contains(managers, e.Manager) && e.Subresource == "" {
			o.ManagedFields[i].Operation = metav1.ManagedFieldsOperationUpdate // the only ones that are looked at
		}
	}
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(o, sets.New(managers...), Manager)
	if err != nil || patch == nil {
		return err
	}
	_, err = c.meta(r, ref.Namespace).Patch(ctx, ref.Name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: Manager})
	return c.wrap(ref, "taking over", err)
}

// Become returns what the server would make of an object if its content were that
// of then: it fills in what is missing, as it does after every write.
func (c *Client) Become(ctx context.Context, r Resource, now, then *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value,omitempty"`
	}
	var patch []operation
	set := func(under string, now, then map[string]any, keys ...string) {
		for _, key := range keys {
			value, wanted := then[key]
			_, there := now[key]
			path := under + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
			if wanted {
				patch = append(patch, operation{"add", path, value})
			} else if there {
				patch = append(patch, operation{Op: "remove", Path: path})
			}
		}
	}
	keys := map[string]any{}
	maps.Copy(keys, now.Object)
	maps.Copy(keys, then.Object)
	for _, served := range []string{"apiVersion", "kind", "metadata", "status"} {
		delete(keys, served)
	}
	set("", now.Object, then.Object, slices.Sorted(maps.Keys(keys))...)
	was, _ := now.Object["metadata"].(map[string]any)
	is, _ := then.Object["metadata"].(map[string]any)
	set("/metadata", was, is, "annotations", "labels")
	data, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	ref := RefOf(now)
	o, err := c.resource(r, ref.Namespace).Patch(ctx, ref.Name, types.JSONPatchType, data, metav1.PatchOptions{FieldManager: Manager, DryRun: []string{metav1.DryRunAll}})
	return o, c.wrap(ref, "trying to take over", err)
}

// Shed returns an object, as it is after being applied by force, without the
// fields that the given managers held before and nobody holds after them. It is
// what [Client.HandOver] and an apply make of it, but for what the server then
// fills in, which [Client.Become] tells. The object is not changed.
func Shed(object map[string]any, before, after []metav1.ManagedFieldsEntry, managers []string) map[string]any {
	var kept []map[string]any
	for _, e := range after {
		if tree := fieldTree(e); tree != nil && !slices.Contains(managers, e.Manager) {
			kept = append(kept, tree)
		}
	}
	for _, e := range before {
		if slices.Contains(managers, e.Manager) {
			object, _ = shed(object, fieldTree(e), kept).(map[string]any)
		}
	}
	return object
}

// shed removes from v what the tree lost names and none of kept does.
func shed(v any, lost map[string]any, kept []map[string]any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, child := range v {
			if child, stays := shedOne(child, "f:"+name, lost, kept); stays {
				out[name] = child
			}
		}
		return out
	case []any:
		var out []any
		for _, item := range v {
			if item, stays := shedOne(item, keyIn(lost, item), lost, kept); stays {
				out = append(out, item)
			}
		}
		return out
	}
	return v
}

func shedOne(v any, key string, lost map[string]any, kept []map[string]any) (any, bool) {
	below, ok := lost[key].(map[string]any)
	if !ok {
		return v, true
	}
	var keeping []map[string]any
	for _, k := range kept {
		if sub, ok := k[key].(map[string]any); ok {
			if len(sub) == 0 {
				return v, true // all of it
			}
			keeping = append(keeping, sub)
		}
	}
	if keeping == nil {
		return nil, false
	}
	return shed(v, below, keeping), true
}

// keyIn returns the key that stands for an item of a list (KEP-555), or "".
func keyIn(tree map[string]any, item any) string {
	for key := range tree {
		kind, text, _ := strings.Cut(key, ":")
		var want any
		if kind != "k" && kind != "v" || json.Unmarshal([]byte(text), &want) != nil {
			continue
		}
		if kind == "v" && sameJSON(want, item) || kind == "k" && hasAll(item, want) {
			return key
		}
	}
	return ""
}

func hasAll(item, want any) bool {
	fields, _ := item.(map[string]any)
	keys, _ := want.(map[string]any)
	for name, value := range keys {
		if !sameJSON(fields[name], value) {
			return false
		}
	}
	return true
}

// sameJSON compares values of which numbers may be of different types.
func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}
