package profile

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/redact"
	"github.com/strata-go/strata/layer"
)

// A Desired is the state that a cluster shall have: a valid stack with its
// variables bound and every source pinned. Only resolving makes one. It is
// immutable and safe for concurrent use.
type Desired struct {
	profiles []ID
	layers   []PinnedLayer
	lock     *Lock
	stack    *Stack // that it was resolved from
	redactor redact.Redactor
}

// A PinnedLayer is a layer of a [Desired] state.
type PinnedLayer struct {
	layer.Layer           // with the macros in its values and manifests bound
	Profile     ID        // that the layer comes from
	Pin         layer.Pin // zero for manifests, which the profile holds
	scope       scope
}

// String names the profiles and the digest of the state. It shows no value, as a
// log would, which has sensitive ones.
func (d *Desired) String() string { return fmt.Sprintf("%v at %s", d.profiles, d.Digest()) }

// GoString is [Desired.String].
func (d *Desired) GoString() string { return d.String() }

// Profiles returns the profiles of the stack.
func (d *Desired) Profiles() []ID { return slices.Clone(d.profiles) }

// Layers returns the layers in the order in which they are installed.
func (d *Desired) Layers() []PinnedLayer { return slices.Clone(d.layers) }

// Lock returns what the sources are pinned to.
func (d *Desired) Lock() *Lock { return d.lock.clone() }

// Digest identifies d: equal states have equal digests.
func (d *Desired) Digest() digest.Digest {
	var all []digest.Digest
	for _, l := range d.layers {
		all = append(all, l.Digest())
	}
	return digestOf(struct {
		Profiles []ID
		Layers   []digest.Digest
	}{d.profiles, all})
}

// Redact returns text without the values of sensitive variables, for messages.
func (d *Desired) Redact(text string) string { return d.redactor.String(text) }

// Bind replaces the macros in a YAML document that comes with the layer's
// content, such as the values of a pack. The error joins one for each macro
// without a value. Macros that refer to values of packs have one only after
// [PinnedLayer.WithContent].
func (l PinnedLayer) Bind(doc []byte) ([]byte, error) { return macro.Bind(doc, l.scope.bind) }

// Digest identifies everything that goes into the layer: its content by digest,
// its values and options but for the times, and what macros in its content can see.
func (l PinnedLayer) Digest() digest.Digest { return l.scope.inputs }

// digestOf returns the digest of v as JSON, which sorts the keys of maps. The
// values hold nothing that JSON cannot.
func digestOf(v any) digest.Digest {
	data, _ := json.Marshal(v)
	return digest.FromBytes(data)
}
