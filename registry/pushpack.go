package registry

import (
	"context"
	"io/fs"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
)

// packType is the artifact type of packs.
const packType = "application/vnd.strata.pack.v1"

// PushPack checks the pack in files with [pack.Open], and stores it in a
// registry, named by name or URL, under its name and version. Equal files give
// an equal digest, and pushing what is there changes nothing. If the version is
// there with other content, the error wraps [ErrExists], unless [Client.Replace]
// is set.
//
// A release that is the newest of its train is tagged as that too ("1.x",
// "1.27.x"). A pack of a group is tagged in it as well ("LTS__1.27.3",
// "LTS__1.x", "LTS__1.27.x"), if the name of the group can be a part of a tag.
//
// The artifact is what "oras push" makes of an archive of the pack directory,
// so that "oras pull" gives that archive back.
func (c *Client) PushPack(ctx context.Context, registry string, files fs.FS) (layer.Pin, error) {
	a, err := packArtifact(files)
	if err != nil {
		return layer.Pin{}, fail("push", layer.Ref{Format: layer.FormatPack, Registry: registry}, "", err)
	}
	return c.push(ctx, registry, a)
}

func packArtifact(files fs.FS) (artifact, error) {
	p, err := pack.Open(files)
	if err != nil {
		return artifact{}, err
	}
	title := p.Name + "-" + p.Version
	content, err := newContent(ocispec.MediaTypeImageLayerGzip, p.FS(), title)
	if err != nil {
		return artifact{}, err
	}
	content.Annotations = map[string]string{ocispec.AnnotationTitle: title + ".tar.gz"}
	return artifact{
		ref:          layer.Ref{Format: layer.FormatPack, Name: p.Name, Version: p.Version},
		artifactType: packType,
		config:       newBlob(ocispec.MediaTypeEmptyJSON, []byte("{}")),
		content:      content,
		trains:       true,
		group:        strings.TrimSpace(p.Group),
	}, nil
}
