package profile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/layer"
)

var (
	// dnsLabel is RFC 1123, section 2.1, as Kubernetes reads it.
	dnsLabel     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// Validate reports every problem in p, each as an [*Error], joined.
func (p *Profile) Validate() error { return p.validate(nil) }

// validate is Validate with a memo for profiles that have none.
func (p *Profile) validate(m *memo) error {
	v := validator{Profile: p, memo: p.knownBy(m), layers: map[string]int{}}
	v.head()
	v.cloud()
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
	memo   *memo
	layers map[string]int // the first of each name
	errs   []error
}

func (v *validator) problem(sort error, path, format string, args ...any) {
	v.errs = append(v.errs, v.errorf(sort, path, format, args...))
}

func (v *validator) name(path, name string) {
	switch {
	case strings.Contains(name, "{{"):
		v.problem(ErrInvalid, path, "is %q; macros stand in values and manifests only: want a DNS label", name)
	case !dnsLabel.MatchString(name):
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

func (v *validator) layer(i int) {
	l, path := v.Layers[i], fmt.Sprintf("spec.layers[%d]", i)
	v.name(path+".name", l.Name)
	if first, ok := v.layers[l.Name]; ok {
		v.problem(ErrConflict, path+".name", "%q is also the name of spec.layers[%d]; give one of them another name", l.Name, first)
	} else {
		v.layers[l.Name] = i
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
	v.options(path, l)
}

// document checks that text is a YAML mapping whose macros are known.
func (v *validator) document(path, text string) {
	found := v.memo.document(text)
	if found.problem != "" {
		v.problem(ErrSyntax, path, "%s", found.problem)
		return
	}
	v.knownMacros(path, text, found.macros)
}

// macros checks that the macros of a YAML stream are known.
func (v *validator) macros(path, text string) {
	doc, err := v.memo.parse(text)
	switch {
	case err != nil:
		v.problem(ErrSyntax, path, "%v", err)
	case doc != nil:
		v.knownMacros(path, text, doc.Macros())
	}
}

func (v *validator) knownMacros(path, text string, macros []macro.Macro) {
	for _, m := range macros {
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
