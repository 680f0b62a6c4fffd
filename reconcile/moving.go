package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/kube"
)

var configMapResource = kube.Resource{GroupVersionResource: secretResource.GroupVersion().WithResource("configmaps"), Namespaced: true}

// strangers reads the revisions of a release that is not known to be ours, those
// too that Helm was told to keep in ConfigMaps. Of a revision that is in both
// places, as when moving it was cut short, the ConfigMap counts. Who may not list
// ConfigMaps has none: Helm's own place are Secrets.
func (s *session) strangers(ctx context.Context, of releaseKey) (history, error) {
	all, err := s.revisions(ctx, of)
	if last := all.last(); err != nil || last != nil && last.owner == s.id {
		return all, err
	}
	list, err := s.client.ListMetadata(ctx, configMapResource, of.namespace, "owner=helm,name="+of.name)
	if apierrors.IsForbidden(err) || len(list) == 0 && err == nil {
		return all, nil
	}
	mapped := historyOf(list)
	for i := range mapped {
		mapped[i].mapped = true
	}
	for _, r := range all {
		if !slices.ContainsFunc(mapped, func(m revision) bool { return m.number == r.number }) {
			mapped = append(mapped, r)
		}
	}
	slices.SortFunc(mapped, func(a, b revision) int { return cmp.Compare(a.number, b.number) })
	return mapped, err
}

// mapped returns how many revisions are in ConfigMaps.
func (h history) mapped() int {
	n := 0
	for _, r := range h {
		if r.mapped {
			n++
		}
	}
	return n
}

// move moves the revisions of a history that are in ConfigMaps into Secrets,
// where ours will be: there is one history of a release, and one place that has
// it. Each stays what it was. As Helm looks in one place only, the one that is
// deployed is called superseded in the ConfigMap before it is a Secret: no two
// records ever claim that.
func (s *session) move(ctx context.Context, h history) (history, error) {
	moved := slices.Clone(h)
	for i, r := range h {
		if !r.mapped {
			continue
		}
		record, err := s.client.Get(ctx, r.resource(), r.ref())
		if err != nil {
			return nil, err
		}
		secret, err := helm.ToSecret(record)
		if err != nil {
			return nil, err
		}
		if r.status == helm.StatusDeployed {
			if err := s.setStatus(ctx, r, helm.StatusChange{Status: helm.StatusSuperseded}); err != nil {
				return nil, err
			}
		}
		moved[i].mapped = false
		created, err := s.client.Create(ctx, secretResource, secret)
		switch {
		case err == nil:
			moved[i].uid = created.GetUID()
		case !apierrors.IsAlreadyExists(err): // of a run that was cut short
			return nil, err
		}
		if err := s.deleteRecords(ctx, history{r}); err != nil {
			return nil, err
		}
	}
	return moved, nil
}

// moves says in the plan that records of releases go elsewhere.
func (l *layerWork) moves() []string {
	var all []string
	for _, r := range l.releases {
		if n := r.history.mapped(); n > 0 {
			all = append(all, fmt.Sprintf("Helm keeps the release %s/%s in ConfigMaps; its records (%d) become Secrets, where Helm looks unless HELM_DRIVER is set", r.Namespace, r.Name, n))
		}
	}
	return all
}
