package profile

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// A Format says which texts are values of a variable.
// The zero Format means [FormatString].
type Format string

// The formats, as Palette has them.
const (
	FormatString   Format = "string"
	FormatNumber   Format = "number"  // decimal, whole or with a fraction
	FormatBoolean  Format = "boolean" // true or false
	FormatIPv4     Format = "ipv4"
	FormatIPv4CIDR Format = "ipv4cidr"
	FormatIPv6     Format = "ipv6"
	FormatVersion  Format = "version" // a semantic version
	FormatBase64   Format = "base64"
)

// An InputType says how forms ask for a variable.
// The zero InputType means [InputText].
type InputType string

// The input types.
const (
	InputText      InputType = "text"
	InputDropdown  InputType = "dropdown" // one of the options
	InputMultiline InputType = "multiline"
)

// A Variable is a value that a cluster supplies, used as {{ .spectro.var.name }}.
// Its place in the list of its profile is its place in forms.
type Variable struct {
	// Name is unique in the stack, unless the definitions are equal.
	Name string `json:"name"`
	// DisplayName is shown in forms, and unique in the profile. If empty, Name.
	DisplayName string `json:"displayName,omitempty"`
	// Description is for people.
	Description string `json:"description,omitempty"`
	// Format restricts the values. If empty, any text.
	Format Format `json:"format,omitempty"`
	// InputType is how forms ask for the value. If empty, [InputText].
	InputType InputType `json:"inputType,omitempty"`
	// Options are the only values of a variable that is a dropdown.
	Options []Option `json:"options,omitempty"`
	// Default is the value if the cluster gives none. If empty, the option that
	// is marked as the default.
	Default string `json:"default,omitempty"`
	// Required says that there must be a value, the default or another.
	// Without it a variable that has none is the empty text.
	Required bool `json:"required,omitempty"`
	// Regex is an RE2 expression that a value must match somewhere.
	Regex string `json:"regex,omitempty"`
	// Hidden variables are not in forms. If one is required, it has a default.
	Hidden bool `json:"hidden,omitempty"`
	// Immutable variables have a default, and clusters give no other value.
	Immutable bool `json:"immutable,omitempty"`
	// Sensitive values are shown nowhere.
	Sensitive bool `json:"sensitive,omitempty"`
}

// An Option is one of the values of a variable that is a dropdown.
type Option struct {
	Value string `json:"value"`
	// Label is shown in forms. If empty, Value.
	Label string `json:"label,omitempty"`
	// Description is for people.
	Description string `json:"description,omitempty"`
	// Default marks the option that is taken if the cluster gives no value.
	Default bool `json:"default,omitempty"`
}

// Value returns the value of v if a cluster gives none; empty if there is no
// default.
func (v Variable) Value() string {
	if v.Default != "" {
		return v.Default
	}
	for _, o := range v.Options {
		if o.Default {
			return o.Value
		}
	}
	return ""
}

// Check returns what is wrong with value as a value of v, all of it joined, or
// nil. The error does not show a sensitive value.
func (v Variable) Check(value string) error { return errors.Join(v.problems(value)...) }

func (v Variable) problems(value string) []error {
	shown := strconv.Quote(value)
	if v.Sensitive {
		shown = "the value given (sensitive)"
	}
	var errs []error
	if !v.Format.accepts(value) {
		errs = append(errs, fmt.Errorf("%s is not of format %s", shown, v.Format))
	}
	if len(v.Options) > 0 && !slices.ContainsFunc(v.Options, func(o Option) bool { return o.Value == value }) {
		errs = append(errs, fmt.Errorf("%s is none of the options%s", shown, v.choices()))
	}
	if v.Regex != "" {
		if re, err := regexp.Compile(v.Regex); err != nil {
			errs = append(errs, fmt.Errorf("regex: %w", err))
		} else if !re.MatchString(value) {
			errs = append(errs, fmt.Errorf("%s does not match regex %q", shown, v.Regex))
		}
	}
	if v.Immutable && value != v.Value() {
		errs = append(errs, errors.New("it is immutable; a cluster cannot change it"))
	}
	return errs
}

// choices lists the options, for people.
func (v Variable) choices() string {
	if v.Sensitive {
		return ""
	}
	values := make([]string, len(v.Options))
	for i, o := range v.Options {
		values[i] = o.Value
	}
	return " (" + strings.Join(values, ", ") + ")"
}

func (f Format) valid() bool {
	switch f {
	case "", FormatString, FormatNumber, FormatBoolean, FormatIPv4, FormatIPv4CIDR, FormatIPv6, FormatVersion, FormatBase64:
		return true
	}
	return false
}

// What JSON Schema can say of a format; see also [Format.accepts].
const (
	numberPattern   = `^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`
	ipv4cidrPattern = `^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$`
	versionPattern  = `^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`
	base64Pattern   = `^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`
)

var number = regexp.MustCompile(numberPattern)

func (f Format) accepts(value string) bool {
	var err error
	switch f {
	case FormatString:
		return true
	case FormatNumber:
		return number.MatchString(value)
	case FormatBoolean:
		return value == "true" || value == "false"
	case FormatIPv4:
		a, perr := netip.ParseAddr(value)
		return perr == nil && a.Is4()
	case FormatIPv4CIDR:
		p, perr := netip.ParsePrefix(value)
		return perr == nil && p.Addr().Is4()
	case FormatIPv6:
		a, perr := netip.ParseAddr(value)
		return perr == nil && a.Is6() && a.Zone() == ""
	case FormatVersion:
		_, err = semver.StrictNewVersion(value)
	case FormatBase64:
		_, err = base64.StdEncoding.Strict().DecodeString(value)
	}
	return err == nil && (f != FormatBase64 || !strings.ContainsAny(value, "\r\n"))
}
