package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// unknown is who holds, for the API server, all fields of an object of which it
// did not know who does, when somebody applied it first.
const unknown = "before-first-apply"

// Outdo takes from the unknown manager of an object the fields that we hold, too,
// and returns what the object became; without such a manager nothing is done.
// The server made it when we applied the object after somebody had wiped its
// managed fields: it would keep what we leave out one day.
func (c *Client) Outdo(ctx context.Context, r Resource, ref Ref, o *metav1.PartialObjectMetadata) (*metav1.PartialObjectMetadata, error) {
	theirs := slices.IndexFunc(o.ManagedFields, func(e metav1.ManagedFieldsEntry) bool { return e.Manager == unknown && e.FieldsV1 != nil })
	ours := slices.IndexFunc(o.ManagedFields, own)
	if theirs < 0 || ours < 0 {
		return o, nil
	}
	left, err := difference(o.ManagedFields[theirs].FieldsV1, o.ManagedFields[ours].FieldsV1)
	if err != nil {
		return nil, err
	}
	managed := slices.Clone(o.ManagedFields)
	managed[theirs].FieldsV1 = left
	patch, err := json.Marshal([]any{
		map[string]any{"op": "replace", "path": "/metadata/managedFields", "value": managed},
		map[string]any{"op": "replace", "path": "/metadata/resourceVersion", "value": o.ResourceVersion},
	})
	if err != nil {
		return nil, err
	}
	o, err = c.meta(r, ref.Namespace).Patch(ctx, ref.Name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: Manager})
	return o, c.wrap(ref, "taking over", err)
}

// difference returns the fields of a that b lacks.
func difference(a, b *metav1.FieldsV1) (*metav1.FieldsV1, error) {
	var all, less fieldpath.Set
	if err := all.FromJSON(bytes.NewReader(a.GetRawBytes())); err != nil {
		return nil, err
	}
	if err := less.FromJSON(bytes.NewReader(b.GetRawBytes())); err != nil {
		return nil, err
	}
	data, err := all.Difference(&less).ToJSON()
	if err != nil {
		return nil, err
	}
	return metav1.NewFieldsV1(string(data)), nil
}
