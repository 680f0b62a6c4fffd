package packlint

import (
	"maps"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/imageref"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/pack"
)

// images compares the images that containers use with those that the pack
// lists, which is what is taken along to where there is no network.
func (r *Report) images(found *images, parts []render.Part) {
	listed := map[string]string{} // as it is written, by its full name
	for _, image := range r.listed {
		listed[imageref.Parse(image).String()] = image
	}
	if len(listed) == 0 {
		if len(found.used) > 0 {
			r.add(pack.SeverityInfo, place{file: "values.yaml"}, "pack.content.images lists nothing, and %d images are used", len(found.used))
		}
		return
	}
	used := map[string]bool{}
	for _, image := range slices.Sorted(maps.Keys(found.used)) {
		used[imageref.Parse(image).String()] = true
		if listed[imageref.Parse(image).String()] == "" {
			r.add(pack.SeverityWarning, found.used[image], "image %s is used, and not listed in pack.content.images", image)
		}
	}
	if slices.ContainsFunc(parts, func(p render.Part) bool { return p.Err != nil }) {
		return // what is not rendered may use the rest
	}
	// Operators are told by arguments and variables what they are to run.
	texts := found.texts.String()
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if !used[name] && !strings.Contains(texts, shortName(name)) {
			at := place{"values.yaml", lineOf(string(r.Pack.Values), listed[name])}
			r.add(pack.SeverityInfo, at, "image %s is listed, and nothing that is rendered names it", listed[name])
		}
	}
}

// shortName is how the image is called at the least.
func shortName(full string) string {
	name := strings.TrimPrefix(strings.TrimPrefix(full, "docker.io/"), "library/")
	return strings.TrimSuffix(name, ":latest")
}

// lineOf returns the first line that holds a text, or 0.
func lineOf(doc, text string) int {
	before, _, found := strings.Cut(doc, text)
	if !found {
		return 0
	}
	return strings.Count(before, "\n") + 1
}
