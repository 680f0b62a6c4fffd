package profile

import (
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/strata-go/strata/layer"
)

// PaletteOptions say how profiles are carried over from and to Palette. The
// zero PaletteOptions know no registry.
type PaletteOptions struct {
	// Registries are those of Palette, with what they are called here.
	Registries []PaletteRegistry
	// Lock has the versions that are exported beside the constraints. It may be
	// nil.
	Lock *Lock
	// Encoding is that of an export: "json", also if it is empty, or "yaml".
	Encoding string
}

// A PaletteRegistry is a registry as Palette knows it.
type PaletteRegistry struct {
	// Registry is what layers here call it: a name that the registry client
	// knows, or a URL.
	Registry string `json:"-"`
	// UID and Name are what Palette calls it; one of them is enough to find it.
	UID  string `json:"uid"`
	Name string `json:"name"`
	// Kind is "pack", "helm" or "oci".
	Kind            string `json:"kind"`
	IsPrivate       bool   `json:"isPrivate"`
	IsSyncSupported bool   `json:"isSyncSupported"`
	// ProviderType is what an OCI registry holds: "pack", "helm" or "zarf".
	ProviderType string `json:"providerType,omitempty"`
}

// A Note is something that could not be carried over as it was.
type Note struct {
	Path string // of the field that was left out or changed, in what was read
	Text string
}

// String returns "path: text".
func (n Note) String() string { return n.Path + ": " + n.Text }

type notes []Note

func (n *notes) add(path, format string, args ...any) {
	*n = append(*n, Note{path, fmt.Sprintf(format, args...)})
}

// What follows is the form of Palette's import and export.

type paletteFile struct {
	Metadata paletteMetadata `json:"metadata"`
	Spec     paletteSpec     `json:"spec"`
}

type paletteMetadata struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Labels      map[string]string `json:"labels"`
}

type paletteSpec struct {
	Version   string            `json:"version"`
	Template  paletteTemplate   `json:"template"`
	Variables []paletteVariable `json:"variables"`
}

type paletteTemplate struct {
	Type      string        `json:"type"`
	CloudType string        `json:"cloudType"`
	Packs     []palettePack `json:"packs"`
}

type palettePack struct {
	Name      string             `json:"name"`
	Type      string             `json:"type"`
	Layer     string             `json:"layer"`
	Version   string             `json:"version"`
	Tag       string             `json:"tag"`
	Values    string             `json:"values"`
	Manifests []layer.Manifest   `json:"manifests,omitempty"`
	Registry  *paletteRegistryOf `json:"registry,omitempty"`
}

type paletteRegistryOf struct {
	Metadata           PaletteRegistry   `json:"metadata"`
	MatchingRegistries []PaletteRegistry `json:"matchingRegistries,omitempty"`
}

type paletteVariable struct {
	Name         string          `json:"name"`
	DisplayName  string          `json:"displayName,omitempty"`
	Description  string          `json:"description,omitempty"`
	Format       Format          `json:"format,omitempty"`
	InputType    InputType       `json:"inputType,omitempty"`
	Options      []paletteOption `json:"options,omitempty"`
	DefaultValue string          `json:"defaultValue,omitempty"`
	Regex        string          `json:"regex,omitempty"`
	Required     bool            `json:"required,omitempty"`
	Hidden       bool            `json:"hidden,omitempty"`
	Immutable    bool            `json:"immutable,omitempty"`
	IsSensitive  bool            `json:"isSensitive,omitempty"`
}

type paletteOption struct {
	Value       string `json:"value"`
	Label       string `json:"label,omitempty"`
	Description string `json:"description,omitempty"`
	Default     bool   `json:"default,omitempty"`
}

// A palettePair is a word of ours and Palette's for the same thing.
type palettePair struct{ ours, theirs string }

func paletteTypes() []palettePair {
	return []palettePair{{string(Full), "cluster"}, {string(Infrastructure), "infra"}, {string(AddOn), "add-on"}}
}

func paletteLayers() []palettePair {
	return []palettePair{
		{string(layer.OS), "os"}, {string(layer.Kubernetes), "k8s"}, {string(layer.Network), "cni"},
		{string(layer.Storage), "csi"}, {string(layer.AddOn), "addon"},
	}
}

func fromPalette(pairs []palettePair, theirs string) (string, bool) {
	for _, p := range pairs {
		if p.theirs == theirs {
			return p.ours, true
		}
	}
	return "", false
}

func toPalette(pairs []palettePair, ours string) string {
	for _, p := range pairs {
		if p.ours == ours {
			return p.theirs
		}
	}
	return ""
}

// maskedValue is what Palette exports in the place of a sensitive value.
var maskedValue = regexp.MustCompile(`^\*+$`)

// surrogateEscapes are the escapes of JSON that YAML does not have.
var surrogateEscapes = regexp.MustCompile(`\\u[dD][89abAB]`)

// withoutSurrogates returns a text in JSON such that a parser of YAML reads it.
func withoutSurrogates(data []byte) []byte {
	var v any
	if !surrogateEscapes.Match(data) || json.Unmarshal(data, &v) != nil {
		return data
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return data
	}
	return plain
}
