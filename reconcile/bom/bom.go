package bom

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

// Details are what a bill says beside what is on the cluster. The zero Details
// leave the time out and derive the serial number.
type Details struct {
	// Time is when the status was read. If zero, the bill has no time.
	Time time.Time
	// SerialNumber is "urn:uuid:" and a UUID. If empty, it is derived from the
	// content: equal content has equal numbers.
	SerialNumber string
	// Version counts the bills with one serial number. If zero, 1.
	Version int
}

// Encode returns the bill of a status as indented JSON, in the newest version
// of the format that the library for it knows. Equal arguments give equal bytes.
func Encode(s *reconcile.Status, d Details) ([]byte, error) { return encode(New(s, d)) }

func encode(b *cdx.BOM) ([]byte, error) {
	var out bytes.Buffer
	err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).Encode(b)
	return out.Bytes(), err
}

// New returns the bill of a status, for those who want to add to it or to write
// it in another format. The installation depends on the profiles, these on the
// layers, and layers on their charts and images.
func New(s *reconcile.Status, d Details) *cdx.BOM {
	b := &builder{components: map[string]cdx.Component{}, uses: map[string]map[string]bool{}}
	root := cdx.Component{BOMRef: "installation:" + s.Target.String(), Type: cdx.ComponentTypePlatform, Name: s.Target.String(), Version: s.KubernetesVersion}
	root.Properties = properties("strata:kubernetesVersion", s.KubernetesVersion)
	for _, id := range s.Profiles {
		b.use(root.BOMRef, profileComponent(id, s.Lock))
	}
	for _, l := range s.Layers {
		b.layer(&l, s.Lock)
	}
	bill := cdx.NewBOM()
	bill.Version = cmp.Or(d.Version, 1)
	bill.Metadata = &cdx.Metadata{Component: &root, Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "strata"}}}}
	components := make([]cdx.Component, 0, len(b.components))
	for _, ref := range slices.Sorted(maps.Keys(b.components)) {
		components = append(components, b.components[ref])
	}
	bill.Components, bill.Dependencies = &components, b.dependencies(root.BOMRef)
	if bill.SerialNumber = d.SerialNumber; bill.SerialNumber == "" {
		bill.SerialNumber = derived(bill)
	}
	if !d.Time.IsZero() {
		bill.Metadata.Timestamp = d.Time.UTC().Format(time.RFC3339)
	}
	return bill
}

// derived returns a serial number for the content of a bill that has none: a
// UUID of version 8 (RFC 9562), which is what its maker says it is.
func derived(bill *cdx.BOM) string {
	data, _ := encode(bill) // without a number it is the content alone
	sum := sha256.Sum256(data)
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// A builder collects components, and what uses what, each by reference.
type builder struct {
	components map[string]cdx.Component
	uses       map[string]map[string]bool
}

// use adds a component that another one uses.
func (b *builder) use(user string, c cdx.Component) {
	b.components[c.BOMRef] = c
	if b.uses[user] == nil {
		b.uses[user] = map[string]bool{}
	}
	b.uses[user][c.BOMRef] = true
}

// layer adds a layer that its profile uses, and what is in it. A layer that is
// on its way out is still there, and used by nobody who is.
func (b *builder) layer(l *reconcile.LayerStatus, lock *profile.Lock) {
	owner := profileComponent(l.Profile, lock)
	b.components[owner.BOMRef] = owner
	one := layerComponent(l, lock)
	b.use(owner.BOMRef, one)
	for _, c := range l.Charts {
		if l.Format != layer.FormatHelm { // else the layer is the chart
			b.use(one.BOMRef, chartComponent(l, c))
		}
	}
	for _, image := range l.Images {
		b.use(one.BOMRef, imageComponent(image))
	}
}

// dependencies returns an entry for every component, as the format asks for:
// one without dependencies is known to have none.
func (b *builder) dependencies(root string) *[]cdx.Dependency {
	refs := append(slices.Collect(maps.Keys(b.components)), root)
	slices.Sort(refs)
	all := make([]cdx.Dependency, len(refs))
	for i, ref := range refs {
		all[i] = cdx.Dependency{Ref: ref}
		if used := slices.Sorted(maps.Keys(b.uses[ref])); len(used) > 0 {
			all[i].Dependencies = &used
		}
	}
	return &all
}

// hashes returns a digest as the format has it; nil for an unknown algorithm.
func hashes(d digest.Digest) *[]cdx.Hash {
	names := map[digest.Algorithm]cdx.HashAlgorithm{
		digest.SHA256: cdx.HashAlgoSHA256, digest.SHA384: cdx.HashAlgoSHA384, digest.SHA512: cdx.HashAlgoSHA512,
	}
	if d.Validate() != nil || names[d.Algorithm()] == "" {
		return nil
	}
	return &[]cdx.Hash{{Algorithm: names[d.Algorithm()], Value: d.Encoded()}}
}

// properties returns names and values, without those that are empty.
func properties(pairs ...string) *[]cdx.Property {
	var all []cdx.Property
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			all = append(all, cdx.Property{Name: pair[0], Value: pair[1]})
		}
	}
	if all == nil {
		return nil
	}
	return &all
}
