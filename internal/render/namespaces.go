package render

import (
	"maps"
	"slices"

	"github.com/strata-go/strata/pack"
)

// require adds a namespace to those that must be there, unless it is "".
func (o *Output) require(name string) {
	known := slices.ContainsFunc(o.Namespaces, func(n Namespace) bool { return n.Name == name })
	if name != "" && !known {
		o.Namespaces = append(o.Namespaces, Namespace{Name: name})
	}
}

// requireOf adds the namespace of a pack, and those that its settings name: the
// additional ones, and any that they give labels or annotations to.
func (o *Output) requireOf(own string, settings pack.Settings) {
	o.require(own)
	for _, name := range settings.AdditionalNamespaces {
		o.require(name)
	}
	for _, described := range []map[string]map[string]string{settings.NamespaceLabels, settings.NamespaceAnnotations} {
		for _, name := range slices.Sorted(maps.Keys(described)) {
			o.require(name)
		}
	}
	for i, n := range o.Namespaces {
		o.Namespaces[i].Labels = settings.NamespaceLabels[n.Name]
		o.Namespaces[i].Annotations = settings.NamespaceAnnotations[n.Name]
	}
}

// adoptNamespaces leaves out the namespaces that are among the objects, and
// gives those objects the labels and annotations. Otherwise two steps would
// write the same object, each taking away what only the other one sets.
func (o *Output) adoptNamespaces() {
	at := map[string]int{}
	for i, object := range o.Objects {
		if object.GetKind() == "Namespace" && object.GroupVersionKind().Group == "" {
			at[object.GetName()] = i
		}
	}
	o.Namespaces = slices.DeleteFunc(o.Namespaces, func(n Namespace) bool {
		i, found := at[n.Name]
		if found {
			adopted := o.Objects[i].DeepCopy()
			adopted.SetLabels(below(n.Labels, adopted.GetLabels()))
			adopted.SetAnnotations(below(n.Annotations, adopted.GetAnnotations()))
			o.Objects[i].Object = adopted
		}
		return found
	})
}

// below returns the entries of both maps. Those of over win.
func below(base, over map[string]string) map[string]string {
	merged := maps.Clone(base)
	if merged == nil {
		return over
	}
	maps.Copy(merged, over)
	return merged
}
