package render

import (
	"cmp"
	"errors"

	"github.com/strata-go/strata/internal/manifest"
)

// manifests renders the manifests that stand in the layer itself.
func (b *builder) manifests() error {
	b.namespace = cmp.Or(b.Layer.Namespace, DefaultNamespace)
	b.out.require(b.Layer.Namespace)
	var errs []error
	for _, m := range b.Layer.Manifests.Inline {
		errs = append(errs, b.manifest(m.Name, []byte(m.Content)))
	}
	return errors.Join(errs...)
}

// attached renders the manifests that are attached to the layer, in the
// namespace of its content.
func (b *builder) attached() error {
	var errs []error
	for _, m := range b.Layer.AttachedManifests {
		errs = append(errs, b.manifest(m.Name, []byte(m.Content)))
	}
	return errors.Join(errs...)
}

func (b *builder) manifest(name string, text []byte) error {
	objects, err := manifest.Parse(name, text)
	if err != nil {
		return b.fail("", err)
	}
	return b.add(objects, Object{})
}
