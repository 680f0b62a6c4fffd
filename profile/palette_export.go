package profile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/strictyaml"
	"github.com/strata-go/strata/layer"
)

// ExportPalette writes a profile in the form that Palette imports. The notes
// say what has no counterpart there. Defaults of sensitive variables are left
// out, as Palette does it.
//
// The errors are those of [Profile.Validate].
func ExportPalette(p *Profile, o PaletteOptions) ([]byte, []Note, error) {
	if err := p.Validate(); err != nil {
		return nil, nil, err
	}
	ex := exporter{options: o}
	file := paletteFile{
		Metadata: paletteMetadata{p.Name, p.Description, p.Labels},
		Spec: paletteSpec{
			Version:   p.Version,
			Template:  paletteTemplate{Type: toPalette(paletteTypes(), string(cmp.Or(p.Type, Full))), CloudType: p.Cloud()},
			Variables: []paletteVariable{},
		},
	}
	if file.Metadata.Labels == nil {
		file.Metadata.Labels = map[string]string{}
	}
	for _, key := range slices.Sorted(maps.Keys(p.Annotations)) {
		ex.notes.add("metadata.annotations."+key, "there are no annotations in what Palette imports")
	}
	for i, v := range p.Variables {
		file.Spec.Variables = append(file.Spec.Variables, ex.variable(fmt.Sprintf("spec.variables[%d]", i), v))
	}
	order := make([]int, len(p.Layers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return p.Layers[a].Kind.Compare(p.Layers[b].Kind) })
	for _, i := range order {
		pack, err := ex.pack(fmt.Sprintf("spec.layers[%d]", i), p.Layers[i])
		if err != nil {
			return nil, ex.notes, err
		}
		file.Spec.Template.Packs = append(file.Spec.Template.Packs, pack)
	}
	data, err := o.encode(&file)
	return data, ex.notes, err
}

func (o PaletteOptions) encode(file *paletteFile) ([]byte, error) {
	switch o.Encoding {
	case "", "json":
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err := enc.Encode(file)
		return b.Bytes(), err
	case "yaml":
		return strictyaml.Format{}.Encode(file)
	}
	return nil, fmt.Errorf("encoding %q: want json or yaml", o.Encoding)
}

type exporter struct {
	options PaletteOptions
	notes   notes
}

func (ex *exporter) variable(path string, v Variable) paletteVariable {
	out := paletteVariable{
		Name: v.Name, DisplayName: v.DisplayName, Description: v.Description, Format: v.Format, InputType: v.InputType,
		DefaultValue: v.Default, Regex: v.Regex, Required: v.Required, Hidden: v.Hidden, Immutable: v.Immutable, IsSensitive: v.Sensitive,
	}
	for _, option := range v.Options {
		out.Options = append(out.Options, paletteOption(option))
	}
	if v.Sensitive && v.Default != "" {
		out.DefaultValue = ""
		ex.notes.add(path+".default", "is sensitive, and left out; set it in Palette")
	}
	return out
}

func (ex *exporter) pack(path string, l layer.Layer) (palettePack, error) {
	p := palettePack{Name: l.Name, Layer: toPalette(paletteLayers(), string(l.Kind.OrDefault())), Manifests: l.AttachedManifests}
	if ref := l.Ref(); ref == (layer.Ref{}) {
		p.Type = "manifest"
		p.Manifests = slices.Concat(l.Manifests.Inline, l.AttachedManifests)
	} else {
		if ref.Name != l.Name {
			p.Name = l.Name + "--" + ref.Name
		}
		ex.source(path, &p, l)
	}
	ex.unsupported(path, l)
	var err error
	p.Values, err = ex.values(path, l)
	return p, err
}

// source says where the content of a pack is.
func (ex *exporter) source(path string, p *palettePack, l layer.Layer) {
	format := l.Format()
	ref := l.Ref()
	path += "." + string(format)
	p.Version = ex.resolved(l.Name, ref)
	p.Tag = p.Version
	if ref.Version != "" {
		p.Tag = ex.tag(path+".version", ref.Version)
	}
	if p.Version == "" && !strings.HasSuffix(p.Tag, ".x") {
		p.Version = p.Tag
	}
	if p.Version == "" {
		ex.notes.add(path+".version", "is %q; only a lock says which version that is, and Palette wants to know", ref.Version)
	}
	if ref.Strategy != "" && ref.Strategy != layer.Newest {
		ex.notes.add(path+".strategy", "Palette always takes the newest version")
	}
	r := PaletteRegistry{Name: ref.Registry, Kind: "oci", ProviderType: string(format)}
	known := slices.IndexFunc(ex.options.Registries, func(r PaletteRegistry) bool { return r.Registry == ref.Registry })
	switch {
	case known >= 0:
		r = ex.options.Registries[known]
	case ref.Registry == "":
		ex.notes.add(path+".registry", "names no registry; choose one in Palette")
	default:
		ex.notes.add(path+".registry", "the registry %q is not in the options; choose one in Palette", ref.Registry)
	}
	p.Registry = &paletteRegistryOf{Metadata: r}
	switch {
	case format == layer.FormatHelm && r.Kind == "helm":
		p.Type = "helm"
	case format == layer.FormatPack && r.Kind == "pack":
		p.Type = "spectro"
	default:
		p.Type = "oci"
		p.Registry.Metadata.ProviderType = cmp.Or(r.ProviderType, string(format))
	}
}

// resolved returns the version that the lock has of a source, "" if none.
func (ex *exporter) resolved(name string, ref layer.Ref) string {
	if ex.options.Lock == nil {
		return ""
	}
	for _, l := range ex.options.Lock.Layers {
		if l.Layer == name && l.Ref == ref {
			return l.Resolved
		}
	}
	return ""
}

var (
	anyTag     = regexp.MustCompile(`^[\w][\w.+-]*$`)
	minorTrain = regexp.MustCompile(`^~v?(\d+\.\d+)(\.0)?$`)
	majorTrain = regexp.MustCompile(`^(?:~|\^)v?(\d+)(\.0)*$`)
)

// tag returns the tag that asks for what a constraint admits.
func (ex *exporter) tag(path, constraint string) string {
	switch {
	case anyTag.MatchString(constraint):
		return constraint
	case minorTrain.MatchString(constraint):
		return minorTrain.ReplaceAllString(constraint, "$1.x")
	case majorTrain.MatchString(constraint):
		return majorTrain.ReplaceAllString(constraint, "$1.x")
	}
	ex.notes.add(path, "Palette has no constraints like %q, only versions and trains such as 1.2.x", constraint)
	return ""
}

// unsupported notes the options that packs in Palette do not have.
func (ex *exporter) unsupported(path string, l layer.Layer) {
	for _, option := range []struct {
		field string
		set   bool
	}{
		{"readiness", len(l.Readiness) > 0},
		{"adopt", l.Adopt != ""},
		{"crds", l.CRDs != ""},
		{"hookTimeout", l.HookTimeout != ""},
		{"test", l.Test},
		{"keep", len(l.Keep) > 0},
		{"allow", len(l.Allow.Namespaces)+len(l.Allow.Kinds) > 0},
		{"drift", l.Drift.Mode != "" || len(l.Drift.Rules) > 0},
	} {
		if option.set {
			ex.notes.add(path+"."+option.field, "Palette has no such option")
		}
	}
}

// values returns the values of a layer with what Palette keeps in them. They
// stay as they are if they have it already.
func (ex *exporter) values(path string, l layer.Layer) (string, error) {
	text := l.Values
	if l.Pack != nil && text != "" {
		ex.notes.add(path+".values", "are laid over the pack's own here, and are the whole document in Palette; complete them there")
	}
	doc, err := parseValues(text)
	if err != nil {
		return "", err
	}
	changed := false
	if l.Helm != nil && len(doc.keys()) > 0 {
		chart := paletteValues{&yaml.Node{Kind: yaml.MappingNode}, doc.restore}
		chart.put(l.Helm.Chart, doc.node)
		doc = paletteValues{&yaml.Node{Kind: yaml.MappingNode}, doc.restore}
		doc.put("charts", chart.node)
		changed = true
	}
	for _, option := range packOptions(l) {
		if doc.get(option.path...).text() != option.value {
			doc.set(option.value, option.path...)
			changed = true
		}
	}
	if changed {
		if text, err = doc.format(); err != nil {
			return "", err
		}
	}
	return presetsComment(l.Presets) + text, nil
}

type packOption struct {
	value string
	path  []string
}

// packOptions returns what values say in Palette about how a layer is installed.
func packOptions(l layer.Layer) []packOption {
	var options []packOption
	if l.Namespace != "" {
		options = append(options, packOption{l.Namespace, []string{packBlock, namespaceKey}})
	}
	if l.Helm != nil && l.Helm.ReleaseName != "" {
		options = append(options, packOption{l.Helm.ReleaseName, []string{packBlock, releaseNamesKey, l.Helm.Chart}})
	}
	if l.InstallOrder != 0 {
		key := installOrderKey
		if doc, err := parseValues(l.Values); err == nil && doc.get(packBlock, installOrderKey2).node != nil {
			key = installOrderKey2
		}
		options = append(options, packOption{strconv.Itoa(l.InstallOrder), []string{packBlock, key}})
	}
	return options
}
