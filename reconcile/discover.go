package reconcile

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/strata-go/strata/profile"
)

// Hints tell [Reconciler.Discover] what a cluster does not know of itself. The
// zero Hints look everywhere, and have nobody to ask about charts.
type Hints struct {
	// Namespaces are those to look in. If empty, all.
	Namespaces []string
	// Registries has the registry of each chart by the chart's name, as
	// [layer.Helm] has it; "" is for all others. Helm does not record it.
	Registries map[string]string
	// Resolver, such as a *registry.Client, looks the charts up. If nil, nothing
	// is locked and planned.
	Resolver profile.Resolver
}

// A Discovery is what was found on a cluster, and what would take it over.
// String and JSON show no values of releases; Profile holds them.
type Discovery struct {
	KubernetesVersion string `json:"kubernetesVersion"`
	// Installations are those whose records are kept on the cluster.
	Installations []FoundInstallation `json:"installations"`
	// Releases are the Helm releases, in their newest revision, by namespace and
	// name.
	Releases []FoundRelease `json:"releases"`
	// Gaps are what keeps a release from being taken over as it is.
	Gaps []Gap `json:"gaps"`
	// Profile proposes a layer for each release that is deployed and belongs to
	// no installation, in the order in which they were first deployed; nil if
	// there is none. Its values are those of the releases, secrets included: do
	// not publish it before those are variables. Layers adopt what is there.
	Profile *profile.Profile `json:"-"`
	// Lock pins the layers of Profile whose charts were found, and Plan is what
	// adopting these would do. Both are nil without a Resolver, and Plan also if
	// the target has an installation already. No plan of a discovery was carried
	// out.
	Lock *profile.Lock `json:"lock,omitempty"`
	Plan *Plan         `json:"-"`
}

// A FoundInstallation is an installation of Strata.
type FoundInstallation struct {
	Namespace string       `json:"namespace"` // of its record
	Name      string       `json:"name"`
	Profiles  []profile.ID `json:"profiles"`
	Layers    []string     `json:"layers"`
	// Problem says why its record cannot be read.
	Problem string `json:"problem,omitempty"`
}

// A FoundRelease is a Helm release.
type FoundRelease struct {
	Namespace     string    `json:"namespace"`
	Name          string    `json:"name"`
	Revision      int       `json:"revision"`
	Status        string    `json:"status"` // in Helm's words
	Chart         string    `json:"chart,omitempty"`
	Version       string    `json:"version,omitempty"`
	AppVersion    string    `json:"appVersion,omitempty"`
	FirstDeployed time.Time `json:"firstDeployed,omitzero"`
	LastDeployed  time.Time `json:"lastDeployed,omitzero"`
	// Installation is the one that it belongs to, "namespace/name", or its ID if
	// no record of it was found; empty if another tool made it.
	Installation string `json:"installation,omitempty"`
	// Layer is the layer of the proposed profile; empty if there is none.
	Layer string `json:"layer,omitempty"`
}

// A GapKind says what is missing.
type GapKind string

// The kinds of gaps.
const (
	// GapRegistry: nobody said which registry the chart is in.
	GapRegistry GapKind = "Registry"
	// GapChart: the registry does not have the chart in this version, or could
	// not be asked.
	GapChart GapKind = "Chart"
	// GapSensitive: values look like secrets. They should be variables.
	GapSensitive GapKind = "Sensitive"
	// GapUnfinished: the newest revision failed or is pending. Let Helm finish it
	// or roll it back first.
	GapUnfinished GapKind = "Unfinished"
	// GapUnreadable: the record cannot be read.
	GapUnreadable GapKind = "Unreadable"
	// GapName: a profile cannot have a release of the name.
	GapName GapKind = "Name"
	// GapChange: taking it over would not leave all as it is; the plan has it in
	// full. It is known with a Resolver only.
	GapChange GapKind = "Change"
	// GapTarget: the target has an installation, which the proposal is no part
	// of.
	GapTarget GapKind = "Target"
)

// A Gap is something to fill in before a release can be taken over.
type Gap struct {
	Kind    GapKind `json:"kind"`
	Release string  `json:"release,omitempty"` // "namespace/name"
	Layer   string  `json:"layer,omitempty"`   // of the proposed profile
	// Paths are the values that the gap is about: ".auth.password".
	Paths   []string `json:"paths,omitempty"`
	Problem string   `json:"problem"` // for people; it holds no values
}

// String returns "release: problem".
func (g Gap) String() string {
	if g.Release == "" {
		return g.Problem
	}
	return g.Release + ": " + g.Problem
}

// Discover reads what is on the cluster of t, installations and Helm releases,
// and proposes a profile that would take the releases over as the installation
// t. It changes nothing. It reads the newest record of each release, and so
// needs to be allowed to read Secrets.
//
// The discovery is valid beside an error that joins what could not be planned.
// To take over what it proposes, fill the gaps, resolve the profile, and look at
// what [Reconciler.Plan] says once more.
func (r *Reconciler) Discover(ctx context.Context, t Target, h Hints) (*Discovery, error) {
	d := &Discovery{Installations: []FoundInstallation{}, Releases: []FoundRelease{}, Gaps: []Gap{}}
	err := r.beside(ctx, t, "Discover", func(ctx context.Context, s *session) error { return s.discover(ctx, h, d) })
	return d, err
}

// String returns d as tables for people, without values.
func (d *Discovery) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	if len(d.Installations) > 0 {
		fmt.Fprintln(w, "INSTALLATION\tLAYERS\tPROFILES")
	}
	for _, i := range d.Installations {
		var names []string
		for _, id := range i.Profiles {
			names = append(names, id.String())
		}
		fmt.Fprintf(w, "%s/%s\t%d\t%s%s\n", i.Namespace, i.Name, len(i.Layers), strings.Join(names, ", "), i.Problem)
	}
	if len(d.Releases) > 0 {
		fmt.Fprintln(w, "RELEASE\tREVISION\tSTATUS\tCHART\tBELONGS TO\tLAYER")
	}
	for _, r := range d.Releases {
		chart := strings.Trim(r.Chart+" "+r.Version, " ")
		fmt.Fprintf(w, "%s/%s\t%d\t%s\t%s\t%s\t%s\n", r.Namespace, r.Name, r.Revision, r.Status, orMissing(chart), orMissing(r.Installation), orMissing(r.Layer))
	}
	_ = w.Flush() // a strings.Builder never fails
	for _, g := range d.Gaps {
		fmt.Fprintf(&b, "%s: %s\n", g.Kind, g)
	}
	return b.String()
}
