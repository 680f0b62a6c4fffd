package profile

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/strata-go/strata/layer"
)

// maxReleaseName is how long Helm lets the name of a release be.
const maxReleaseName = 53

// source checks where the content of a layer comes from.
func (v *validator) source(path string, s layer.Source) {
	var set []string
	require := func(format layer.Format, field, value string) {
		set = append(set, string(format))
		if value == "" {
			v.problem(ErrInvalid, fmt.Sprintf("%s.%s.%s", path, format, field), "is missing")
		}
	}
	if s.Pack != nil {
		require(layer.FormatPack, "name", s.Pack.Name)
	}
	if s.Helm != nil {
		require(layer.FormatHelm, "chart", s.Helm.Chart)
		v.releaseName(path+".helm.releaseName", s.Helm.ReleaseName)
	}
	if s.Zarf != nil {
		require(layer.FormatZarf, "package", s.Zarf.Package)
	}
	if s.Manifests != nil {
		set = append(set, string(layer.FormatManifests))
		v.files(path+".manifests", *s.Manifests)
	}
	v.ref(fmt.Sprintf("%s.%s", path, s.Format()), s.Ref())
	switch {
	case len(set) == 0:
		v.problem(ErrInvalid, path, "has no source; give it one of pack, helm, zarf or manifests")
	case len(set) > 1:
		v.problem(ErrInvalid, path, "has %d sources (%s); keep one", len(set), strings.Join(set, ", "))
	}
}

func (v *validator) ref(path string, ref layer.Ref) {
	if u, err := url.Parse(ref.Registry); err == nil && u.User != nil {
		v.problem(ErrInvalid, path+".registry", "holds credentials; give them to the registry client")
	}
	if !ref.Strategy.Valid() {
		v.problem(ErrInvalid, path+".strategy", "is %q; want %s, %s or %s", ref.Strategy, layer.Newest, layer.NewestPatch, layer.Oldest)
	}
}

func (v *validator) releaseName(path, name string) {
	if name != "" && (!dnsLabel.MatchString(name) || len(name) > maxReleaseName) {
		v.problem(ErrInvalid, path, "is %q; want lower-case letters, digits and hyphens, at most %d", name, maxReleaseName)
	}
}

func (v *validator) files(path string, m layer.Manifests) {
	switch {
	case len(m.Files) > 0 && v.origin.file == "":
		v.problem(ErrInvalid, path+".files", "names files, but the profile has no folder that they could be in; use Load")
	case len(m.Files)+len(m.Inline) == 0:
		v.problem(ErrInvalid, path+".inline", "is empty; a manifests layer has at least one")
	}
	for i, file := range m.Files {
		if strings.TrimSpace(file) == "" {
			v.problem(ErrInvalid, fmt.Sprintf("%s.files[%d]", path, i), "is empty")
		}
	}
	v.manifests(path+".inline", m.Inline, map[string]string{})
}

// manifests checks a list of manifests. Names says where the names of the layer
// are used already.
func (v *validator) manifests(path string, ms []layer.Manifest, names map[string]string) {
	for i, m := range ms {
		at := fmt.Sprintf("%s[%d]", path, i)
		v.name(at+".name", m.Name)
		if first, ok := names[m.Name]; ok {
			v.problem(ErrConflict, at+".name", "%q is also the name of %s", m.Name, first)
		} else {
			names[m.Name] = at
		}
		if strings.TrimSpace(m.Content) == "" {
			v.problem(ErrInvalid, at+".content", "is empty")
		}
		v.macros(at+".content", m.Content)
	}
}

var (
	// kindName is the form "Kind" or "Kind.group".
	kindName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*(\.[a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$`)
	// pointer is RFC 6901, section 3, but for the pointer to the whole document.
	pointer = regexp.MustCompile(`^(/([^~/]|~[01])*)+$`)
)

// options checks how a layer is installed.
func (v *validator) options(path string, l layer.Layer) {
	v.presets(path+".presets", l)
	names := map[string]string{}
	if l.Manifests != nil {
		for i, m := range l.Manifests.Inline {
			names[m.Name] = fmt.Sprintf("%s.manifests.inline[%d]", path, i)
		}
	}
	v.manifests(path+".attachedManifests", l.AttachedManifests, names)
	checks := map[string]string{}
	for i, c := range l.Readiness {
		v.check(fmt.Sprintf("%s.readiness[%d]", path, i), c, checks)
	}
	if !l.Adopt.Valid() {
		v.problem(ErrInvalid, path+".adopt", "is %q; want %s, %s or %s", l.Adopt, layer.AdoptNever, layer.AdoptIfUnowned, layer.AdoptAlways)
	}
	if !l.CRDs.Valid() {
		v.problem(ErrInvalid, path+".crds", "is %q; want %s, %s or %s", l.CRDs, layer.CRDCreate, layer.CRDUpgrade, layer.CRDNever)
	}
	if !l.HookTimeout.Valid() {
		v.problem(ErrInvalid, path+".hookTimeout", `is %q; want a time of more than 0, with its units: "90s", "40m", "1h30m"`, l.HookTimeout)
	}
	if l.Test && l.Manifests != nil {
		v.problem(ErrInvalid, path+".test", "is set on a layer of manifests; only charts have tests")
	}
	for i, kind := range l.Keep {
		v.kindName(fmt.Sprintf("%s.keep[%d]", path, i), kind)
	}
	v.driftMode(path+".drift.mode", l.Drift.Mode)
	for i, rule := range l.Drift.Rules {
		v.drift(fmt.Sprintf("%s.drift.rules[%d]", path, i), rule)
	}
	v.allow(path+".allow", l)
}

// allow checks what a layer may have. An empty list is no way to allow nothing:
// without entries all is allowed.
func (v *validator) allow(path string, l layer.Layer) {
	v.notEmpty(path+".namespaces", l.Allow.Namespaces)
	v.notEmpty(path+".kinds", l.Allow.Kinds)
	for i, kind := range l.Allow.Kinds {
		v.kindName(fmt.Sprintf("%s.kinds[%d]", path, i), kind)
	}
	for i, namespace := range l.Allow.Namespaces {
		if namespace != "" {
			v.name(fmt.Sprintf("%s.namespaces[%d]", path, i), namespace)
		}
	}
	if l.Namespace != "" && !l.Allow.AllowsNamespace(l.Namespace) {
		v.problem(ErrInvalid, path+".namespaces", "does not have %q, where the layer is installed", l.Namespace)
	}
}

func (v *validator) notEmpty(path string, list []string) {
	if list != nil && len(list) == 0 {
		v.problem(ErrInvalid, path, "is empty, which allows all; name what is allowed, or leave it out")
	}
}

func (v *validator) presets(path string, l layer.Layer) {
	if len(l.Presets) > 0 && l.Pack == nil {
		v.problem(ErrInvalid, path, "are switched on for a source that has none; only packs have presets")
	}
	for group, name := range l.Presets {
		if name == "" {
			v.problem(ErrInvalid, path+"."+group, "names no preset")
		}
	}
}

// check checks a readiness check. Names says where names are used already.
func (v *validator) check(path string, c layer.Check, names map[string]string) {
	if c.Name == "" {
		v.problem(ErrInvalid, path+".name", "is missing")
	} else if first, ok := names[c.Name]; ok {
		v.problem(ErrConflict, path+".name", "%q is also the name of %s", c.Name, first)
	}
	names[c.Name] = path
	if c.Version == "" {
		v.problem(ErrInvalid, path+".version", "is missing")
	}
	if c.Kind == "" {
		v.problem(ErrInvalid, path+".kind", "is missing")
	}
	for i, f := range c.Fields {
		if f.Path == "" {
			v.problem(ErrInvalid, fmt.Sprintf("%s.fields[%d].path", path, i), "is missing")
		}
	}
}

func (v *validator) drift(at string, rule layer.DriftRule) {
	if rule.Kind != "" && rule.Kind != "*" {
		v.kindName(at+".kind", rule.Kind)
	}
	if rule.Kind+rule.Namespace+rule.Name+rule.Manager == "" && len(rule.Paths) == 0 {
		v.problem(ErrInvalid, at, "matches everything; set drift.mode instead, or name fields: paths: [/spec/replicas]")
	}
	for i, p := range rule.Paths {
		if !pointer.MatchString(p) {
			v.problem(ErrInvalid, fmt.Sprintf("%s.paths[%d]", at, i), "is %q; want a JSON pointer such as /spec/replicas", p)
		}
	}
	for _, pattern := range [][2]string{{"namespace", rule.Namespace}, {"name", rule.Name}, {"manager", rule.Manager}} {
		if _, err := path.Match(pattern[1], ""); err != nil {
			v.problem(ErrInvalid, at+"."+pattern[0], "is %q, which is no pattern; want one such as web-*", pattern[1])
		}
	}
	v.driftMode(at+".mode", rule.Mode)
}

func (v *validator) driftMode(at string, mode layer.DriftMode) {
	if !mode.Valid() {
		v.problem(ErrInvalid, at, "is %q; want %s, %s or %s", mode, layer.DriftCorrect, layer.DriftReport, layer.DriftOff)
	}
}

func (v *validator) kindName(path, kind string) {
	if !kindName.MatchString(kind) {
		v.problem(ErrInvalid, path, `is %q; want a kind, with its group if it has one: "Certificate.cert-manager.io"`, kind)
	}
}
