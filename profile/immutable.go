package profile

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
)

// ErrImmutable says that a profile was changed without a new version.
var ErrImmutable = errors.New("immutable")

// Digest identifies the content of p: its name, version and all that reaches a
// cluster. The order of layers does not matter, and neither do description,
// labels and annotations, comments and layout of values, or whether a field
// with a default is written out.
func (p *Profile) Digest() digest.Digest {
	layers := slices.Clone(p.Layers)
	for i := range layers {
		layers[i].Kind = layers[i].Kind.OrDefault()
		layers[i].Values = p.memo.document(layers[i].Values).digest.String()
	}
	slices.SortFunc(layers, func(a, b layer.Layer) int { return cmp.Compare(a.Name, b.Name) })
	return digestOf(struct {
		ID
		Type      Type          `json:"type"`
		CloudType string        `json:"cloudType"`
		Variables []Variable    `json:"variables,omitempty"`
		Layers    []layer.Layer `json:"layers"`
	}{p.ID(), cmp.Or(p.Type, Full), p.Cloud(), p.Variables, layers})
}

// CheckImmutable returns an [*Error] with [ErrImmutable] if now is the same
// version of the same profile as published, and has other content. It says what
// differs; [Compare] says all of it.
func CheckImmutable(published, now *Profile) error {
	if published.ID() != now.ID() || published.Digest() == now.Digest() {
		return nil
	}
	return now.errorf(ErrImmutable, "spec.version", "%s is published with other content: %s; give it a new version", now.ID(), strings.Join(Compare(published, now).headlines(), ", "))
}
