package layer

import (
	"strings"

	"github.com/opencontainers/go-digest"
)

// A Ref names content that may exist in many versions.
// Refs are comparable and may be used as map keys.
type Ref struct {
	Format   Format `json:"format"`
	Registry string `json:"registry,omitempty"` // name or URL; if empty, any that the client knows
	Name     string `json:"name"`               // of the pack, chart or package
	Version  string `json:"version,omitempty"`  // constraint; if empty, any stable version
	// Strategy says which of several versions is taken. If empty, [Newest].
	Strategy Strategy `json:"strategy,omitempty"`
}

// String returns the text form, "format registry/name@constraint", for people.
func (r Ref) String() string {
	var b strings.Builder
	b.WriteString(string(r.Format))
	b.WriteByte(' ')
	if r.Registry != "" {
		b.WriteString(strings.TrimSuffix(r.Registry, "/"))
		b.WriteByte('/')
	}
	b.WriteString(r.Name)
	if r.Version != "" {
		b.WriteByte('@')
		b.WriteString(r.Version)
	}
	return b.String()
}

// A Pin is a Ref resolved to one immutable artifact.
// Pins are comparable and may be used as map keys.
type Pin struct {
	Ref
	// Repository is where the artifact was found: the URL of an OCI repository
	// or of a classic Helm repository, as the profile names it, not a mirror.
	Repository string `json:"repository"`
	// Resolved is the version that was chosen, as it is tagged.
	Resolved string `json:"resolved"`
	// Digest is that of the artifact: of the manifest in an OCI registry.
	Digest digest.Digest `json:"digest"`
}

// Zero reports whether p pins nothing.
func (p Pin) Zero() bool { return p.Digest == "" }

// String returns the text form, "repository:version@digest".
func (p Pin) String() string {
	return p.Repository + ":" + p.Resolved + "@" + p.Digest.String()
}
