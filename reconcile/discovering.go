package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/profile"
)

// maxReleases bounds how many releases are read.
const maxReleases = 2000

// discover fills in d.
func (s *session) discover(ctx context.Context, h Hints, d *Discovery) (err error) {
	if d.KubernetesVersion, err = s.client.ServerVersion(ctx); err != nil {
		return err
	}
	namespaces := slices.Compact(slices.Sorted(slices.Values(h.Namespaces)))
	if len(namespaces) == 0 {
		namespaces = []string{""}
	}
	owners := map[string]string{}
	for _, ns := range namespaces {
		if err := s.findInstallations(ctx, ns, owners, d); err != nil {
			return err
		}
	}
	records, err := s.newestRecords(ctx, namespaces)
	if err != nil {
		return err
	}
	found, err := s.readRecords(ctx, records)
	if err != nil {
		return err
	}
	for i := range found {
		if id := found[i].owner; id != "" {
			found[i].Installation = cmp.Or(owners[id], id)
		}
	}
	propose(s.target.name(), h.Registries, found, d)
	if d.Profile == nil || h.Resolver == nil {
		return nil
	}
	return s.proposePlan(ctx, h.Resolver, d)
}

// findInstallations adds the installations whose records a namespace has, and
// their names by the ID that is on their objects.
func (s *session) findInstallations(ctx context.Context, namespace string, owners map[string]string, d *Discovery) error {
	places, err := inventory.Find(ctx, s.client, namespace)
	if err != nil {
		return err
	}
	for _, p := range places {
		owners[inventory.ID(p.Namespace, p.Name)] = p.Namespace + "/" + p.Name
		one := FoundInstallation{Namespace: p.Namespace, Name: p.Name}
		keeper := inventory.Keeper{Store: &inventory.Secrets{Client: s.client, Namespace: p.Namespace}, Name: p.Name}
		inv, err := keeper.Load(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			one.Problem = err.Error()
		} else {
			one.Profiles = inv.Profiles
			for _, l := range inv.Layers {
				one.Layers = append(one.Layers, l.Name)
			}
		}
		d.Installations = append(d.Installations, one)
	}
	return nil
}

// A storedRecord is the metadata of one, and where it is.
type storedRecord struct {
	metav1.PartialObjectMetadata
	resource kube.Resource
}

func (r storedRecord) ref() kube.Ref {
	kind := "Secret"
	if r.resource == configMapResource {
		kind = "ConfigMap"
	}
	return kube.Ref{Version: "v1", Kind: kind, Namespace: r.Namespace, Name: r.Name}
}

// newestRecords returns the record of the newest revision of each release, by
// namespace and name.
func (s *session) newestRecords(ctx context.Context, namespaces []string) ([]storedRecord, error) {
	type release struct{ namespace, name string }
	newest := map[release]storedRecord{}
	for _, ns := range namespaces {
		for _, resource := range []kube.Resource{secretResource, configMapResource} {
			list, err := s.client.ListMetadata(ctx, resource, ns, "owner=helm")
			if err != nil {
				return nil, err
			}
			for _, m := range list {
				key := release{m.Namespace, m.Labels["name"]}
				if was, ok := newest[key]; !ok || revisionOf(was.PartialObjectMetadata).number < revisionOf(m).number {
					newest[key] = storedRecord{m, resource}
				}
			}
		}
	}
	if len(newest) > maxReleases {
		return nil, terminal{fmt.Errorf("there are %d Helm releases, and %d are read at once; name some of their namespaces in Hints.Namespaces", len(newest), maxReleases)}
	}
	var all []storedRecord
	for _, r := range newest {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b storedRecord) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Labels["name"], b.Labels["name"]))
	})
	return all, nil
}

// A readRelease is a release, and of its record what the proposal needs.
type readRelease struct {
	FoundRelease
	owner  string // the ID of an installation
	values map[string]any
	err    error // of reading its record
}

// readRecords reads records. Those that are gone since are left out.
func (s *session) readRecords(ctx context.Context, records []storedRecord) ([]readRelease, error) {
	found := make([]readRelease, len(records))
	gone := make([]bool, len(records))
	g, gctx := s.group(ctx)
	for i, r := range records {
		g.Go(func() error {
			live, err := s.client.Get(gctx, r.resource, r.ref())
			if gone[i] = apierrors.IsNotFound(err); gone[i] {
				return nil
			}
			if err != nil {
				return err
			}
			found[i] = r.read(live)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var there []readRelease
	for i, f := range found {
		if !gone[i] {
			there = append(there, f)
		}
	}
	return there, nil
}

// read returns what the object of a record says.
func (r storedRecord) read(o *unstructured.Unstructured) readRelease {
	out := readRelease{owner: r.Labels[inventory.PartOf]}
	out.FoundRelease = FoundRelease{Namespace: r.Namespace, Name: r.Labels["name"], Revision: revisionOf(r.PartialObjectMetadata).number, Status: r.Labels["status"]}
	record, err := helm.ReadRecord(o)
	if err != nil {
		out.err = err
		return out
	}
	out.Status, out.values = string(record.Status), record.Values
	out.Chart, out.Version, out.AppVersion = record.Chart.Name(), record.Chart.Version(), record.Chart.AppVersion()
	out.FirstDeployed, out.LastDeployed = record.FirstDeployed.UTC(), record.LastDeployed.UTC()
	return out
}

// proposePlan locks the layers of the proposal whose charts are found, and plans
// to adopt these.
func (s *session) proposePlan(ctx context.Context, resolver profile.Resolver, d *Discovery) error {
	located := *d.Profile
	located.Layers = nil
	errs := make([]error, len(d.Profile.Layers))
	var wg sync.WaitGroup
	slots := make(chan struct{}, defaultConcurrency)
	for i, l := range d.Profile.Layers {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if errs[i] = ctx.Err(); errs[i] == nil {
				_, errs[i] = resolver.Resolve(ctx, l.Ref())
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, l := range d.Profile.Layers {
		if errs[i] == nil {
			located.Layers = append(located.Layers, l)
			d.Gaps = slices.DeleteFunc(d.Gaps, func(g Gap) bool { return g.Kind == GapRegistry && g.Layer == l.Name })
			continue
		}
		d.gap(Gap{Kind: GapChart, Layer: l.Name, Problem: errs[i].Error()})
	}
	if len(located.Layers) == 0 {
		return nil
	}
	desired, err := profile.Resolve(ctx, resolver, nil, &located)
	if err != nil {
		return err
	}
	d.Lock = desired.Lock()
	inv, err := s.keeper.Load(ctx)
	if err != nil {
		return err
	}
	if !inv.Empty() {
		d.gap(Gap{Kind: GapTarget, Problem: fmt.Sprintf("there is an installation %q already; set another Target.Name, or add the layers to its stack", s.target.name())})
		return nil
	}
	if d.Plan, err = s.plan(ctx, desired); err != nil {
		return err
	}
	for _, g := range changing(d.Plan) {
		d.gap(g)
	}
	return nil
}

// gap adds a gap; one of a layer gets the release.
func (d *Discovery) gap(g Gap) {
	for _, r := range d.Releases {
		if r.Layer == g.Layer && g.Layer != "" {
			g.Release = r.Namespace + "/" + r.Name
		}
	}
	d.Gaps = append(d.Gaps, g)
}
