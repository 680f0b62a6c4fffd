package profile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/joined"
	"github.com/strata-go/strata/internal/strictyaml"
	"github.com/strata-go/strata/layer"
)

// ImportPalette reads a profile that Palette exported, in JSON or YAML. The
// notes say what could not be carried over as it was; nothing is left out
// silently. Packs keep their values as one text, with its comments; those of
// charts are taken out of what Palette puts around them.
//
// Errors are those of [Parse]. Where the profile is read but is not valid here,
// it is returned beside the error.
func ImportPalette(data []byte, o PaletteOptions) (*Profile, []Note, error) {
	var file paletteFile
	im := importer{options: o}
	_, err := strictyaml.Decode(withoutSurrogates(data), &file)
	if err := im.unknown(err); err != nil {
		return nil, im.notes, err
	}
	p := &Profile{
		Name: labelOf(file.Metadata.Name), Description: file.Metadata.Description, Version: cmp.Or(file.Spec.Version, "1.0.0"),
		Labels: file.Metadata.Labels, CloudType: file.Spec.Template.CloudType,
	}
	if p.Name != file.Metadata.Name {
		im.notes.add("metadata.name", "%q is no DNS label; it is named %q here", file.Metadata.Name, p.Name)
	}
	profileType, ok := fromPalette(paletteTypes(), cmp.Or(file.Spec.Template.Type, "cluster"))
	if !ok {
		return nil, im.notes, &Error{Path: "spec.template.type", Problem: fmt.Sprintf("is %q; want cluster, infra or add-on", file.Spec.Template.Type), Err: ErrInvalid}
	}
	p.Type = Type(profileType)
	for i, v := range file.Spec.Variables {
		p.Variables = append(p.Variables, im.variable(fmt.Sprintf("spec.variables[%d]", i), v))
	}
	for i, pack := range file.Spec.Template.Packs {
		im.pack(fmt.Sprintf("spec.template.packs[%d]", i), pack)
	}
	p.Layers = im.layers
	if slices.ContainsFunc(p.Layers, func(l layer.Layer) bool { return l.Pack != nil && l.Values != "" }) {
		im.notes.add("spec.template.packs", "the values of packs are whole documents in Palette, and are laid over the pack's own here: a key that was deleted in Palette comes back, unless it is null")
	}
	return p, im.notes, p.Validate()
}

type importer struct {
	options PaletteOptions
	notes   notes
	layers  []layer.Layer
}

// unknown makes notes of fields that are not known, and returns other problems.
func (im *importer) unknown(err error) error {
	if err == nil {
		return nil
	}
	var errs []error
	for _, e := range joined.Errors(err) {
		if se, ok := errors.AsType[*strictyaml.Error](e); ok && se.Unknown {
			im.notes.add(se.Path, "is not known, and left out")
		} else {
			errs = append(errs, e)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return syntaxErrors("", errors.Join(errs...))
}

func (im *importer) variable(path string, v paletteVariable) Variable {
	out := Variable{
		Name: v.Name, DisplayName: v.DisplayName, Description: v.Description, Format: v.Format, InputType: v.InputType,
		Default: v.DefaultValue, Regex: v.Regex, Required: v.Required, Hidden: v.Hidden, Immutable: v.Immutable, Sensitive: v.IsSensitive,
	}
	for _, option := range v.Options {
		out.Options = append(out.Options, Option(option))
		if out.Default == option.Label && option.Label != "" {
			out.Default = option.Value // some write the label there
		}
	}
	if v.IsSensitive && maskedValue.MatchString(v.DefaultValue) {
		out.Default = ""
		im.notes.add(path+".defaultValue", "is masked; set the default of %q again", v.Name)
	}
	return out
}

// pack makes a layer of a pack.
func (im *importer) pack(path string, p palettePack) {
	kind, ok := fromPalette(paletteLayers(), p.Layer)
	if !ok {
		im.notes.add(path+".layer", "there is no layer %q here; the pack %q is left out", p.Layer, p.Name)
		return
	}
	// In a profile with the same pack twice, the name of the layer goes before it.
	layerName, packName, twice := strings.Cut(p.Name, "--")
	if !twice {
		packName = p.Name
	}
	l := layer.Layer{Name: im.unique(labelOf(layerName)), Kind: layer.Kind(kind)}
	if l.Name != layerName {
		im.notes.add(path+".name", "the layer is named %q here", l.Name)
	}
	l.Source = im.source(path, packName, p)
	manifests := im.manifests(path, p.Manifests)
	if l.Manifests != nil {
		l.Manifests.Inline = manifests
	} else {
		l.AttachedManifests = manifests
	}
	im.values(path+".values", &l, p.Values)
	im.layers = append(im.layers, l)
}

// unique returns the name, with a number if a layer has it already.
func (im *importer) unique(name string) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(im.layers, func(l layer.Layer) bool { return l.Name == name })
	}
	for candidate, n := name, 2; ; n++ {
		if !taken(candidate) {
			return candidate
		}
		candidate = fmt.Sprintf("%s-%d", name, n)
	}
}

// source returns where the content of a pack is.
func (im *importer) source(path, name string, p palettePack) layer.Source {
	asked := cmp.Or(p.Tag, p.Version)
	if p.Type == "manifest" {
		if asked != "" {
			im.notes.add(path+".tag", "manifests have no version here; %q is left out", asked)
		}
		return layer.Source{Manifests: &layer.Manifests{}}
	}
	if p.Version != asked && p.Version != "" {
		im.notes.add(path+".version", "is %q, what %q meant then; resolving finds what it means now, and the lock keeps it", p.Version, asked)
	}
	provider := "pack"
	if p.Registry != nil {
		provider = cmp.Or(p.Registry.Metadata.ProviderType, provider)
	}
	registry := im.registry(path+".registry", p.Registry)
	switch {
	case p.Type == "helm", p.Type == "oci" && provider == "helm":
		return layer.Source{Helm: &layer.Helm{Registry: registry, Chart: name, Version: asked}}
	case p.Type == "oci" && provider == "zarf":
		return layer.Source{Zarf: &layer.Zarf{Registry: registry, Package: name, Version: asked}}
	case p.Type != "spectro" && p.Type != "oci":
		im.notes.add(path+".type", "is %q; taken for a pack", p.Type)
	}
	return layer.Source{Pack: &layer.Pack{Registry: registry, Name: name, Version: asked}}
}

// registry returns what the registry is called here.
func (im *importer) registry(path string, of *paletteRegistryOf) string {
	if of == nil {
		return ""
	}
	if len(of.MatchingRegistries) > 0 {
		im.notes.add(path+".matchingRegistries", "is left out")
	}
	m := of.Metadata
	for _, known := range im.options.Registries {
		if known.UID != "" && known.UID == m.UID || known.Name != "" && known.Name == m.Name {
			return known.Registry
		}
	}
	name := cmp.Or(labelOf(m.Name), m.UID)
	im.notes.add(path+".metadata", "the registry %q (uid %s) is not in the options; it is called %q here", m.Name, m.UID, name)
	return name
}

func (im *importer) manifests(path string, of []layer.Manifest) []layer.Manifest {
	var manifests []layer.Manifest
	for i, m := range of {
		name := labelOf(m.Name)
		if name != m.Name {
			im.notes.add(fmt.Sprintf("%s.manifests[%d].name", path, i), "%q is no DNS label; it is named %q here", m.Name, name)
		}
		manifests = append(manifests, layer.Manifest{Name: name, Content: m.Content})
	}
	return manifests
}
