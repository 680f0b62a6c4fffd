package profile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/nearest"
)

// Roots of macros, and the system macros that the library answers itself.
const (
	varRoot           = "spectro.var."
	systemRoot        = "spectro.system."
	kubernetesVersion = "kubernetes.version"
)

// knows reports whether m can have a value in p. Which system macros there are
// is known only when a stack is resolved.
func (p *Profile) knows(m macro.Macro) error {
	if m.Pipeline != "" {
		return fmt.Errorf("functions in macros are not supported; found %q", m.Pipeline)
	}
	switch name, isVar := strings.CutPrefix(m.Path, varRoot); {
	case isVar:
		names := make([]string, len(p.Variables))
		for i, v := range p.Variables {
			names[i] = v.Name
		}
		if !slices.Contains(names, name) {
			return fmt.Errorf("profile %s has no variable %q%s", p.ID(), name, nearest.Hint(name, names))
		}
	case !strings.HasPrefix(m.Path, systemRoot):
		return errors.New("unknown macro; want .spectro.var.<name> or .spectro.system.<name>")
	}
	return nil
}

// variables returns the values of all variables in s, and which of them are
// sensitive.
func (s *Stack) variables() (values map[string]string, sensitive []string, err error) {
	values = map[string]string{}
	var errs []error
	for _, p := range s.Profiles {
		for i, v := range p.Variables {
			value, given := s.Variables[v.Name]
			if !given {
				value = v.Default
			}
			path := fmt.Sprintf("spec.variables[%d]", i)
			if value == "" && v.Required {
				errs = append(errs, p.errorf(ErrVariable, path, "variable %q is required, has no default, and the stack gives no value", v.Name))
			} else if value != "" {
				if err := v.Check(value); err != nil {
					errs = append(errs, p.errorf(ErrVariable, path, "variable %q: %v", v.Name, err))
				}
			}
			values[v.Name] = value
			if v.Sensitive {
				sensitive = append(sensitive, value)
			}
		}
	}
	known := slices.Sorted(maps.Keys(values))
	for _, name := range slices.Sorted(maps.Keys(s.Variables)) {
		if _, ok := values[name]; !ok {
			errs = append(errs, &Error{Path: "variables." + name, Problem: "no profile of the stack has this variable" + nearest.Hint(name, known), Err: ErrVariable})
		}
	}
	return values, sensitive, errors.Join(errs...)
}

// A scope answers the macros of one layer.
type scope struct {
	profile   *Profile
	variables map[string]string
	system    map[string]string
}

func (s scope) lookup(m macro.Macro) (string, error) {
	if err := s.profile.knows(m); err != nil {
		return "", err
	}
	if name, ok := strings.CutPrefix(m.Path, varRoot); ok {
		return s.variables[name], nil
	}
	name := strings.TrimPrefix(m.Path, systemRoot)
	if v, ok := s.system[name]; ok {
		return v, nil
	}
	known := slices.Sorted(maps.Keys(s.system))
	return "", fmt.Errorf("no value for .spectro.system.%s%s; set it in Stack.System", name, nearest.Hint(name, known))
}

// scope returns the macros that layers of p see. kube is the version of the
// Kubernetes layer, "" if the stack has none.
func (s *Stack) scope(p *Profile, variables map[string]string, kube string) scope {
	system := map[string]string{
		"clusterprofile.name":    p.Name,
		"clusterprofile.version": p.Version,
	}
	if kube != "" {
		system[kubernetesVersion] = kube
	}
	for _, base := range s.Profiles {
		if base.Type != AddOn {
			system["clusterprofile.infra.name"] = base.Name
			system["clusterprofile.infra.version"] = base.Version
		}
	}
	maps.Copy(system, s.System)
	return scope{p, variables, system}
}
