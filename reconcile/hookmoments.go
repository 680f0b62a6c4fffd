package reconcile

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
)

// A moment is an event in the life of a Helm release, for one content of it.
type moment struct {
	release   inventory.Release // as it was before
	event     helm.Event
	content   digest.Digest
	hooks     []helm.Hook
	namespace string // of hooks that name none
}

// moments returns the events at which hooks of a layer run: install for
// releases that were never recorded, upgrade for those whose content differs.
func moments(l *layerWork, entry *inventory.Layer, install, upgrade helm.Event) []moment {
	if l.output == nil {
		return nil
	}
	var all []moment
	for _, r := range l.output.Releases {
		m := moment{release: inventory.Release{Name: r.Name, Namespace: r.Namespace}, event: install, content: digestOf(r), namespace: r.Namespace}
		if was := entry.Release(r.Name, r.Namespace); was != nil {
			if was.Content == m.content {
				continue
			}
			m.event, m.release.Revision = upgrade, was.Revision
		}
		if m.hooks = hooksOf(r.Hooks, m.event); len(m.hooks) > 0 {
			all = append(all, m)
		}
	}
	return all
}

// tests returns the tests of the releases that are installed or changed, if the
// layer wants them: Helm runs them when it is asked to.
func tests(l *layerWork, entry *inventory.Layer) []moment {
	if !l.Test {
		return nil
	}
	return moments(l, entry, helm.Test, helm.Test)
}

// hooksOf returns the hooks of an event in the order in which Helm runs them:
// by weight, then name. A chart's hooks are in the order of their kinds already.
func hooksOf(all []helm.Hook, event helm.Event) []helm.Hook {
	var hooks []helm.Hook
	for _, h := range all {
		if slices.Contains(h.Events, event) {
			hooks = append(hooks, h)
		}
	}
	slices.SortStableFunc(hooks, func(a, b helm.Hook) int {
		return cmp.Or(cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.Object.GetName(), b.Object.GetName()))
	})
	return hooks
}
