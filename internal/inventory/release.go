package inventory

import (
	"slices"

	"github.com/opencontainers/go-digest"
)

// A Release is a Helm release.
type Release struct {
	Name      string        `json:"name"`
	Namespace string        `json:"namespace"`
	Revision  int           `json:"revision"`
	Content   digest.Digest `json:"content"` // of the revision
}

// Release returns the release of that name and namespace, or nil.
func (l *Layer) Release(name, namespace string) *Release {
	i := slices.IndexFunc(l.Releases, func(r Release) bool { return r.Name == name && r.Namespace == namespace })
	if i < 0 {
		return nil
	}
	return &l.Releases[i]
}

// SetRelease adds a release, or replaces what is known of it. If its content
// becomes unknown, its hooks run again.
func (l *Layer) SetRelease(r Release) {
	if r.Content == "" {
		l.DropRelease(r.Name, r.Namespace)
	}
	if known := l.Release(r.Name, r.Namespace); known != nil {
		*known = r
		return
	}
	l.Releases = append(l.Releases, r)
}

// DropRelease forgets a release, and how far its hooks have come.
func (l *Layer) DropRelease(name, namespace string) {
	l.Releases = slices.DeleteFunc(l.Releases, func(r Release) bool { return r.Name == name && r.Namespace == namespace })
	l.ForgetRuns(Release{Name: name, Namespace: namespace})
}

// Expect keeps in mind that a release is being brought about, and reports
// whether that is new.
func (l *Layer) Expect(r Release) bool {
	if slices.Contains(l.Coming, r) {
		return false
	}
	l.Arrive(r)
	l.Coming = append(l.Coming, r)
	return true
}

// Arrive says that a release is no longer being brought about.
func (l *Layer) Arrive(r Release) {
	l.Coming = slices.DeleteFunc(l.Coming, func(c Release) bool { return c.Name == r.Name && c.Namespace == r.Namespace })
}

// ReleaseNamespaces returns the namespaces that hold records of Helm releases,
// sorted.
func (inv *Inventory) ReleaseNamespaces() []string {
	var all []string
	for _, l := range inv.Layers {
		for _, r := range l.Releases {
			all = append(all, r.Namespace)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
