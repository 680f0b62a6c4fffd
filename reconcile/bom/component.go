package bom

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/imageref"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

func profileComponent(id profile.ID, lock *profile.Lock) cdx.Component {
	c := cdx.Component{BOMRef: "profile:" + id.String(), Type: cdx.ComponentTypePlatform, Name: id.Name, Version: id.Version, Properties: properties("strata:component", "profile")}
	if lock == nil {
		return c
	}
	if i := slices.IndexFunc(lock.Profiles, func(p profile.LockedProfile) bool { return p.ID == id }); i >= 0 {
		c.Hashes = hashes(lock.Profiles[i].Digest)
		if source := lock.Profiles[i].Source; !source.Zero() {
			c.Hashes, c.PackageURL = hashes(source.Digest), ociURL(source.Repository, source.Resolved, source.Digest)
		}
	}
	return c
}

func layerComponent(l *reconcile.LayerStatus, lock *profile.Lock) cdx.Component {
	c := cdx.Component{
		BOMRef: "layer:" + l.Name, Type: cdx.ComponentTypeApplication,
		Name: cmp.Or(l.Package, l.Name), Version: cmp.Or(l.Version, l.Profile.Version), Hashes: hashes(l.Pin.Digest),
		Properties: properties(
			"strata:component", "layer", "strata:layer", l.Name, "strata:kind", string(l.Kind), "strata:format", string(l.Format),
			"strata:profile", l.Profile.String(), "strata:source", l.Source, "strata:objects", strconv.Itoa(len(l.Objects)),
		),
	}
	switch {
	case l.Format == layer.FormatManifests && lock != nil:
		for _, locked := range lock.Layers {
			if locked.Layer == l.Name {
				c.Hashes = hashes(locked.Digest)
			}
		}
	case strings.HasPrefix(l.Source, "oci://"):
		c.PackageURL = ociURL(l.Source, l.Version, l.Pin.Digest)
	case l.Format == layer.FormatHelm:
		c.PackageURL = helmURL(l.Package, l.Version, l.Source)
	}
	if l.Format == layer.FormatHelm && len(l.Charts) == 1 { // the layer is the chart
		*c.Properties = append(*c.Properties, releaseProperties(l.Charts[0])...)
	}
	return c
}

func chartComponent(l *reconcile.LayerStatus, chart reconcile.ChartStatus) cdx.Component {
	return cdx.Component{
		BOMRef: strings.Join([]string{"chart:" + l.Name, chart.Namespace, chart.Release}, "/"), Type: cdx.ComponentTypeApplication,
		Name: chart.Name, Version: chart.Version, PackageURL: helmURL(chart.Name, chart.Version, ""),
		Properties: new(append(*properties("strata:component", "chart", "strata:layer", l.Name), releaseProperties(chart)...)),
	}
}

func releaseProperties(chart reconcile.ChartStatus) []cdx.Property {
	return *properties("strata:release", chart.Namespace+"/"+chart.Release, "strata:appVersion", chart.AppVersion)
}

func imageComponent(text string) cdx.Component {
	image := imageref.Parse(text)
	return cdx.Component{
		BOMRef: "image:" + text, Type: cdx.ComponentTypeContainer, Name: image.Repository, Version: cmp.Or(image.Tag, image.Digest),
		Hashes:     hashes(digest.Digest(image.Digest)),
		PackageURL: ociURL(image.Repository, image.Tag, digest.Digest(image.Digest)),
		Properties: properties("strata:component", "image"),
	}
}

// ociURL returns the package URL of an artifact in an OCI registry: the version
// is its digest, left out if nobody knows it, and the tag is a qualifier
// (package-url specification, type oci).
func ociURL(repository, tag string, d digest.Digest) string {
	repository = strings.ToLower(strings.TrimPrefix(repository, "oci://"))
	purl := "pkg:oci/" + escape(path.Base(repository))
	if d != "" {
		purl += "@" + escape(string(d))
	}
	purl += "?repository_url=" + escape(repository)
	if tag != "" {
		purl += "&tag=" + escape(tag)
	}
	return purl
}

// helmURL returns the package URL of a chart.
func helmURL(name, version, repository string) string {
	purl := "pkg:helm/" + escape(name) + "@" + escape(version)
	if repository != "" {
		purl += "?repository_url=" + escape(repository)
	}
	return purl
}

// escape percent-encodes a part of a package URL, which keeps colons and, in
// qualifiers, slashes.
func escape(text string) string {
	return strings.NewReplacer("+", "%20", "%3A", ":", "%2F", "/").Replace(url.QueryEscape(text))
}
