package profile

import (
	"fmt"
	"regexp"
	"slices"
)

// variable checks the definition of a variable.
func (v *validator) variable(i int) {
	va, path := v.Variables[i], fmt.Sprintf("spec.variables[%d]", i)
	if !variableName.MatchString(va.Name) {
		v.problem(ErrInvalid, path+".name", "is %q; want letters, digits, _ and -", va.Name)
	}
	if first := slices.IndexFunc(v.Variables, func(o Variable) bool { return o.Name == va.Name }); first < i {
		v.problem(ErrConflict, path+".name", "%q is also the name of spec.variables[%d]", va.Name, first)
	}
	if va.DisplayName != "" {
		if first := slices.IndexFunc(v.Variables, func(o Variable) bool { return o.DisplayName == va.DisplayName }); first < i {
			v.problem(ErrConflict, path+".displayName", "%q is also the displayName of spec.variables[%d]", va.DisplayName, first)
		}
	}
	if !va.Format.valid() {
		v.problem(ErrInvalid, path+".format", "is %q; want string, number, boolean, ipv4, ipv4cidr, ipv6, version or base64", va.Format)
	}
	v.choices(path, va)
	v.defaults(path, va)
}

// choices checks the options of a variable.
func (v *validator) choices(path string, va Variable) {
	switch {
	case !slices.Contains([]InputType{"", InputText, InputDropdown, InputMultiline}, va.InputType):
		v.problem(ErrInvalid, path+".inputType", "is %q; want %s, %s or %s", va.InputType, InputText, InputDropdown, InputMultiline)
	case va.InputType == InputDropdown && len(va.Options) == 0:
		v.problem(ErrInvalid, path+".options", "is empty; a dropdown has at least one option")
	case va.InputType != InputDropdown && len(va.Options) > 0:
		v.problem(ErrInvalid, path+".options", "is set, but inputType is not %s", InputDropdown)
	}
	marked := -1
	for i, o := range va.Options {
		at := fmt.Sprintf("%s.options[%d]", path, i)
		if first := slices.IndexFunc(va.Options, func(other Option) bool { return other.Value == o.Value }); first < i {
			v.problem(ErrConflict, at+".value", "is also the value of options[%d]", first)
		}
		// An option is a value, so it must be one by all other rules.
		plain := va
		plain.Options, plain.Immutable = nil, false
		if err := plain.Check(o.Value); err != nil && va.Format.valid() && compiles(va.Regex) {
			v.problem(ErrVariable, at+".value", "%v", err)
		}
		switch {
		case o.Default && marked >= 0:
			v.problem(ErrConflict, at+".default", "options[%d] is the default already", marked)
		case o.Default && va.Default != "" && va.Default != o.Value:
			v.problem(ErrConflict, at+".default", "is true, but the default of the variable is another; keep one of both")
		case o.Default:
			marked = i
		}
	}
}

// defaults checks the default of a variable, and where there must be one.
func (v *validator) defaults(path string, va Variable) {
	value := va.Value()
	switch {
	case value == "" && va.Immutable:
		v.problem(ErrVariable, path+".default", "is missing; an immutable variable has no other value")
	case value == "" && va.Hidden && va.Required:
		v.problem(ErrVariable, path+".default", "is missing; nobody is asked for a hidden variable, so a required one needs a default")
	}
	if _, err := regexp.Compile(va.Regex); err != nil {
		v.problem(ErrInvalid, path+".regex", "%v", err)
	} else if va.Default != "" && va.Format.valid() {
		if err := va.Check(va.Default); err != nil {
			v.problem(ErrVariable, path+".default", "%v", err)
		}
	}
}

func compiles(expression string) bool {
	_, err := regexp.Compile(expression)
	return err == nil
}
