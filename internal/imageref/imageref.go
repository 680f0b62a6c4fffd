// Package imageref reads the names of container images as runtimes do: what may
// be left out is filled in.
package imageref

import "strings"

// A Ref is the name of an image in full. Refs are comparable.
type Ref struct {
	Repository string // "docker.io/library/nginx"
	Tag        string // "latest" if the name has neither tag nor digest
	Digest     string // "sha256:..."; "" if the name has none
}

// Parse reads the name of an image. It does not check what characters it has.
func Parse(text string) Ref {
	var r Ref
	r.Repository, r.Digest, _ = strings.Cut(text, "@")
	if colon := strings.LastIndexByte(r.Repository, ':'); colon > strings.LastIndexByte(r.Repository, '/') {
		r.Repository, r.Tag = r.Repository[:colon], r.Repository[colon+1:]
	}
	r.Repository = strings.TrimPrefix(r.Repository, "index.docker.io/")
	r.Repository = strings.TrimPrefix(r.Repository, "docker.io/")
	host, _, hasHost := strings.Cut(r.Repository, "/")
	switch {
	case !hasHost:
		r.Repository = "docker.io/library/" + r.Repository
	case host != "localhost" && !strings.ContainsAny(host, ".:"):
		r.Repository = "docker.io/" + r.Repository
	}
	if r.Tag == "" && r.Digest == "" {
		r.Tag = "latest"
	}
	return r
}

// Reference returns what names the content in its repository: the digest, or
// else the tag.
func (r Ref) Reference() string {
	if r.Digest != "" {
		return r.Digest
	}
	return r.Tag
}

// String returns the name in full. Beside a digest the tag is for people, and
// left out.
func (r Ref) String() string {
	if r.Digest != "" {
		return r.Repository + "@" + r.Digest
	}
	return r.Repository + ":" + r.Tag
}
