package profile

import (
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/layer"
)

// repaves says why a change of a layer replaces nodes, or nothing. The rules
// are Palette's: those of the operating system and of Kubernetes do, but for
// values that the nodes do not see.
func repaves(kind layer.Kind, types []ChangeType, fields []ValueChange) string {
	if !onNodes(kind) {
		return ""
	}
	for _, t := range types {
		switch t {
		case Added, Removed, Swapped, Upgraded, Downgraded, Repinned:
			if kind == layer.OS {
				return "the node image is " + string(t)
			}
			return "Kubernetes is " + string(t)
		case Moved, Changed:
		}
	}
	for _, f := range fields {
		if nodesSee(f.Path) {
			return f.Path + " is part of the configuration of nodes"
		}
	}
	return ""
}

func onNodes(kind layer.Kind) bool { return kind == layer.OS || kind == layer.Kubernetes }

// nodesSee reports whether a field of a layer of the operating system or of
// Kubernetes is part of what nodes are made from.
func nodesSee(path string) bool {
	switch path {
	case "version", "values.pack.podCIDR", "values.pack.serviceClusterIpRange", "values.pack.serviceDomain":
		return true
	}
	root, rest, _ := strings.Cut(path, ".")
	switch root {
	case "presets":
		return true
	case "values":
		// On edge hosts, stages need a reboot and cluster a restart of services.
		first, _, _ := strings.Cut(rest, ".")
		return !slices.Contains([]string{"", "pack", "clientConfig", "stages", "cluster"}, first)
	}
	return false
}

// repavedBy says why a variable of p replaces nodes when it changes.
func (p *Profile) repavedBy(variable string) string {
	for _, l := range p.Layers {
		if !onNodes(l.Kind) {
			continue
		}
		for _, m := range macro.Scan(l.Values) {
			if m.Path == varRoot+variable {
				return "layer " + l.Name + " uses it"
			}
		}
	}
	return ""
}
