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
	"github.com/strata-go/strata/internal/redact"
	"github.com/strata-go/strata/layer"
)

// An environment is what the macros of a stack see. Only the version of
// Kubernetes and the pins come after it is made.
type environment struct {
	variables map[string]string
	sensitive map[string]bool // variables by name
	given     map[string]bool // variables that the cluster gives
	macros    Macros
	system    map[string]string
	layers    []placed
	pins      []layer.Pin
	secrets   redact.Redactor
	memo      *memo

	kubernetesGiven bool // the stack says the version of Kubernetes
}

// environment returns what the macros of s see.
func (s *Stack) environment(layers []placed, variables map[string]string, secrets []string) *environment {
	e := &environment{
		variables: variables, sensitive: map[string]bool{}, given: map[string]bool{}, macros: s.Macros, layers: layers,
		system: map[string]string{}, secrets: redact.New(secrets), memo: s.memo,
	}
	for _, p := range s.Profiles {
		if p.Type != AddOn {
			e.system["clusterprofile.infra.name"] = p.Name
			e.system["clusterprofile.infra.version"] = p.Version
			e.system["cloud.type"] = p.Cloud()
		}
		for _, v := range p.Variables {
			e.sensitive[v.Name] = v.Sensitive
			_, e.given[v.Name] = s.Variables[v.Name]
		}
	}
	for _, l := range layers {
		if l.Kind == layer.Kubernetes {
			e.system[kubernetesVersion] = "0.0.0" // until it is pinned
		}
	}
	maps.Copy(e.system, s.System)
	_, e.kubernetesGiven = s.System[kubernetesVersion]
	return e
}

// scope returns the environment as the i-th layer sees it.
func (e *environment) scope(i int, packs *packs) scope {
	return scope{environment: e, layer: i, packs: packs}
}

// check reports the macros in the layers that have no value. It needs no pins.
func (e *environment) check() error {
	var errs []error
	for i, l := range e.layers {
		lookup := e.scope(i, nil).lookup
		for _, t := range textsOf(l.Layer) {
			doc, err := l.from.knownBy(e.memo).parse(t.text)
			if doc != nil {
				err = doc.Check(lookup)
			}
			errs = append(errs, l.macroError(t.field, err))
		}
	}
	return errors.Join(errs...)
}

// macroError says that the macros in a field of l cannot be replaced.
func (l placed) macroError(field string, err error) error {
	if err == nil {
		return nil
	}
	return l.from.errorf(ErrMacro, "", "layer %q, %s: %v", l.Name, field, err)
}

// bind returns the layers with their macros replaced, but for those that need
// the content of packs, which stay.
func (e *environment) bind(pins []layer.Pin) ([]PinnedLayer, error) {
	e.pins = pins
	for i, l := range e.layers {
		if l.Kind == layer.Kubernetes && !e.kubernetesGiven {
			e.system[kubernetesVersion] = pins[i].Resolved
		}
	}
	all, own := make([]PinnedLayer, len(e.layers)), make([]digest.Digest, len(e.layers))
	var errs []error
	for i, l := range e.layers {
		s := e.scope(i, nil)
		bound, problems := e.bindLayer(l, s.lookup)
		errs = append(errs, problems...)
		all[i] = PinnedLayer{Layer: bound, Profile: l.from.ID(), Pin: pins[i], scope: s}
		bound.HookTimeout = "" // it changes nothing of what is applied
		own[i] = digestOf([]any{bound, pins[i].Digest})
	}
	for i := range all {
		all[i].scope.inputs = e.inputs(all[i].scope, own)
	}
	return all, errors.Join(errs...)
}

// inputs identifies everything that goes into a layer. own identifies what each
// layer is by itself. Which macros the files of a pack hold is not known before
// they are fetched, so all that they may see counts.
func (e *environment) inputs(s scope, own []digest.Digest) digest.Digest {
	l := e.layers[s.layer]
	if l.Format() != layer.FormatPack && !e.refersToPacks(l) {
		return own[s.layer]
	}
	return digestOf([]any{own[s.layer], own, e.variables, e.system, e.macros.merged(), l.from.ID()})
}

func (e *environment) refersToPacks(l placed) bool {
	for _, text := range textsOf(l.Layer) {
		for _, m := range macro.Scan(text.text) {
			if strings.HasPrefix(m.Path, packRoot) {
				return true
			}
		}
	}
	return false
}

// bindLayer returns a layer with the macros in what the profile says replaced.
func (e *environment) bindLayer(l placed, lookup macro.Lookup) (layer.Layer, []error) {
	var errs []error
	memo := l.from.knownBy(e.memo)
	text := func(field, text string) string {
		doc, err := memo.parse(text)
		if err == nil && doc == nil {
			return text
		}
		var out []byte
		if err == nil {
			out, err = doc.Bind(lookup)
		}
		errs = append(errs, l.macroError(field, err))
		return string(out)
	}
	manifests := func(list []layer.Manifest) []layer.Manifest {
		list = slices.Clone(list)
		for i, m := range list {
			list[i].Content = text("manifest "+m.Name, m.Content)
		}
		return list
	}
	bound := l.Layer
	bound.Values = text("values", l.Values)
	if l.Manifests != nil {
		bound.Manifests = &layer.Manifests{Inline: manifests(l.Manifests.Inline)}
	}
	bound.AttachedManifests = manifests(l.AttachedManifests)
	return bound, errs
}

// A fieldText is a text of a layer that may hold macros.
type fieldText struct{ field, text string }

// textsOf returns the texts of l that may hold macros.
func textsOf(l layer.Layer) []fieldText {
	texts := []fieldText{{"values", l.Values}}
	for _, m := range manifestsOf(l) {
		texts = append(texts, fieldText{"manifest " + m.Name, m.Content})
	}
	return texts
}

// variables returns the values of all variables in s, and those values that
// are sensitive.
func (s *Stack) variables() (values map[string]string, sensitive []string, err error) {
	values = map[string]string{}
	var errs []error
	for _, p := range s.sorted() {
		for i, v := range p.Variables {
			if _, known := values[v.Name]; known {
				continue // defined alike by another profile
			}
			value, given := s.Variables[v.Name]
			if !given {
				value = v.Value()
			}
			path := fmt.Sprintf("spec.variables[%d]", i)
			if value == "" && v.Required {
				errs = append(errs, p.errorf(ErrVariable, path, "variable %q is required, has no default, and the stack gives no value", v.Name))
			} else if value != "" || given && v.Immutable {
				for _, problem := range v.problems(value) {
					errs = append(errs, p.errorf(ErrVariable, path, "variable %q: %v", v.Name, problem))
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
