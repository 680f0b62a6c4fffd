package helm

import (
	"fmt"
	"strings"

	"github.com/strata-go/strata/internal/manifest"
	"helm.sh/helm/v3/pkg/release"
)

// maxPayload bounds what a record may take of the 1 MiB that a Secret holds, in
// bytes, with room for what Helm adds when it changes a status.
const maxPayload = 1_000_000

// leftOut begins what the description of a trimmed record says.
const leftOut = "; too large for a record, hence left out: "

// A trim leaves a part out of a record.
type trim struct {
	name string
	cut  func(*release.Release)
}

// trims returns what is left out of a record that is too large, one after the
// other until it fits: first what nobody works with, last what deletion needs.
func trims() []trim {
	return []trim{
		{"notes", func(r *release.Release) { r.Info.Notes = "" }},
		{"the chart's values", func(r *release.Release) { r.Chart.Values = nil }},
		{"manifest", func(r *release.Release) { r.Manifest = contents(r) }},
		{"values", func(r *release.Release) { r.Config = nil }},
		{"hooks", func(r *release.Release) { r.Hooks = nil }},
	}
}

// fit returns the payload of a record of which so much is left out that a
// Secret holds it. The description says what.
func fit(r *release.Release) (string, error) {
	payload, err := encode(r)
	var gone []string
	description := r.Info.Description
	for _, t := range trims() {
		if err != nil || len(payload) <= maxPayload {
			break
		}
		t.cut(r)
		gone = append(gone, t.name)
		r.Info.Description = description + leftOut + strings.Join(gone, ", ")
		payload, err = encode(r)
	}
	return payload, err
}

// contents takes the place of a manifest. Helm must not take it for the whole
// and delete what it does not name: no cluster has the kind in it, which Helm's
// rollback, upgrade and uninstall find out before they change anything.
func contents(r *release.Release) string {
	var b strings.Builder
	b.WriteString("---\n# The manifest is too large for a record. It has these objects:\n")
	objects, _ := manifest.Parse("manifest", []byte(r.Manifest)) // we rendered it
	for _, o := range objects {
		fmt.Fprintf(&b, "#   %s\n", o.Key())
	}
	fmt.Fprintf(&b, "apiVersion: strata.dev/v1\nkind: ManifestTooLargeForRecord\nmetadata: {name: %s}\n", r.Name)
	return b.String()
}
