package layer

import "slices"

// An Allowance says what a layer may have. The zero Allowance sets no bounds.
type Allowance struct {
	// Namespaces are those that objects may be in, and that the layer may be
	// installed in or want labels of. If empty, all. An entry "" stands for
	// objects without a namespace, which are refused otherwise.
	Namespaces []string `json:"namespaces,omitempty"`
	// Kinds are as in "Deployment.apps" and "Secret". If empty, all.
	Kinds []string `json:"kinds,omitempty"`
}

// Allows reports whether a layer may have objects of a kind ("Kind.group") in a
// namespace, or without one.
func (a Allowance) Allows(kind, namespace string) bool {
	return (len(a.Kinds) == 0 || slices.Contains(a.Kinds, kind)) && a.AllowsNamespace(namespace)
}

// AllowsNamespace reports whether a layer may be installed in a namespace.
func (a Allowance) AllowsNamespace(name string) bool {
	return len(a.Namespaces) == 0 || slices.Contains(a.Namespaces, name)
}
