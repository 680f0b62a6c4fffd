package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OwnFields returns the digest of what the API server says that we own of an
// object: our entry in its managed fields. Whoever changes or removes a field
// that we applied takes it out of the entry, so a digest that is not the one
// that the last apply left says that the object has drifted. Fields that the
// JSON pointers in ignore name do not count. It is empty if we own nothing.
func OwnFields(managed []metav1.ManagedFieldsEntry, ignore []string) digest.Digest {
	i := slices.IndexFunc(managed, own)
	if i < 0 {
		return ""
	}
	fields := managed[i].FieldsV1.GetRawBytes()
	if len(ignore) > 0 {
		fields = without(fields, ignore)
	}
	return digest.FromBytes(bytes.Join([][]byte{[]byte(managed[i].APIVersion), fields}, []byte{0}))
}

func own(e metav1.ManagedFieldsEntry) bool {
	return e.Manager == Manager && e.Operation == metav1.ManagedFieldsOperationApply && e.Subresource == "" && e.FieldsV1 != nil
}

// Managers returns the managers of an object's fields, each once.
func Managers(managed []metav1.ManagedFieldsEntry) []string {
	var names []string
	for _, e := range managed {
		if !slices.Contains(names, e.Manager) {
			names = append(names, e.Manager)
		}
	}
	return names
}

// Declares reports whether a manager holds fields of the object on purpose: it
// applies them, or writes through a subresource as an autoscaler does. Who only
// ever updated the object, as an editor does, changed it.
func Declares(managed []metav1.ManagedFieldsEntry, manager string) bool {
	return slices.ContainsFunc(managed, func(e metav1.ManagedFieldsEntry) bool {
		return e.Manager == manager && (e.Operation == metav1.ManagedFieldsOperationApply || e.Subresource != "" && e.Subresource != "status")
	})
}

// Held returns the digest of who holds which fields of an object, and since
// when, but for its status. It is another one after any change by anybody.
func Held(o *metav1.PartialObjectMetadata) digest.Digest {
	if o == nil {
		return digest.FromString("")
	}
	parts := [][]byte{[]byte(o.UID)}
	for _, e := range o.ManagedFields {
		if e.Subresource == "status" {
			continue
		}
		parts = append(parts, []byte(e.Manager), []byte(e.Operation), []byte(e.Subresource), []byte(e.APIVersion))
		if e.Time != nil {
			parts = append(parts, []byte(e.Time.UTC().Format(time.RFC3339)))
		}
		if e.FieldsV1 != nil {
			parts = append(parts, e.FieldsV1.GetRawBytes())
		}
	}
	return digest.FromBytes(bytes.Join(parts, []byte{0}))
}

// Owns reports whether we hold the field of an object that a path leads to,
// something below it, or something above it as a whole.
func Owns(managed []metav1.ManagedFieldsEntry, object map[string]any, path Path) bool {
	return slices.ContainsFunc(Holders(managed, object, path), own)
}

// Holders returns the entries of all who hold the field of an object that a path
// leads to, or something below it.
func Holders(managed []metav1.ManagedFieldsEntry, object map[string]any, path Path) []metav1.ManagedFieldsEntry {
	var holders []metav1.ManagedFieldsEntry
	for _, e := range managed {
		var tree map[string]any
		if e.FieldsV1 != nil && json.Unmarshal(e.FieldsV1.GetRawBytes(), &tree) == nil && holds(tree, object, path) {
			holders = append(holders, e)
		}
	}
	return holders
}

// Holder returns the entry of who else holds the field of an object that a path
// leads to, or something below it: the latest, if there are several, or nil.
func Holder(managed []metav1.ManagedFieldsEntry, object map[string]any, path Path) *metav1.ManagedFieldsEntry {
	var latest *metav1.ManagedFieldsEntry
	for _, e := range Holders(managed, object, path) {
		if !own(e) && (latest == nil || !before(e, *latest)) {
			latest = &e
		}
	}
	return latest
}

// Suspects returns the managers who updated an object since we applied it, for
// what was removed: nobody holds that.
func Suspects(managed []metav1.ManagedFieldsEntry) []string {
	i := slices.IndexFunc(managed, own)
	var names []string
	for _, e := range managed {
		if e.Operation == metav1.ManagedFieldsOperationUpdate && e.Subresource != "status" && (i < 0 || !before(e, managed[i])) && !slices.Contains(names, e.Manager) {
			names = append(names, e.Manager)
		}
	}
	return names
}

// Updaters returns the managers, without ourselves, who updated the content of an
// object, as an editor does, and hold something of it: not its metadata only.
func Updaters(managed []metav1.ManagedFieldsEntry) []string {
	var names []string
	for _, e := range managed {
		tree := fieldTree(e)
		delete(tree, "f:metadata")
		delete(tree, "f:status")
		if len(tree) > 0 && e.Operation == metav1.ManagedFieldsOperationUpdate && e.Manager != Manager && !slices.Contains(names, e.Manager) {
			names = append(names, e.Manager)
		}
	}
	return names
}

func before(a, b metav1.ManagedFieldsEntry) bool { return a.Time.Before(b.Time) }

// holds reports whether a tree of managed fields has what a path leads to in v.
func holds(tree map[string]any, v any, path Path) bool {
	if len(path) == 0 || len(tree) == 0 {
		return true // an empty tree is a field that is held as a whole
	}
	below, _ := child(v, path[0].segment())
	for key, sub := range tree {
		sub, _ := sub.(map[string]any)
		if names(key, path[0], below) && holds(sub, below, path[1:]) {
			return true
		}
	}
	return false
}

// names reports whether a key of managed fields names a step that leads to v.
func names(key string, step Step, v any) bool {
	kind, rest, _ := strings.Cut(key, ":")
	var want any
	if kind == "f" {
		return !step.Item && rest == step.Name
	}
	if step.Keys != "" {
		return nameOfKey(key) == step.Keys
	}
	if !step.Item || json.Unmarshal([]byte(rest), &want) != nil {
		return false
	}
	switch kind {
	case "k":
		item, _ := v.(map[string]any)
		keys, _ := want.(map[string]any)
		for name, value := range keys {
			if fmt.Sprint(item[name]) != fmt.Sprint(value) {
				return false
			}
		}
		return len(keys) > 0
	case "v":
		return fmt.Sprint(v) == fmt.Sprint(want)
	}
	return kind == "i" && rest == strconv.Itoa(step.Index)
}
