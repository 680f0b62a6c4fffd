package profile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/nearest"
)

// Roots of macros, and the system macro that the library finds out late.
const (
	varRoot           = "spectro.var."
	systemRoot        = "spectro.system."
	macroRoot         = "spectro.macro."
	packRoot          = "spectro.pack."
	kubernetesVersion = "kubernetes.version"
)

// systemMacros are those that Palette has. A stack may give others.
var systemMacros = []string{
	"cloud.region", "cloud.type", "cloudaccount.name", "cloudaccount.uid",
	"cluster.kubevip", "cluster.name", "cluster.uid",
	"clusterprofile.infra.name", "clusterprofile.infra.uid", "clusterprofile.infra.version",
	"clusterprofile.name", "clusterprofile.uid", "clusterprofile.version",
	kubernetesVersion, "project.name", "project.uid",
	"reverseproxy.port", "reverseproxy.protocol", "reverseproxy.server", "reverseproxy.vhostport",
	"tenant.uid", "user.email", "user.name", "user.uid",
}

// Macros are the values of the macros {{ .spectro.macro.* }} by what follows
// "macro.". One that a project gives wins over that of the tenant, and that one
// over the system's. No value holds macros itself: they would stay as text.
type Macros struct {
	Project, Tenant, System map[string]string
}

// merged returns the values that count.
func (m Macros) merged() map[string]string {
	values := maps.Clone(m.System)
	if values == nil {
		values = map[string]string{}
	}
	maps.Copy(values, m.Tenant)
	maps.Copy(values, m.Project)
	return values
}

// lookup returns the value that counts, and who gives it.
func (m Macros) lookup(name string) (value, by string, ok bool) {
	for _, scope := range []struct {
		by     string
		values map[string]string
	}{{"the project", m.Project}, {"the tenant", m.Tenant}, {"the system", m.System}} {
		if value, ok = scope.values[name]; ok {
			return value, scope.by, true
		}
	}
	return "", "", false
}

// knows reports whether m can have a value in p. Which macros a system, a
// project and packs have is known only when a stack is resolved.
func (p *Profile) knows(m macro.Macro) error {
	if err := m.Check(); err != nil {
		return err
	}
	root, name, _ := strings.Cut(strings.TrimPrefix(m.Path, "spectro."), ".")
	switch {
	case name == "" && root != "":
		return fmt.Errorf("a name must follow %q", "."+m.Path+".")
	case root == "var":
		names := make([]string, len(p.Variables))
		for i, v := range p.Variables {
			names[i] = v.Name
		}
		if !slices.Contains(names, name) {
			return fmt.Errorf("profile %s has no variable %q%s", p.ID(), name, nearest.Hint(name, names))
		}
	case root == "pack" && !strings.Contains(name, "."):
		return errors.New("want .spectro.pack.<pack>.<path of a value>")
	case root != "system" && root != "macro" && root != "pack":
		return fmt.Errorf("unknown macro%s; want .spectro.var.<name>, .spectro.system.<name>, .spectro.macro.<name> or .spectro.pack.<pack>.<path>",
			nearest.Hint(root, []string{"var", "system", "macro", "pack"}))
	}
	return nil
}

// A scope answers the macros of one layer.
type scope struct {
	*environment
	layer  int
	packs  *packs        // nil as long as the content of packs is not known
	inputs digest.Digest // of the layer
}

// An answer is the value of a macro.
type answer struct {
	value     string
	sensitive bool
	by        string // what gave the value, for people
}

// errUnset says that a macro has no value, but may have one.
var errUnset = errors.New("no value")

func (s scope) lookup(m macro.Macro) (string, error) {
	a, err := s.answer(m, nil)
	return a.value, err
}

// answer returns the value of m as it leaves the pipeline. trail are the values
// of packs that wait for it.
func (s scope) answer(m macro.Macro, trail []packPath) (answer, error) {
	if s.environment == nil {
		return answer{}, errors.New("the layer is not one of a resolved stack")
	}
	if err := s.layers[s.layer].from.knows(m); err != nil {
		return answer{}, err
	}
	a, err := s.source(m, trail)
	if err != nil && (!errors.Is(err, errUnset) || !m.HasDefault()) {
		return answer{}, err
	}
	raw := a.value
	if a.value, err = m.Apply(raw); err != nil {
		return answer{}, err
	}
	if raw == "" && a.value != "" {
		a.by, a.sensitive = "the default in the macro", false
	}
	if a.sensitive {
		s.secrets.Add(a.value)
	}
	return a, nil
}

// source returns the value that goes into the pipeline of m.
func (s scope) source(m macro.Macro, trail []packPath) (answer, error) {
	if name, ok := strings.CutPrefix(m.Path, varRoot); ok {
		by := fmt.Sprintf("the default of variable %s", name)
		if s.given[name] {
			by = fmt.Sprintf("variable %s of the cluster", name)
		}
		return answer{s.variables[name], s.sensitive[name], by}, nil
	}
	if name, ok := strings.CutPrefix(m.Path, macroRoot); ok {
		value, by, ok := s.macros.lookup(name)
		if !ok {
			known := slices.Sorted(maps.Keys(s.macros.merged()))
			return answer{}, fmt.Errorf("%w for .%s%s; set it in Stack.Macros", errUnset, m.Path, nearest.Hint(name, known))
		}
		return answer{value: value, by: "a macro of " + by}, nil
	}
	if reference, ok := strings.CutPrefix(m.Path, packRoot); ok {
		return s.packValue(reference, trail)
	}
	return s.systemValue(strings.TrimPrefix(m.Path, systemRoot))
}

func (s scope) systemValue(name string) (answer, error) {
	if value, ok := s.system[name]; ok {
		return answer{value: value, by: "the system"}, nil
	}
	switch p := s.layers[s.layer].from; name {
	case "clusterprofile.name":
		return answer{value: p.Name, by: "profile " + p.ID().String()}, nil
	case "clusterprofile.version":
		return answer{value: p.Version, by: "profile " + p.ID().String()}, nil
	}
	known := slices.Concat(slices.Collect(maps.Keys(s.system)), systemMacros)
	slices.Sort(known)
	hint := ""
	if !slices.Contains(known, name) {
		hint = nearest.Hint(name, known)
	}
	return answer{}, fmt.Errorf("%w for .spectro.system.%s%s; set it in Stack.System", errUnset, name, hint)
}
