// Package crd knows custom resource definitions: what a change of one breaks,
// and whether an object is one that it allows. It asks no cluster.
package crd

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A Definition is what is of interest of a CustomResourceDefinition
// (apiextensions.k8s.io/v1).
type Definition struct {
	Name, Group, Kind, Plural string
	Namespaced                bool
	// Loose says that fields are kept that no schema names
	// (spec.preserveUnknownFields).
	Loose    bool
	Versions []Version
	// Stored are the versions that objects may be stored in, as the cluster says.
	Stored []string
}

// A Version is one version of a definition.
type Version struct {
	Name            string
	Served, Storage bool
	Schema          map[string]any // OpenAPI v3; nil if there is none. It is that of the object, not a copy.
}

// Read reads a definition. What is missing, or is not of its type, stays empty:
// the API server refuses it.
func Read(o *unstructured.Unstructured) Definition {
	text := func(path ...string) string {
		s, _, _ := unstructured.NestedString(o.Object, path...)
		return s
	}
	d := Definition{
		Name: o.GetName(), Group: text("spec", "group"), Kind: text("spec", "names", "kind"), Plural: text("spec", "names", "plural"),
		Namespaced: text("spec", "scope") == "Namespaced",
	}
	d.Loose, _, _ = unstructured.NestedBool(o.Object, "spec", "preserveUnknownFields")
	d.Stored, _, _ = unstructured.NestedStringSlice(o.Object, "status", "storedVersions")
	versions, _, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "versions")
	for _, v := range list(versions) {
		v, _ := v.(map[string]any)
		one := Version{Served: v["served"] == true, Storage: v["storage"] == true}
		one.Name, _ = v["name"].(string)
		fields, _, _ := unstructured.NestedFieldNoCopy(v, "schema", "openAPIV3Schema")
		one.Schema = object(fields)
		d.Versions = append(d.Versions, one)
	}
	return d
}

// Kinds returns the kinds that a cluster serves by d: one for each version that
// is served.
func (d Definition) Kinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for _, v := range d.Versions {
		if v.Served {
			kinds = append(kinds, schema.GroupVersionKind{Group: d.Group, Version: v.Name, Kind: d.Kind})
		}
	}
	return kinds
}

// Version returns the version of that name, or nil.
func (d Definition) Version(name string) *Version {
	i := slices.IndexFunc(d.Versions, func(v Version) bool { return v.Name == name })
	if i < 0 {
		return nil
	}
	return &d.Versions[i]
}

// storage returns the name of the version in which objects are stored.
func (d Definition) storage() string {
	i := slices.IndexFunc(d.Versions, func(v Version) bool { return v.Storage })
	if i < 0 {
		return ""
	}
	return d.Versions[i].Name
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
