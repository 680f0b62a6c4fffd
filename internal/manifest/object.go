package manifest

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// An Object is one Kubernetes object and the place it was read from.
//
// Objects are shared between the steps of a run: who wants to change one
// changes a [Object.DeepCopy] of it.
type Object struct {
	*unstructured.Unstructured
	// Source is the file or the document that the object comes from.
	Source string
	// Line is where the object's document begins in Source, counted from 1.
	Line int
}

// DeepCopy returns a copy of o that shares nothing with it.
func (o Object) DeepCopy() Object {
	o.Unstructured = o.Unstructured.DeepCopy()
	return o
}

// Key returns what o is called, with the namespace as it is written.
func (o Object) Key() Key {
	return Key{o.GroupVersionKind().Group, o.GetKind(), o.GetNamespace(), o.GetName()}
}

// A Key names an object on a cluster. It has no version, because the API
// server serves one object in several versions. Keys may be used as map keys.
type Key struct {
	Group     string // "" is the core group
	Kind      string
	Namespace string // "" for cluster-scoped objects
	Name      string
}

// String returns the text form, "Kind.group namespace/name".
func (k Key) String() string {
	kind, name := k.Kind, k.Name
	if k.Group != "" {
		kind = fmt.Sprintf("%s.%s", k.Kind, k.Group)
	}
	if k.Namespace != "" {
		name = k.Namespace + "/" + k.Name
	}
	return kind + " " + name
}

// A Duplicate is an object that is written more than once.
type Duplicate struct {
	Key     Key
	Objects []Object // two or more, in the order they were given
}

// Duplicates returns the objects that are written more than once, in the order
// of their first appearance. It compares namespaces as they are written, so
// callers that know the scope of kinds set default namespaces before.
func Duplicates(objects []Object) []Duplicate {
	byKey := make(map[Key][]Object, len(objects))
	for _, o := range objects {
		byKey[o.Key()] = append(byKey[o.Key()], o)
	}
	var found []Duplicate
	for _, o := range objects {
		if same := byKey[o.Key()]; len(same) > 1 {
			found = append(found, Duplicate{o.Key(), same})
			delete(byKey, o.Key())
		}
	}
	return found
}
