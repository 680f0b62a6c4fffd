package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/opencontainers/go-digest"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
)

// contentLabel says, on the record of a Helm release, what the revision is, so
// that a run that was cut short does not record it twice.
const contentLabel = "strata.dev/content"

var secretResource = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, Namespaced: true}

func recordRef(namespace, name string) kube.Ref {
	return kube.Ref{Version: "v1", Kind: "Secret", Namespace: namespace, Name: name}
}

// records returns the records of a Helm release, the oldest first.
func (s *session) records(ctx context.Context, namespace, release string) ([]metav1.PartialObjectMetadata, error) {
	list, err := s.client.ListMetadata(ctx, secretResource, namespace, "owner=helm,name="+release)
	slices.SortFunc(list, func(a, b metav1.PartialObjectMetadata) int { return revisionOf(a) - revisionOf(b) })
	return list, err
}

func revisionOf(record metav1.PartialObjectMetadata) int {
	n, _ := strconv.Atoi(record.Labels["version"])
	return n
}

// checkReleases reports releases of the names that the layer needs and that
// another tool made.
func (s *session) checkReleases(ctx context.Context, l *layerWork, was *inventory.Layer) error {
	var errs []error
	for _, r := range l.output.Releases {
		if was != nil && was.Release(r.Name, r.Namespace) != nil || s.adopts(l.Adopt) != layer.AdoptNever {
			continue
		}
		records, err := s.records(ctx, r.Namespace, r.Name)
		if err != nil {
			return err
		}
		foreign := slices.DeleteFunc(records, func(m metav1.PartialObjectMetadata) bool { return m.Labels[inventory.PartOf] == s.id })
		if len(foreign) > 0 {
			errs = append(errs, &ExistsError{ObjectRef(recordRef(r.Namespace, foreign[0].Name)), fmt.Sprintf("the Helm release %q that another tool made", r.Name)})
		}
	}
	return errors.Join(errs...)
}

// digestOf identifies what a release consists of.
func digestOf(r render.Release) digest.Digest {
	// Values are YAML, so they are JSON as well.
	hooks := make([]string, len(r.Hooks))
	for i, h := range r.Hooks {
		hooks[i] = h.Manifest
	}
	data, _ := json.Marshal([]any{r.Chart.Name(), r.Chart.Version(), r.Values, r.Manifest, r.Notes, hooks})
	return digest.FromBytes(data)
}

// released reports whether a release of the layer is otherwise than recorded.
func released(l *layerWork, entry *inventory.Layer) bool {
	return len(l.output.Releases) != len(entry.Releases) || slices.ContainsFunc(l.output.Releases, func(r render.Release) bool {
		was := entry.Release(r.Name, r.Namespace)
		return was == nil || was.Content != digestOf(r)
	})
}

// recordReleases writes a record, as Helm would, of each release of a layer
// that has become ready: a new revision, unless it has one already.
func (s *session) recordReleases(ctx context.Context, l *layerWork, entry *inventory.Layer) error {
	if l.output == nil {
		return nil
	}
	var current []inventory.Release
	for _, r := range l.output.Releases {
		known := inventory.Release{Name: r.Name, Namespace: r.Namespace}
		if was := entry.Release(r.Name, r.Namespace); was != nil {
			known = *was
		}
		if made := digestOf(r); known.Content != made {
			revision, err := s.recordRelease(ctx, r, made.Encoded()[:32])
			if err != nil {
				return fmt.Errorf("recording the Helm release %q: %w", r.Name, err)
			}
			known.Revision, known.Content = revision, made
			entry.ForgetRuns(known)
		}
		current = append(current, known)
	}
	dropped := slices.DeleteFunc(slices.Clone(entry.Releases), func(r inventory.Release) bool {
		return slices.ContainsFunc(current, func(c inventory.Release) bool { return c.Name == r.Name && c.Namespace == r.Namespace })
	})
	if err := s.deleteReleases(ctx, dropped); err != nil {
		return err
	}
	entry.Releases = current
	return nil
}

// recordRelease writes a revision of a release as deployed, and those before as
// superseded. It returns the number of the revision.
func (s *session) recordRelease(ctx context.Context, r render.Release, content string) (int, error) {
	records, err := s.records(ctx, r.Namespace, r.Name)
	if err != nil {
		return 0, err
	}
	now := time.Now()
	first, revision, same := now, 1, 0
	for i, m := range records {
		if i == 0 {
			first = m.CreationTimestamp.Time
		}
		revision = revisionOf(m) + 1
		if m.Labels[contentLabel] == content && i == len(records)-1 {
			return revisionOf(m), nil
		}
		if m.Labels[contentLabel] == content {
			same = revisionOf(m)
		}
		if m.Labels["status"] == string(helm.StatusDeployed) {
			if err := s.supersede(ctx, recordRef(r.Namespace, m.Name), now); err != nil {
				return 0, err
			}
		}
	}
	description := "Install complete"
	if revision > 1 {
		description = "Upgrade complete"
	}
	if s.back != "" && same > 0 {
		description = fmt.Sprintf("Rollback to %d", same)
	}
	secret, err := helm.Record{
		Name: r.Name, Namespace: r.Namespace, Revision: revision, Status: helm.StatusDeployed,
		Chart: r.Chart, Values: r.Values, Manifest: r.Manifest, Notes: r.Notes, Hooks: r.Hooks,
		Description: description, FirstDeployed: first, LastDeployed: now,
	}.Secret(now)
	if err != nil {
		return 0, err
	}
	labels := secret.GetLabels()
	labels[inventory.PartOf], labels[contentLabel] = s.id, content
	secret.SetLabels(labels)
	_, err = s.client.Create(ctx, secretResource, secret)
	return revision, err
}

func (s *session) supersede(ctx context.Context, ref kube.Ref, now time.Time) error {
	secret, err := s.client.Get(ctx, secretResource, ref)
	if err != nil {
		return err
	}
	if secret, err = helm.SetStatus(secret, helm.StatusChange{Status: helm.StatusSuperseded, Time: now}); err != nil {
		return err
	}
	_, err = s.client.Update(ctx, secretResource, secret)
	return err
}

// deleteReleases deletes all records of the releases, as helm uninstall does.
func (s *session) deleteReleases(ctx context.Context, releases []inventory.Release) error {
	for _, r := range releases {
		records, err := s.records(ctx, r.Namespace, r.Name)
		if err != nil {
			return err
		}
		for _, m := range records {
			err := s.client.Delete(ctx, secretResource, recordRef(r.Namespace, m.Name), m.UID)
			if err != nil && !apierrors.IsNotFound(err) {
				return err
			}
		}
	}
	return nil
}
