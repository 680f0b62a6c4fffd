package apiserver

import (
	"maps"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	definitionKind     = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}
	definitionResource = schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}
)

const cleanup = "customresourcecleanup.apiextensions.k8s.io"

// beginDefinition gives a new definition what the server puts into it.
func (*kind) beginDefinition(o object) {
	text := func(path ...string) string { s, _, _ := unstructured.NestedString(o.Object, path...); return s }
	for field, value := range map[string]string{"singular": strings.ToLower(text("spec", "names", "kind")), "listKind": text("spec", "names", "kind") + "List"} {
		if text("spec", "names", field) == "" {
			_ = unstructured.SetNestedField(o.Object, value, "spec", "names", field)
		}
	}
	versions, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions")
	for _, v := range versions {
		if v, ok := v.(map[string]any); ok && v["storage"] == true {
			_ = unstructured.SetNestedSlice(o.Object, []any{v["name"]}, "status", "storedVersions")
		}
	}
	if text("spec", "conversion", "strategy") == "" {
		_ = unstructured.SetNestedField(o.Object, "None", "spec", "conversion", "strategy")
	}
}

// define serves the kinds of a definition that is established, and no others of it.
func (s *Server) define(e event, now object) {
	o := now
	if o == nil {
		o = e.before
	}
	group, plural := groupAndPlural(o)
	old := map[schema.GroupVersionResource]*kind{}
	for gvr, k := range s.kinds {
		if gvr.Group == group && gvr.Resource == plural && k.custom != nil {
			old[gvr] = k
		}
	}
	maps.DeleteFunc(s.kinds, func(gvr schema.GroupVersionResource, _ *kind) bool { return old[gvr] != nil })
	if now == nil || !established(now) {
		return
	}
	kinds, err := s.catalogue.customKinds(now)
	if err != nil {
		maps.Copy(s.kinds, old)
		return
	}
	for _, k := range kinds {
		s.kinds[k.gvr()] = k
	}
}

func groupAndPlural(o object) (group, plural string) {
	group, _, _ = unstructured.NestedString(o.Object, "spec", "group")
	plural, _, _ = unstructured.NestedString(o.Object, "spec", "names", "plural")
	return group, plural
}

func established(o object) bool {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == "Established" && c["status"] == "True" {
			return true
		}
	}
	return false
}

// drainDefinitions deletes the objects of definitions that shall go.
func (s *Server) drainDefinitions() {
	for _, d := range s.store.list(definitionResource, "") {
		if d.GetDeletionTimestamp() == nil {
			continue
		}
		group, plural := groupAndPlural(d)
		r := schema.GroupResource{Group: group, Resource: plural}
		for _, o := range s.store.list(r, "") {
			s.erase(r, o, metav1.DeletePropagationBackground)
		}
		if now := s.store.get(definitionResource, nameOf(d)); now != nil && len(s.store.list(r, "")) == 0 {
			s.release(definitionResource, now, cleanup)
		}
	}
}
