// Package inventory keeps the record, on the cluster, of what an installation
// owns there: layers, what they were made from, and their objects.
//
// The record is written before objects are applied, with the old and the new
// ones, and again after. So whatever stops a run, nothing is left unowned.
package inventory

import (
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/profile"
)

// An Inventory is what an installation owns. The zero Inventory owns nothing.
type Inventory struct {
	// Desired is the digest of the state that was last brought about in full.
	Desired digest.Digest `json:"desired,omitempty"`
	// Begun is the digest of the state that was last begun, and Back is too if it
	// is an earlier one that is being gone back to.
	Begun digest.Digest `json:"begun,omitempty"`
	Back  digest.Digest `json:"back,omitempty"`
	// States are those that the installation can go back to, the oldest first.
	// The slice is never changed in place.
	States []State `json:"states,omitempty"`
	// Profiles are those of the state that was last begun.
	Profiles []profile.ID `json:"profiles,omitempty"`
	// Lock pins the sources of that state.
	Lock *profile.Lock `json:"lock,omitempty"`
	// Holder is the run that is changing the installation.
	Holder Holder `json:"holder,omitzero"`
	// Layers are in the order in which they are installed. Those that are no
	// longer wanted and not yet removed are among them.
	Layers []Layer `json:"layers,omitempty"`
	// Namespaces are those that layers are installed in and that we made, or
	// labelled, for them.
	Namespaces []Object `json:"namespaces,omitempty"`

	version string // of the stored record; "" if there is none
}

// A Holder is a run that others must not disturb, until some time.
type Holder struct {
	Name  string    `json:"name"`
	Until time.Time `json:"until"`
}

// Layer returns the layer of that name, or nil.
func (inv *Inventory) Layer(name string) *Layer {
	i := slices.IndexFunc(inv.Layers, func(l Layer) bool { return l.Name == name })
	if i < 0 {
		return nil
	}
	return &inv.Layers[i]
}

// All returns all objects, those of the layers before the namespaces.
func (inv *Inventory) All() []Object {
	var all []Object
	for _, l := range inv.Layers {
		all = append(all, l.Objects...)
	}
	return append(all, inv.Namespaces...)
}

// Empty reports whether inv owns nothing.
func (inv *Inventory) Empty() bool { return len(inv.Layers) == 0 && len(inv.Namespaces) == 0 }

// Stored reports whether there is a stored record of inv.
func (inv *Inventory) Stored() bool { return inv.version != "" }

// Clone returns a deep copy of inv.
func (inv *Inventory) Clone() *Inventory {
	c := *inv
	c.Layers = slices.Clone(inv.Layers)
	c.Namespaces = slices.Clone(inv.Namespaces)
	for i := range c.Layers {
		c.Layers[i] = c.Layers[i].Clone()
	}
	return &c
}
