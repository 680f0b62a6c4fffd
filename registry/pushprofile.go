package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"regexp"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// The media types of profiles.
const (
	profileType        = "application/vnd.strata.profile.v1"
	profileContentType = "application/vnd.strata.profile.v1+yaml"

	profileFile = "profile.yaml"
	maxProfile  = 16 << 20
)

var profileName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// PushProfile stores a profile file, as it is, in a registry, named by name or
// URL, at "strata-profiles/NAME" with its version as the tag. Only its name and
// version are read; whether the rest is a profile is for package profile to say.
//
// A version of a profile never changes: if it is there with other content, the
// error wraps [ErrExists], whatever [Client.Replace] says. Pushing what is there
// changes nothing.
func (c *Client) PushProfile(ctx context.Context, registry string, data []byte) (layer.Pin, error) {
	ref, err := profileRef(data)
	if err != nil {
		ref = layer.Ref{Format: layer.FormatProfile, Registry: registry}
		return layer.Pin{}, fail("push", ref, "", fmt.Errorf("%s: %w", profileFile, err))
	}
	content := newBlob(profileContentType, data)
	content.Annotations = map[string]string{ocispec.AnnotationTitle: profileFile}
	return c.push(ctx, registry, artifact{
		ref:          ref,
		artifactType: profileType,
		config:       newBlob(ocispec.MediaTypeEmptyJSON, []byte("{}")),
		content:      content,
		annotations:  map[string]string{ocispec.AnnotationVersion: ref.Version},
		immutable:    true,
	})
}

// profileRef returns the name and the version of a profile.
func profileRef(data []byte) (layer.Ref, error) {
	if len(data) > maxProfile {
		return layer.Ref{}, fmt.Errorf("larger than %d MiB", maxProfile>>20)
	}
	var p struct {
		Metadata struct{ Name, Version string }
	}
	if err := yaml.Unmarshal(data, &p); err != nil {
		return layer.Ref{}, err
	}
	if !profileName.MatchString(p.Metadata.Name) {
		return layer.Ref{}, fmt.Errorf("metadata.name: %.100q is not a name: want lower-case letters, digits and -", p.Metadata.Name)
	}
	if _, err := version.Parse(p.Metadata.Version); err != nil {
		return layer.Ref{}, fmt.Errorf("metadata.version: %w", err)
	}
	return layer.Ref{Format: layer.FormatProfile, Name: p.Metadata.Name, Version: p.Metadata.Version}, nil
}

// profileFiles returns a fetched profile as profile.yaml, if it is what the pin
// names.
func profileFiles(r io.Reader, pin layer.Pin) (fs.FS, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxProfile+1))
	if err != nil {
		return nil, err
	}
	ref, err := profileRef(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", profileFile, err)
	}
	if ref.Name != pin.Name || version.ToTag(ref.Version) != pin.Resolved && pin.Resolved != pin.Digest.String() {
		return nil, fmt.Errorf("this is the profile %s %s, not %s %s", ref.Name, ref.Version, pin.Name, pin.Resolved)
	}
	files := titles{}
	return files, files.add(profileFile, titledFile{int64(len(data)), func() (content, error) {
		return inMemory{bytes.NewReader(data)}, nil
	}})
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }
