package layer

import "slices"

// A Kind says which part of the stack a layer provides.
// The zero Kind means [AddOn].
type Kind string

// The kinds, from the bottom of the stack to its top.
const (
	OS         Kind = "os"
	Kubernetes Kind = "kubernetes"
	Network    Kind = "network"
	Storage    Kind = "storage"
	AddOn      Kind = "add-on"
)

// Kinds returns all kinds in the order in which they are installed.
func Kinds() []Kind { return []Kind{OS, Kubernetes, Network, Storage, AddOn} }

// Core reports whether k is one of the four kinds that an infrastructure
// profile has exactly one layer of.
func (k Kind) Core() bool { return k.Valid() && k.OrDefault() != AddOn }

// Valid reports whether k is a known kind or zero.
func (k Kind) Valid() bool { return slices.Contains(Kinds(), k.OrDefault()) }

// OrDefault returns k, or [AddOn] if k is zero.
func (k Kind) OrDefault() Kind {
	if k == "" {
		return AddOn
	}
	return k
}

// Compare orders kinds from the bottom of the stack to its top: it is negative
// if k is installed before other, zero if they are equal, else positive.
func (k Kind) Compare(other Kind) int {
	return slices.Index(Kinds(), k.OrDefault()) - slices.Index(Kinds(), other.OrDefault())
}
