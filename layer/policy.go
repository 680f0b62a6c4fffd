package layer

// An AdoptPolicy says what becomes of objects that were there before us.
type AdoptPolicy string

// The policies.
const (
	// AdoptNever makes an error of an object that was there before.
	AdoptNever AdoptPolicy = "never"
	// AdoptIfUnowned takes the object over, unless it belongs to another
	// installation. Fields that other managers own stay theirs, but for those of
	// the tool that had installed a Helm release: that is taken over as a whole,
	// with its history, and upgraded as Helm would upgrade it.
	AdoptIfUnowned AdoptPolicy = "if-unowned"
	// AdoptAlways takes it over even from another installation, and the fields
	// that the layer sets from their managers.
	AdoptAlways AdoptPolicy = "always"
)

// Valid reports whether p is a known policy or zero.
func (p AdoptPolicy) Valid() bool {
	return p == "" || p == AdoptNever || p == AdoptIfUnowned || p == AdoptAlways
}

// A Check says when objects of a kind are ready, as packs do in readinessCheck.
// All objects of the kind that the layer installs are checked, and those that
// its operators make, if Namespace or ObjectName names them.
type Check struct {
	// Name says what is checked, for people.
	Name string `json:"name"`
	// Group, Version and Kind name the kind of the objects.
	Group   string `json:"group,omitempty"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
	// Namespace and ObjectName narrow the check to one namespace or object.
	Namespace  string `json:"namespace,omitempty"`
	ObjectName string `json:"objectName,omitempty"`
	// Fields are what the objects must hold.
	Fields []Expectation `json:"fields,omitempty"`
	// Expression is CEL over "self", the object, that must be true.
	Expression string `json:"expression,omitempty"`
}

// An Expectation is a field and the value that it must have.
type Expectation struct {
	// Path is the field, "status.conditions[0].status".
	Path string `json:"path"`
	// Value is compared as text.
	Value string `json:"value"`
}
