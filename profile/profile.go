package profile

import "github.com/strata-go/strata/layer"

// A Type says what a profile may hold. The zero Type means [Full].
type Type string

// The types of profiles.
const (
	// Infrastructure profiles have exactly one layer of each core kind.
	Infrastructure Type = "infrastructure"
	// AddOn profiles have add-on layers only.
	AddOn Type = "add-on"
	// Full profiles have one layer of each core kind and any add-on layers.
	Full Type = "full"
)

// A Profile is a stack of layers with variables. The functions of this package
// do not modify it.
type Profile struct {
	// Name is a DNS label.
	Name string
	// Version is a semantic version, "1.2.3". A profile that was used never
	// changes: a change is a new version.
	Version string
	// Description is for people.
	Description string
	// Labels and Annotations are for the embedder; nothing here reads them.
	Labels, Annotations map[string]string
	// Type is what the profile may hold. If empty, [Full].
	Type Type
	// CloudType is where clusters of this profile run, "aws" or "vsphere". If
	// empty, "all" for add-on profiles, which alone may say so, else "generic".
	CloudType string
	// Variables are the values that a cluster supplies.
	Variables []Variable
	// Layers are the layers, in any order: they are installed by kind and
	// install order.
	Layers []layer.Layer

	origin origin    // what it was parsed from, if anything
	pin    layer.Pin // of the artifact that it was fetched from, if it was
	memo   *memo     // nil if it was not parsed
}

// ID names a version of a profile. IDs are comparable.
type ID struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// String returns "name@version".
func (id ID) String() string { return id.Name + "@" + id.Version }

// ID returns the name and version of p.
func (p *Profile) ID() ID { return ID{p.Name, p.Version} }
