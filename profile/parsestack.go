package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/strata-go/strata/layer"
)

// stackDocument is the file format of stacks.
type stackDocument struct {
	header `json:",inline"`
	// Metadata says which cluster it is for.
	Metadata stackMetadata `json:"metadata"`
	// Spec is what the cluster runs.
	Spec stackSpec `json:"spec"`
}

type stackMetadata struct {
	// Name is that of the cluster, a DNS label.
	Name string `json:"name"`
	// Description is for people.
	Description string `json:"description,omitempty"`
}

type stackSpec struct {
	// Profiles are at most one infrastructure or full profile and any number of
	// add-on profiles. Their order does not matter.
	Profiles []stackProfile `json:"profiles"`
	// Variables are the values of this cluster, by the name of the variable.
	Variables map[string]string `json:"variables,omitempty"`
	// System has values of the macros {{ .spectro.system.* }}, by what follows
	// "system.": "cluster.name".
	System map[string]string `json:"system,omitempty"`
	// Macros has the values of the macros {{ .spectro.macro.* }}.
	Macros *stackMacros `json:"macros,omitempty"`
	// Overrides change layers on this cluster only, at most one each.
	Overrides []Override `json:"overrides,omitempty"`
}

// stackMacros have the values of macros by name: those of the project win over
// those of the tenant, and those over the system's.
type stackMacros struct {
	Project map[string]string `json:"project,omitempty"`
	Tenant  map[string]string `json:"tenant,omitempty"`
	System  map[string]string `json:"system,omitempty"`
}

// A stackProfile is a file, or names a profile in a registry.
type stackProfile struct {
	// File is the path of the profile's file, relative to the stack's.
	File string `json:"file,omitempty"`
	// Registry is the name or URL of a registry, as layers have it.
	Registry string `json:"registry,omitempty"`
	// Name is that of the profile.
	Name string `json:"name,omitempty"`
	// Version is a constraint.
	Version string `json:"version,omitempty"`
	// Strategy says which of several versions is taken.
	Strategy layer.Strategy `json:"strategy,omitempty"`
}

// LoadStack reads the stack in the named file, and the profiles whose files it
// names. Those that are in registries are left to [Stack.ResolveProfiles].
// Errors are those of [Load] and [Compose].
func LoadStack(name string) (*Stack, error) {
	data, err := readNamed(name)
	if err != nil {
		return nil, err
	}
	return parseStack(name, data, func(file string) (*Profile, error) {
		return Load(filepath.Join(filepath.Dir(name), filepath.FromSlash(file)))
	})
}

// LoadStackFS is [LoadStack] for a file in fsys. All files are in fsys.
func LoadStackFS(fsys fs.FS, name string) (*Stack, error) {
	data, err := readBounded(fsys, name, name)
	if err != nil {
		return nil, err
	}
	return parseStack(name, data, func(file string) (*Profile, error) {
		return LoadFS(fsys, path.Join(path.Dir(name), file))
	})
}

// ParseStack parses a stack whose profiles are all in registries: call
// [Stack.ResolveProfiles] next. Problems are reported as by [Parse].
func ParseStack(data []byte) (*Stack, error) {
	return parseStack("", data, func(string) (*Profile, error) {
		return nil, errors.New("names a file, but the stack has no folder that it could be in; use LoadStack")
	})
}

func parseStack(file string, data []byte, load func(file string) (*Profile, error)) (*Stack, error) {
	var doc stackDocument
	o, err := decode(file, data, &doc)
	if err = o.check(doc.header, StackKind, err); err != nil {
		return nil, err
	}
	r := stackReader{origin: o, load: load}
	r.check(doc.Metadata.Name, doc.Spec)
	for i, sp := range doc.Spec.Profiles {
		r.profile(fmt.Sprintf("spec.profiles[%d]", i), sp)
	}
	if err := errors.Join(r.errs...); err != nil {
		return nil, err
	}
	return r.stack(doc.Spec)
}

type stackReader struct {
	origin
	load     func(file string) (*Profile, error)
	profiles []*Profile
	refs     []Reference
	errs     []error
}

func (r *stackReader) problem(path, format string, args ...any) {
	r.errs = append(r.errs, r.errorf(ErrInvalid, path, format, args...))
}

func (r *stackReader) check(name string, spec stackSpec) {
	if !dnsLabel.MatchString(name) {
		r.problem("metadata.name", "is %q; want a DNS label: lower-case letters, digits and hyphens, at most 63", name)
	}
	if len(spec.Profiles) == 0 {
		r.problem("spec.profiles", "is empty; a stack has at least one profile")
	}
}

// profile reads the file of a profile, or takes note of a reference.
func (r *stackReader) profile(at string, sp stackProfile) {
	ref := Reference{Registry: sp.Registry, Name: sp.Name, Version: sp.Version, Strategy: sp.Strategy}
	switch {
	case sp.File != "" && ref != Reference{}:
		r.problem(at, "names a file and a profile in a registry; keep one")
	case sp.File != "":
		p, err := r.load(sp.File)
		if _, ours := errors.AsType[*Error](err); ours {
			r.errs = append(r.errs, err)
		} else if err != nil {
			r.problem(at+".file", "%v", err)
		}
		r.profiles = append(r.profiles, p)
	case sp.Name == "":
		r.problem(at, "names no profile; give it a file, or the name of a profile in a registry")
	case !sp.Strategy.Valid():
		r.problem(at+".strategy", "is %q; want %s, %s or %s", sp.Strategy, layer.Newest, layer.NewestPatch, layer.Oldest)
	default:
		r.refs = append(r.refs, ref)
	}
}

// stack composes what was found.
func (r *stackReader) stack(spec stackSpec) (*Stack, error) {
	s := &Stack{}
	if len(r.profiles) > 0 {
		var err error
		if s, err = Compose(r.profiles...); err != nil {
			return nil, err
		}
	}
	s.References, s.Overrides, s.Variables, s.System = r.refs, spec.Overrides, spec.Variables, spec.System
	if spec.Macros != nil {
		s.Macros = Macros(*spec.Macros)
	}
	return s, nil
}
