package profile

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/layer"
)

var (
	// dnsLabel is RFC 1123, section 2.1, as Kubernetes reads it.
	dnsLabel     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// Validate reports every problem in p, each as an [*Error], joined.
func (p *Profile) Validate() error {
	v := validator{Profile: p}
	v.head()
	for i := range p.Variables {
		v.variable(i)
	}
	for i := range p.Layers {
		v.layer(i)
	}
	v.kinds()
	return errors.Join(v.errs...)
}

type validator struct {
	*Profile
	errs []error
}

func (v *validator) problem(sort error, path, format string, args ...any) {
	v.errs = append(v.errs, v.errorf(sort, path, format, args...))
}

func (v *validator) name(path, name string) {
	if !dnsLabel.MatchString(name) {
		v.problem(ErrInvalid, path, "is %q; want a DNS label: lower-case letters, digits and hyphens, at most 63", name)
	}
}

func (v *validator) head() {
	v.name("metadata.name", v.Name)
	if _, err := semver.StrictNewVersion(v.Version); err != nil {
		v.problem(ErrInvalid, "spec.version", "is %q; want a semantic version such as 1.2.3", v.Version)
	}
	if !slices.Contains([]Type{"", Infrastructure, AddOn, Full}, v.Type) {
		v.problem(ErrInvalid, "spec.type", "is %q; want %s, %s or %s", v.Type, Infrastructure, AddOn, Full)
	}
	if len(v.Layers) == 0 {
		v.problem(ErrInvalid, "spec.layers", "is empty; a profile has at least one layer")
	}
}

func (v *validator) variable(i int) {
	va, path := v.Variables[i], fmt.Sprintf("spec.variables[%d]", i)
	if !variableName.MatchString(va.Name) {
		v.problem(ErrInvalid, path+".name", "is %q; want letters, digits, _ and -", va.Name)
	}
	if first := slices.IndexFunc(v.Variables, func(o Variable) bool { return o.Name == va.Name }); first < i {
		v.problem(ErrConflict, path+".name", "%q is also the name of spec.variables[%d]", va.Name, first)
	}
	if !va.Format.valid() {
		v.problem(ErrInvalid, path+".format", "is %q; want string, number, boolean, ipv4, ipv4cidr, ipv6, version or base64", va.Format)
	}
	if _, err := regexp.Compile(va.Regex); err != nil {
		v.problem(ErrInvalid, path+".regex", "%v", err)
	} else if va.Default != "" {
		if err := va.Check(va.Default); err != nil {
			v.problem(ErrVariable, path+".default", "%v", err)
		}
	}
}

func (v *validator) layer(i int) {
	l, path := v.Layers[i], fmt.Sprintf("spec.layers[%d]", i)
	v.name(path+".name", l.Name)
	if first := slices.IndexFunc(v.Layers, func(o layer.Layer) bool { return o.Name == l.Name }); first < i {
		v.problem(ErrConflict, path+".name", "%q is also the name of spec.layers[%d]; give one of them another name", l.Name, first)
	}
	if !l.Kind.Valid() {
		v.problem(ErrInvalid, path+".kind", "is %q; want one of %s", l.Kind, joinKinds(layer.Kinds()))
	}
	if l.Kind.Core() && l.InstallOrder != 0 {
		v.problem(ErrInvalid, path+".installOrder", "is %d on a %s layer; only add-on layers have an install order", l.InstallOrder, l.Kind)
	}
	if l.Namespace != "" {
		v.name(path+".namespace", l.Namespace)
	}
	v.source(path, l.Source)
	v.document(path+".values", l.Values)
}

func (v *validator) source(path string, s layer.Source) {
	var set []string
	require := func(format layer.Format, field, value string) {
		set = append(set, string(format))
		if u, err := url.Parse(s.Ref().Registry); err == nil && u.User != nil {
			v.problem(ErrInvalid, fmt.Sprintf("%s.%s.registry", path, format), "holds credentials; give them to the registry client")
		}
		if value == "" {
			v.problem(ErrInvalid, fmt.Sprintf("%s.%s.%s", path, format, field), "is missing")
		}
	}
	if s.Pack != nil {
		require(layer.FormatPack, "name", s.Pack.Name)
	}
	if s.Helm != nil {
		require(layer.FormatHelm, "chart", s.Helm.Chart)
	}
	if s.Zarf != nil {
		require(layer.FormatZarf, "package", s.Zarf.Package)
	}
	if s.Manifests != nil {
		set = append(set, string(layer.FormatManifests))
		v.manifests(path+".manifests.inline", s.Manifests.Inline)
	}
	if st := s.Ref().Strategy; !st.Valid() {
		v.problem(ErrInvalid, fmt.Sprintf("%s.%s.strategy", path, s.Format()), "is %q; want %s, %s or %s", st, layer.Newest, layer.NewestPatch, layer.Oldest)
	}
	switch {
	case len(set) == 0:
		v.problem(ErrInvalid, path, "has no source; give it one of pack, helm, zarf or manifests")
	case len(set) > 1:
		v.problem(ErrInvalid, path, "has %d sources (%s); keep one", len(set), strings.Join(set, ", "))
	}
}

func (v *validator) manifests(path string, ms []layer.Manifest) {
	if len(ms) == 0 {
		v.problem(ErrInvalid, path, "is empty; a manifests layer has at least one")
	}
	for i, m := range ms {
		at := fmt.Sprintf("%s[%d]", path, i)
		v.name(at+".name", m.Name)
		if first := slices.IndexFunc(ms, func(o layer.Manifest) bool { return o.Name == m.Name }); first < i {
			v.problem(ErrConflict, at+".name", "%q is also the name of %s[%d]", m.Name, path, first)
		}
		if strings.TrimSpace(m.Content) == "" {
			v.problem(ErrInvalid, at+".content", "is empty")
		}
		v.macros(at+".content", m.Content)
	}
}

// document checks that text is a YAML mapping whose macros are known.
func (v *validator) document(path, text string) {
	protected, _ := macro.Protect(text)
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(protected), &n); err != nil {
		v.problem(ErrSyntax, path, "invalid YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	if len(n.Content) > 0 && n.Content[0].Kind != yaml.MappingNode && n.Content[0].Tag != "!!null" {
		v.problem(ErrSyntax, path, "want a mapping at the top")
	}
	v.macros(path, text)
}

func (v *validator) macros(path, text string) {
	for _, m := range macro.Scan(text) {
		if err := v.knows(m); err != nil {
			v.problem(ErrMacro, path, "line %d: %s: %v", m.Line, text[m.Start:m.End], err)
		}
	}
}

// kinds checks which layers a profile of its type has.
func (v *validator) kinds() {
	for _, k := range layer.Kinds() {
		if k == layer.AddOn {
			continue
		}
		var found []int
		for i, l := range v.Layers {
			if l.Kind.OrDefault() == k {
				found = append(found, i)
			}
		}
		switch {
		case v.Type == AddOn:
			for _, i := range found {
				v.problem(ErrKind, fmt.Sprintf("spec.layers[%d].kind", i), "layer %q is of kind %s, which an add-on profile may not have; make the profile %s or %s, or remove the layer", v.Layers[i].Name, k, Full, Infrastructure)
			}
		case len(found) == 0:
			v.problem(ErrKind, "spec.layers", "there is no %s layer; this type of profile has exactly one", k)
		case len(found) > 1:
			for _, i := range found[1:] {
				v.problem(ErrKind, fmt.Sprintf("spec.layers[%d].kind", i), "layer %q is a second %s layer beside %q; a cluster has exactly one, remove one of them", v.Layers[i].Name, k, v.Layers[found[0]].Name)
			}
		}
	}
	if v.Type == Infrastructure {
		for i, l := range v.Layers {
			if l.Kind.OrDefault() == layer.AddOn {
				v.problem(ErrKind, fmt.Sprintf("spec.layers[%d].kind", i), "layer %q is an add-on, which an infrastructure profile may not have; make the profile %s, or move the layer to an add-on profile", l.Name, Full)
			}
		}
	}
}

func joinKinds(ks []layer.Kind) string {
	names := make([]string, len(ks))
	for i, k := range ks {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}
