package layer

import "path"

// A DriftMode says what becomes of a change that somebody else makes to what we
// applied. A change of the stack is applied in any mode.
type DriftMode string

// The modes.
const (
	// DriftCorrect: it is found and repaired.
	DriftCorrect DriftMode = "correct"
	// DriftReport: it is found and listed, and stays.
	DriftReport DriftMode = "report"
	// DriftOff: others may change it. It is not looked for, and stays.
	DriftOff DriftMode = "off"
)

// Valid reports whether m is a known mode or zero.
func (m DriftMode) Valid() bool {
	return m == "" || m == DriftCorrect || m == DriftReport || m == DriftOff
}

// A DriftPolicy says what becomes of changes that others make to the objects of
// a layer. The zero policy leaves it to the reconciler, which corrects them
// unless it is told otherwise.
type DriftPolicy struct {
	// Mode is for what no rule is about. If empty, as the reconciler says.
	Mode DriftMode `json:"mode,omitempty"`
	// Rules say otherwise for some fields. The first that matches counts.
	Rules []DriftRule `json:"rules,omitempty"`
}

// A DriftRule gives changes to some fields of some objects a mode of their own.
// What is empty matches anything.
type DriftRule struct {
	// Kind is "Kind" or "Kind.group"; "*" is any.
	Kind string `json:"kind,omitempty"`
	// Namespace and Name may hold patterns: "web-*", as path.Match has them.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// Manager is the field manager who holds the field now, or a pattern. A rule
	// with a manager is never about what was deleted, as nobody holds that.
	Manager string `json:"manager,omitempty"`
	// Paths are JSON pointers (RFC 6901), "/spec/replicas", to fields with all
	// that is below them. Items of lists go by their index, or by their name if
	// they have one: "/spec/template/spec/containers/main/image", or by the keys
	// that tell them apart: `/spec/ports/port=80,protocol="TCP"`. Without paths
	// the rule is about the whole object, and about its being deleted.
	Paths []string `json:"paths,omitempty"`
	// Mode is what becomes of the changes. If empty, [DriftOff].
	Mode DriftMode `json:"mode,omitempty"`
}

// About reports whether r is about objects of this kind ("Kind.group"),
// namespace and name.
func (r DriftRule) About(kind, namespace, name string) bool {
	return (r.Kind == "" || r.Kind == "*" || r.Kind == kind) && matches(r.Namespace, namespace) && matches(r.Name, name)
}

// By reports whether r is about changes that the manager makes.
func (r DriftRule) By(manager string) bool { return matches(r.Manager, manager) }

func matches(pattern, s string) bool {
	if pattern == "" {
		return true
	}
	ok, err := path.Match(pattern, s)
	return ok && err == nil
}
