package reconcile

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// propose adds the releases to d, and a profile for those that can be taken
// over, with what is missing.
func propose(name string, registries map[string]string, found []readRelease, d *Discovery) {
	var layers []layer.Layer
	names := map[string]bool{}
	oldest := slices.Clone(found)
	slices.SortStableFunc(oldest, func(a, b readRelease) int { return a.FirstDeployed.Compare(b.FirstDeployed) })
	for _, r := range oldest {
		if g := r.unfit(); g.Kind != "" || r.Installation != "" || !adoptable(r.Status) {
			continue
		}
		l := r.layer(registries)
		if names[l.Name] {
			l.Name = unique(names, l.Name, r.Namespace)
		}
		names[l.Name] = true
		l.InstallOrder = len(layers)
		layers = append(layers, l)
		i := slices.IndexFunc(found, func(f readRelease) bool { return f.Namespace == r.Namespace && f.Name == r.Name })
		found[i].Layer = l.Name
	}
	for _, r := range found {
		d.Releases = append(d.Releases, r.FoundRelease)
		for _, g := range r.gaps(registries) {
			d.gap(g)
		}
	}
	if len(layers) > 0 {
		d.Profile = &profile.Profile{
			Name: name, Version: "0.1.0", Type: profile.AddOn, Layers: layers,
			Description: "Proposed from the Helm releases of a cluster. Its values may hold secrets.",
		}
	}
}

// adoptable reports whether what a release of the status consists of is known.
func adoptable(status string) bool { return helm.Status(status) == helm.StatusDeployed }

// unfit returns the gap that keeps a release out of the profile; zero if none
// does. Releases that are ours, or uninstalled, are no gap.
func (r *readRelease) unfit() Gap {
	g := Gap{Release: r.Namespace + "/" + r.Name}
	switch status := helm.Status(r.Status); {
	case r.err != nil:
		g.Kind, g.Problem = GapUnreadable, r.err.Error()
	case r.Installation != "" || status == helm.StatusUninstalled:
		return Gap{}
	case !adoptable(r.Status):
		g.Kind, g.Problem = GapUnfinished, fmt.Sprintf("revision %d is %s; finish it with helm upgrade or helm rollback", r.Revision, r.Status)
	case !releaseName.MatchString(r.Name):
		g.Kind, g.Problem = GapName, "a layer cannot have a release of this name: want lower-case letters, digits and hyphens"
	default:
		return Gap{}
	}
	return g
}

var releaseName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// layer returns what would install the release as it is.
func (r *readRelease) layer(registries map[string]string) layer.Layer {
	l := layer.Layer{
		Name: r.Name, Kind: layer.AddOn, Namespace: r.Namespace, Adopt: layer.AdoptIfUnowned,
		Source: layer.Source{Helm: &layer.Helm{Registry: registryOf(registries, r.Chart), Chart: r.Chart, Version: r.Version, ReleaseName: r.Name}},
	}
	if len(r.values) > 0 {
		text, _ := yaml.Marshal(r.values) // they were JSON
		l.Values = string(text)
	}
	return l
}

func registryOf(registries map[string]string, chart string) string {
	return cmp.Or(registries[chart], registries[""])
}

// unique returns a name that is not taken for a release whose own name is.
func unique(taken map[string]bool, name, namespace string) string {
	const longest = 63 // of a DNS label
	base := strings.TrimRight((name + "-" + namespace)[:min(longest-4, len(name+"-"+namespace))], "-")
	for n, one := 2, base; ; n, one = n+1, base+"-"+strconv.Itoa(n) {
		if !taken[one] {
			return one
		}
	}
}

// gaps returns what is to be done about the release.
func (r *readRelease) gaps(registries map[string]string) []Gap {
	if g := r.unfit(); g.Kind != "" {
		return []Gap{g}
	}
	if r.Layer == "" {
		return nil
	}
	var gaps []Gap
	if registryOf(registries, r.Chart) == "" {
		gaps = append(gaps, Gap{Kind: GapRegistry, Layer: r.Layer, Problem: fmt.Sprintf("Helm does not record where chart %q came from; set the layer's helm.registry, or Hints.Registries", r.Chart)})
	}
	if paths := sensitive("", r.values); len(paths) > 0 {
		gaps = append(gaps, Gap{Kind: GapSensitive, Layer: r.Layer, Paths: paths, Problem: "values look like secrets: make them sensitive variables: " + strings.Join(paths, ", ")})
	}
	return gaps
}

// secretive are words in the names of values that are secrets, as a rule.
var secretive = regexp.MustCompile(`(?i)passw|passphrase|secret|token|api_?-?key|private_?-?key|access_?-?key|credential`)

// sensitive returns the paths of texts whose names sound like secrets, sorted.
func sensitive(path string, v any) []string {
	var paths []string
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			at := path + "." + key
			if text, ok := item.(string); ok && text != "" && secretive.MatchString(key) {
				paths = append(paths, at)
				continue
			}
			paths = append(paths, sensitive(at, item)...)
		}
	case []any:
		for i, item := range v {
			paths = append(paths, sensitive(path+"["+strconv.Itoa(i)+"]", item)...)
		}
	}
	slices.Sort(paths)
	return paths
}
