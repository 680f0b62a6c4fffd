package profile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/strata-go/strata/layer"
)

// ErrConstraint says that what is in a stack does not go together, or not with
// its cluster.
var ErrConstraint = errors.New("constraint not met")

// A Rule is what a [*ConstraintError] is about.
type Rule string

// The rules.
const (
	RuleRequired     Rule = "required"      // a pack needs another one, within bounds
	RuleOptional     Rule = "optional"      // a pack admits another one within bounds only
	RuleNotSupported Rule = "not-supported" // a pack does not go together with another
	RuleUpgrade      Rule = "upgrade"       // a pack may not be changed to this version
	RuleResources    Rule = "resources"     // the nodes are too small, or too few
	RuleKubeVersion  Rule = "kube-version"  // a chart does not support this Kubernetes
	RuleDowngrade    Rule = "downgrade"     // Kubernetes does not go back
	RuleSkew         Rule = "skew"          // Kubernetes goes one minor version at a time
	RuleCloud        Rule = "cloud"         // a pack is not for the cloud of its profile
)

// A ConstraintError is one constraint that is not met. It is an [ErrConstraint],
// and none is cured by trying again.
type ConstraintError struct {
	Rule  Rule
	Layer string // whose content has the constraint; empty if it is about the nodes
	// Other is the layer, or the pack if there is no such layer, that it is about.
	Other   string
	Problem string // says what is wrong and what to do
}

// Error returns "layer: problem".
func (e *ConstraintError) Error() string {
	if e.Layer == "" {
		return e.Problem
	}
	return fmt.Sprintf("layer %q: %s", e.Layer, e.Problem)
}

// Unwrap returns [ErrConstraint].
func (e *ConstraintError) Unwrap() error { return ErrConstraint }

// Facts are what is known of a stack and its cluster. What is not known is not
// checked.
type Facts struct {
	// Layers are those of the stack, as [Desired.Facts] returns them, with what
	// their content says filled in.
	Layers []LayerFacts
	// Before are the layers that the cluster has now; see [Lock.Facts]. If
	// empty, the cluster is new.
	Before []LayerFacts
	// Pools are the nodes of the cluster.
	Pools []NodePool
}

// LayerFacts are what is known of a layer.
type LayerFacts struct {
	Layer   string
	Kind    layer.Kind
	Source  string // name of the pack, chart or package
	Version string // of it
	Cloud   string // of the profile

	// What the content says; see the package pack.
	Clouds       []string // that a pack is for
	Dependencies []Dependency
	Resources    []Resource
	// KubeVersions are the ranges of Kubernetes versions that charts support,
	// as their Chart.yaml has them.
	KubeVersions []string
	// Values are those that the layer is installed with, for resources that are
	// stated there.
	Values map[string]any
}

// A Dependency is what a pack says about another one. Bounds are inclusive; an
// empty one is none.
type Dependency struct {
	Pack       string
	Kind       layer.Kind // of its layer
	Type       string     // "required", "optional", "notSupported" or "upgrade"; others are not checked
	MinVersion string
	MaxVersion string
}

// CheckConstraints reports all constraints that are not met, each a
// [*ConstraintError], joined. It does no I/O.
func CheckConstraints(f Facts) error {
	c := constraints{Facts: f}
	for _, l := range f.Layers {
		c.cloud(l)
		c.dependencies(l)
		c.kubeVersions(l)
	}
	c.upgrades()
	c.kubernetes()
	c.resources()
	return errors.Join(c.errs...)
}

// Facts returns what d says of its layers. Content is not in it.
func (d *Desired) Facts() []LayerFacts { return d.lock.Facts() }

// Facts returns what l says of its layers. Content is not in it.
func (l *Lock) Facts() []LayerFacts {
	facts := make([]LayerFacts, len(l.Layers))
	for i, ll := range l.Layers {
		facts[i] = LayerFacts{Layer: ll.Layer, Kind: ll.Kind.OrDefault(), Source: ll.Name, Version: ll.Resolved}
		for _, p := range l.Profiles {
			if p.Name == ll.Profile {
				facts[i].Cloud = p.Cloud
			}
		}
	}
	return facts
}

type constraints struct {
	Facts
	errs []error
}

func (c *constraints) add(rule Rule, l, other, format string, args ...any) {
	c.errs = append(c.errs, &ConstraintError{rule, l, other, fmt.Sprintf(format, args...)})
}

func (c *constraints) cloud(l LayerFacts) {
	if l.Cloud != "" && !offered(l.Clouds, l.Cloud) {
		c.add(RuleCloud, l.Layer, "", "%s %s is for %s, and the profile for %s; choose another pack", l.Source, l.Version, join(l.Clouds), l.Cloud)
	}
}

// dependencies checks what a pack says about others of the stack.
func (c *constraints) dependencies(l LayerFacts) {
	for _, d := range l.Dependencies {
		var found []LayerFacts
		for _, o := range c.Layers {
			if o.Source == d.Pack && (d.Kind == "" || o.Kind.OrDefault() == d.Kind) && o.Layer != l.Layer {
				found = append(found, o)
			}
		}
		switch d.Type {
		case "required":
			if len(found) == 0 {
				c.add(RuleRequired, l.Layer, d.Pack, "needs the pack %s%s in a layer of kind %s, and the stack has none; add it", d.Pack, d.bounds(), d.Kind.OrDefault())
			}
			c.within(RuleRequired, l, d, found)
		case "optional":
			c.within(RuleOptional, l, d, found)
		case "notSupported":
			for _, o := range found {
				if inside, err := d.admits(o.Version); err != nil {
					c.add(RuleNotSupported, l.Layer, o.Layer, "%v", err)
				} else if inside {
					c.add(RuleNotSupported, l.Layer, o.Layer, "does not go together with %s %s of layer %q; remove one, or take a version outside of%s", d.Pack, o.Version, o.Layer, cmp.Or(d.bounds(), " any"))
				}
			}
		}
	}
}

func (c *constraints) within(rule Rule, l LayerFacts, d Dependency, found []LayerFacts) {
	for _, o := range found {
		if inside, err := d.admits(o.Version); err != nil {
			c.add(rule, l.Layer, o.Layer, "%v", err)
		} else if !inside {
			c.add(rule, l.Layer, o.Layer, "needs %s%s, and layer %q has %s", d.Pack, d.bounds(), o.Layer, o.Version)
		}
	}
}

// upgrades checks which versions the packs that are there may be changed to.
func (c *constraints) upgrades() {
	for _, l := range c.Before {
		for _, d := range l.Dependencies {
			if d.Type != "upgrade" {
				continue
			}
			for _, o := range c.Layers {
				was := slices.ContainsFunc(c.Before, func(b LayerFacts) bool { return b.Layer == o.Layer && b.Version == o.Version && b.Source == o.Source })
				if o.Source != d.Pack || was {
					continue
				}
				if inside, err := d.admits(o.Version); err != nil {
					c.add(RuleUpgrade, l.Layer, o.Layer, "%v", err)
				} else if !inside {
					c.add(RuleUpgrade, l.Layer, o.Layer, "%s %s says that %s may be changed to versions%s only, not to %s", l.Source, l.Version, d.Pack, d.bounds(), o.Version)
				}
			}
		}
	}
}

// bounds returns " from 1.2 up to 1.4".
func (d Dependency) bounds() string {
	text := ""
	if d.MinVersion != "" {
		text += " from " + d.MinVersion
	}
	if d.MaxVersion != "" {
		text += " up to " + d.MaxVersion
	}
	return text
}

// admits reports whether a version is within the bounds. As in Palette, numbers
// that a bound lacks are zeros: up to 1.21 does not admit 1.21.5.
func (d Dependency) admits(text string) (bool, error) {
	if d.MinVersion == "" && d.MaxVersion == "" {
		return true, nil
	}
	v, err := looseVersion(text)
	if err != nil {
		return false, fmt.Errorf("has bounds for %s, whose version %q cannot be compared", d.Pack, text)
	}
	for _, bound := range []struct {
		text string
		sign int
	}{{d.MinVersion, 1}, {d.MaxVersion, -1}} {
		if bound.text == "" {
			continue
		}
		b, err := looseVersion(bound.text)
		if err != nil {
			return false, fmt.Errorf("has a bound for %s, %q, that cannot be compared", d.Pack, bound.text)
		}
		if b.Compare(v)*bound.sign > 0 {
			return false, nil
		}
	}
	return true, nil
}
