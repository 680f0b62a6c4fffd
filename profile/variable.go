package profile

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"

	"github.com/Masterminds/semver/v3"
)

// A Format says which texts are values of a variable.
// The zero Format means [FormatString].
type Format string

// The formats, as Palette has them.
const (
	FormatString   Format = "string"
	FormatNumber   Format = "number"  // whole or with a fraction
	FormatBoolean  Format = "boolean" // true or false
	FormatIPv4     Format = "ipv4"
	FormatIPv4CIDR Format = "ipv4cidr"
	FormatIPv6     Format = "ipv6"
	FormatVersion  Format = "version" // a semantic version
	FormatBase64   Format = "base64"
)

// A Variable is a value that a cluster supplies, used as {{ .spectro.var.name }}.
type Variable struct {
	// Name is unique in the stack, unless the definitions are equal.
	Name string `json:"name"`
	// Description is for people.
	Description string `json:"description,omitempty"`
	// Format restricts the values. If empty, any text.
	Format Format `json:"format,omitempty"`
	// Default is the value if the cluster gives none.
	Default string `json:"default,omitempty"`
	// Required says that there must be a value, the default or another.
	// Without it a variable that has none is the empty text.
	Required bool `json:"required,omitempty"`
	// Regex is an RE2 expression that a value must match somewhere.
	Regex string `json:"regex,omitempty"`
	// Sensitive values are shown nowhere.
	Sensitive bool `json:"sensitive,omitempty"`
}

// Check returns what is wrong with value as a value of v, or nil. The error
// does not show a sensitive value.
func (v Variable) Check(value string) error {
	shown := strconv.Quote(value)
	if v.Sensitive {
		shown = "the value given (sensitive)"
	}
	if !v.Format.accepts(value) {
		return fmt.Errorf("%s is not of format %s", shown, v.Format)
	}
	if v.Regex == "" {
		return nil
	}
	re, err := regexp.Compile(v.Regex)
	if err != nil {
		return fmt.Errorf("regex: %w", err)
	}
	if !re.MatchString(value) {
		return fmt.Errorf("%s does not match regex %q", shown, v.Regex)
	}
	return nil
}

func (f Format) valid() bool {
	switch f {
	case "", FormatString, FormatNumber, FormatBoolean, FormatIPv4, FormatIPv4CIDR, FormatIPv6, FormatVersion, FormatBase64:
		return true
	}
	return false
}

func (f Format) accepts(value string) bool {
	var err error
	switch f {
	case FormatNumber:
		_, err = strconv.ParseFloat(value, 64)
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
		return perr == nil && a.Is6()
	case FormatVersion:
		_, err = semver.StrictNewVersion(value)
	case FormatBase64:
		_, err = base64.StdEncoding.DecodeString(value)
	}
	return err == nil
}
