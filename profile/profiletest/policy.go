package profiletest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// A Policy is a rule that every layer of a stack must obey. It returns what is
// wrong with a layer, or nil. It must be safe for concurrent use.
type Policy func(l profile.PinnedLayer) error

// Check reports every layer that does not obey one of the policies.
func Check(t testing.TB, d *profile.Desired, policies ...Policy) {
	t.Helper()
	for _, l := range d.Layers() {
		for _, policy := range policies {
			if err := policy(l); err != nil {
				t.Errorf("layer %q of %s: %s", l.Name, l.Profile, d.Redact(err.Error()))
			}
		}
	}
}

// Namespaced says that add-on layers name their namespace.
func Namespaced(l profile.PinnedLayer) error {
	if l.Kind.OrDefault() == layer.AddOn && l.Namespace == "" {
		return errors.New("names no namespace, so it goes where its content says, or to \"default\"")
	}
	return nil
}

// Constrained says that every source names the versions that it may have.
func Constrained(l profile.PinnedLayer) error {
	if ref := l.Ref(); ref != (layer.Ref{}) && ref.Version == "" {
		return fmt.Errorf("takes any version of %s", ref)
	}
	return nil
}

// Released says that no source is a pre-release.
func Released(l profile.PinnedLayer) error {
	if l.Ref() == (layer.Ref{}) {
		return nil
	}
	if v, err := version.Parse(version.FromTag(l.Pin.Resolved)); err == nil && v.Prerelease() {
		return fmt.Errorf("is at %s, a pre-release", l.Pin.Resolved)
	}
	return nil
}

// NotOlder says that the packs, charts and packages of a name are at a version,
// or newer.
func NotOlder(name, than string) Policy {
	least, bad := version.Parse(than)
	return func(l profile.PinnedLayer) error {
		switch {
		case l.Ref().Name != name || l.Ref() == (layer.Ref{}):
			return nil
		case bad != nil:
			return bad
		}
		v, err := version.Parse(version.FromTag(l.Pin.Resolved))
		if err != nil {
			return err
		}
		if version.Compare(v, least) < 0 {
			return fmt.Errorf("%s is at %s, older than %s", name, l.Pin.Resolved, than)
		}
		return nil
	}
}

// FromRegistries says that content comes from these registries and no others.
// Each is a name or URL as layers have it.
func FromRegistries(registries ...string) Policy {
	return func(l profile.PinnedLayer) error {
		if ref := l.Ref(); ref != (layer.Ref{}) && !slices.Contains(registries, ref.Registry) {
			return fmt.Errorf("%s is not from one of %s", ref, strings.Join(registries, ", "))
		}
		return nil
	}
}
