package layer

// A Format says how content is packaged, and so how it is read and rendered.
type Format string

// The formats.
const (
	FormatPack      Format = "pack"
	FormatHelm      Format = "helm"
	FormatZarf      Format = "zarf"
	FormatManifests Format = "manifests"
	// FormatProfile is a profile itself, published as an artifact.
	FormatProfile Format = "profile"
)

// A Strategy says which of the versions that satisfy a constraint is taken.
// The zero Strategy means [Newest].
type Strategy string

// The strategies.
const (
	// Newest takes the newest version.
	Newest Strategy = "newest"
	// NewestPatch takes the newest patch of the oldest minor version: fixes come
	// by themselves, features do not.
	NewestPatch Strategy = "newest-patch"
	// Oldest takes the oldest version.
	Oldest Strategy = "oldest"
)

// Valid reports whether s is a known strategy or zero.
func (s Strategy) Valid() bool {
	return s == "" || s == Newest || s == NewestPatch || s == Oldest
}

// A Source says where the content of a layer comes from, with the options of
// its format. Exactly one field is set.
type Source struct {
	Pack      *Pack      `json:"pack,omitempty"`
	Helm      *Helm      `json:"helm,omitempty"`
	Zarf      *Zarf      `json:"zarf,omitempty"`
	Manifests *Manifests `json:"manifests,omitempty"`
}

// Pack is content in Palette's pack format, stored as an OCI artifact.
type Pack struct {
	// Registry is the name of a registry that the client knows, or the URL of
	// one ("oci://ghcr.io/acme"). If empty, the client's registries are asked.
	Registry string `json:"registry,omitempty"`
	// Name is the pack's name, as in its pack.json.
	Name string `json:"name"`
	// Version is a constraint ("1.2.3", "~1.2", ">=1 <3") or a train ("1.2.x").
	// If empty, it is any stable version.
	Version string `json:"version,omitempty"`
	// Strategy says which of several such versions is taken. If empty, [Newest].
	Strategy Strategy `json:"strategy,omitempty"`
}

// Helm is a Helm chart.
type Helm struct {
	// Registry is the name of a registry that the client knows, or the URL of
	// one: "oci://host/path", the parent of the chart's repository, or
	// "https://..." of a classic Helm repository. If empty, the client's
	// registries are asked.
	Registry string `json:"registry,omitempty"`
	// Chart is the chart's name.
	Chart string `json:"chart"`
	// Version and Strategy are as in [Pack].
	Version  string   `json:"version,omitempty"`
	Strategy Strategy `json:"strategy,omitempty"`
	// ReleaseName is the name of the Helm release. If empty, the layer's name.
	ReleaseName string `json:"releaseName,omitempty"`
}

// Zarf is a Zarf package.
type Zarf struct {
	// Registry is the name or URL of an OCI registry, as in [Pack].
	Registry string `json:"registry,omitempty"`
	// Package is the Zarf package's name.
	Package string `json:"package"`
	// Version and Strategy are as in [Pack].
	Version  string   `json:"version,omitempty"`
	Strategy Strategy `json:"strategy,omitempty"`
}

// Manifests are Kubernetes objects written in the profile itself or in files
// beside it.
type Manifests struct {
	// Inline are YAML documents, by name. They are applied in this order,
	// within which kinds are ordered as Kubernetes needs them.
	Inline []Manifest `json:"inline,omitempty"`
	// Files are paths of files, of directories or patterns, relative to the
	// profile's file. Loading the profile makes inline manifests of them.
	Files []string `json:"files,omitempty"`
}

// A Manifest is a named YAML stream of Kubernetes objects.
type Manifest struct {
	// Name says what the manifest is for; it is unique within its layer.
	Name string `json:"name"`
	// Content is a YAML stream.
	Content string `json:"content"`
}

// Format returns the format of the field that is set: of the first, if there
// are several, and "" if there is none.
func (s Source) Format() Format {
	switch {
	case s.Pack != nil:
		return FormatPack
	case s.Helm != nil:
		return FormatHelm
	case s.Zarf != nil:
		return FormatZarf
	case s.Manifests != nil:
		return FormatManifests
	}
	return ""
}

// Ref returns what s names in a registry. It is the zero Ref for manifests,
// which are in the profile.
func (s Source) Ref() Ref {
	switch {
	case s.Pack != nil:
		return Ref{FormatPack, s.Pack.Registry, s.Pack.Name, s.Pack.Version, s.Pack.Strategy}
	case s.Helm != nil:
		return Ref{FormatHelm, s.Helm.Registry, s.Helm.Chart, s.Helm.Version, s.Helm.Strategy}
	case s.Zarf != nil:
		return Ref{FormatZarf, s.Zarf.Registry, s.Zarf.Package, s.Zarf.Version, s.Zarf.Strategy}
	}
	return Ref{}
}
