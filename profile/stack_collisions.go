package profile

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"github.com/strata-go/strata/layer"
)

// defaultNamespace is where namespaced objects go that nobody gives a namespace.
const defaultNamespace = "default"

// collisions finds what cannot be together in one stack.
type collisions struct {
	stack *Stack
	errs  []error
}

func (c *collisions) add(p *Profile, path, format string, args ...any) {
	c.errs = append(c.errs, p.errorf(ErrConflict, path, format, args...))
}

// profiles finds a second base, a profile that is there twice, and profiles
// for different clouds.
func (c *collisions) profiles() {
	var base *Profile
	cloud := ""
	names := map[string]*Profile{}
	for _, p := range c.stack.sorted() {
		if p.Type != AddOn {
			if base != nil {
				c.add(p, "spec.type", "%s is a second %s profile beside %s; a stack has at most one, the others are of type %s", p.ID(), cmp.Or(p.Type, Full), base.ID(), AddOn)
			} else {
				base, cloud = p, p.Cloud()
			}
		} else if base != nil && p.Cloud() != AllClouds && p.Cloud() != cloud {
			c.add(p, "spec.cloudType", "%s is for %s, and %s for %s", p.ID(), p.Cloud(), base.ID(), cloud)
		}
		if other := names[p.Name]; other != nil {
			c.add(p, "metadata.name", "%s is in the stack beside %s; keep one", p.ID(), other.ID())
		}
		names[p.Name] = p
	}
}

func (c *collisions) layers() {
	layers := map[string]*Profile{}
	for _, p := range c.stack.sorted() {
		for i, l := range p.Layers {
			if other := layers[l.Name]; other != nil && other != p {
				c.add(p, fmt.Sprintf("spec.layers[%d].name", i), "layer %q of %s is also a layer of %s; give one of them another name", l.Name, p.ID(), other.ID())
			}
			layers[l.Name] = p
		}
	}
}

func (c *collisions) variables() {
	type defined struct {
		Variable
		by *Profile
	}
	variables := map[string]defined{}
	for _, p := range c.stack.sorted() {
		for i, v := range p.Variables {
			if other, ok := variables[v.Name]; ok && other.by != p && !reflect.DeepEqual(other.Variable, v) {
				c.add(p, fmt.Sprintf("spec.variables[%d]", i), "variable %q of %s is defined otherwise by %s; make the definitions equal, or rename one", v.Name, p.ID(), other.by.ID())
			}
			variables[v.Name] = defined{v, p}
		}
	}
}

// releases finds Helm releases of one name in one namespace. Those of packs
// are known only when their content is.
func (c *collisions) releases() {
	type release struct{ namespace, name string }
	releases := map[release]string{}
	for _, p := range c.stack.sorted() {
		for i, l := range p.Layers {
			if l.Helm == nil {
				continue
			}
			r := release{cmp.Or(l.Namespace, defaultNamespace), cmp.Or(l.Helm.ReleaseName, l.Name)}
			side := fmt.Sprintf("layer %q of %s", l.Name, p.ID())
			if other := releases[r]; other != "" {
				c.add(p, fmt.Sprintf("spec.layers[%d].helm.releaseName", i), "%s is installed as the release %q in namespace %q, as is %s; give one of them another releaseName or namespace", side, r.name, r.namespace, other)
			}
			releases[r] = side
		}
	}
}

// objects finds objects that two manifests hold.
func (c *collisions) objects() {
	type key struct {
		profile *Profile // nil, but for names with macros, which may differ between profiles
		object
	}
	objects := map[key]string{}
	for _, p := range c.stack.sorted() {
		for i, l := range p.Layers {
			for _, m := range manifestsOf(l) {
				side := fmt.Sprintf("manifest %q of layer %q of %s", m.Name, l.Name, p.ID())
				for _, o := range p.knownBy(c.stack.memo).objects(m.Content) {
					k := key{object: o.in(l.Namespace)}
					if strings.Contains(o.name+o.namespace, "{{") {
						k.profile = p
					}
					if other := objects[k]; other != "" {
						c.add(p, fmt.Sprintf("spec.layers[%d]", i), "%s holds %s, as does %s; keep one of them", side, k.object, other)
					}
					objects[k] = side
				}
			}
		}
	}
}

// manifestsOf returns the inline and the attached manifests of l.
func manifestsOf(l layer.Layer) []layer.Manifest {
	var all []layer.Manifest
	if l.Manifests != nil {
		all = append(all, l.Manifests.Inline...)
	}
	return append(all, l.AttachedManifests...)
}
