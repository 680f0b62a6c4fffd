package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

var secretResource = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, Namespaced: true}

func recordRef(namespace, name string) kube.Ref {
	return kube.Ref{Version: "v1", Kind: "Secret", Namespace: namespace, Name: name}
}

func (r revision) ref() kube.Ref {
	ref := recordRef(r.namespace, r.secret)
	if r.mapped {
		ref.Kind = "ConfigMap"
	}
	return ref
}

func (r revision) resource() kube.Resource {
	if r.mapped {
		return configMapResource
	}
	return secretResource
}

// A releaseKey tells Helm releases apart.
type releaseKey struct{ namespace, name string }

// What Helm writes on the objects of a release. Without it Helm's own command
// refuses to take them for its release's.
const (
	nameAnnotation      = "meta.helm.sh/release-name"
	namespaceAnnotation = "meta.helm.sh/release-namespace"
	managerLabel        = "app.kubernetes.io/managed-by"
)

// markAsHelm marks an object of a release as Helm does.
func markAsHelm(o *unstructured.Unstructured, of releaseKey) {
	labels, annotations := o.GetLabels(), o.GetAnnotations()
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	labels[managerLabel] = "Helm"
	annotations[nameAnnotation], annotations[namespaceAnnotation] = of.name, of.namespace
	o.SetLabels(labels)
	o.SetAnnotations(annotations)
}

// markedFor returns the release that an object is marked as a part of.
func markedFor(o metav1.Object) releaseKey {
	return releaseKey{o.GetAnnotations()[namespaceAnnotation], o.GetAnnotations()[nameAnnotation]}
}

// revisions reads all revisions of a release.
func (s *session) revisions(ctx context.Context, of releaseKey) (history, error) {
	list, err := s.client.ListMetadata(ctx, secretResource, of.namespace, "owner=helm,name="+of.name)
	return historyOf(list), err
}

// newest reads the revisions that are not superseded of all releases of inv:
// enough to tell that nothing happened to them. It takes one list, or one for
// each namespace where the whole cluster may not be listed.
func (s *session) newest(ctx context.Context, inv *inventory.Inventory) (map[releaseKey]history, error) {
	places := inv.ReleaseNamespaces()
	if len(places) > 1 {
		all, err := s.newestIn(ctx, "")
		if !apierrors.IsForbidden(err) {
			return all, err
		}
	}
	found := make([]map[releaseKey]history, len(places))
	g, ctx := s.group(ctx)
	for i, namespace := range places {
		g.Go(func() (err error) {
			found[i], err = s.newestIn(ctx, namespace)
			return err
		})
	}
	err := g.Wait()
	all := map[releaseKey]history{}
	for _, here := range found {
		maps.Copy(all, here)
	}
	return all, err
}

func (s *session) newestIn(ctx context.Context, namespace string) (map[releaseKey]history, error) {
	list, err := s.client.ListMetadata(ctx, secretResource, namespace, "owner=helm,status!="+string(helm.StatusSuperseded))
	records := map[releaseKey][]metav1.PartialObjectMetadata{}
	for _, m := range list {
		of := releaseKey{m.Namespace, m.Labels["name"]}
		records[of] = append(records[of], m)
	}
	all := map[releaseKey]history{}
	for of, list := range records {
		all[of] = historyOf(list)
	}
	return all, err
}

// readRecord reads a record with its content.
func (s *session) readRecord(ctx context.Context, r revision) (*helm.Record, error) {
	secret, err := s.client.Get(ctx, r.resource(), r.ref())
	if err != nil {
		return nil, err
	}
	return helm.ReadRecord(secret)
}

// writeRecord adds a revision to a history.
func (s *session) writeRecord(ctx context.Context, h history, record helm.Record, content string) error {
	now := time.Now()
	record.Revision, record.FirstDeployed, record.LastDeployed = h.next(), now, now
	if last := h.last(); last != nil {
		// One that cannot be read is no reason to stop: nothing else is needed of it.
		if before, err := s.readRecord(ctx, *last); err == nil {
			record.FirstDeployed = before.FirstDeployed
		}
	}
	secret, err := record.Secret(now)
	if err != nil {
		return err
	}
	labels := secret.GetLabels()
	labels[inventory.PartOf] = s.id
	secret.SetLabels(labels)
	secret.SetAnnotations(map[string]string{contentAnnotation: content})
	_, err = s.client.Create(ctx, secretResource, secret)
	if apierrors.IsAlreadyExists(err) {
		// Whoever made it is at work now; Helm takes it for a lock as well.
		return &PendingError{record.Name, record.Namespace, record.Revision, string(record.Status), now}
	}
	return err
}

// setStatus changes the status of a revision, unless it is so already.
func (s *session) setStatus(ctx context.Context, r revision, change helm.StatusChange) error {
	secret, err := s.client.Get(ctx, r.resource(), r.ref())
	if err != nil {
		return err
	}
	record, err := helm.ReadRecord(secret)
	if err != nil {
		return err
	}
	if now := helm.Description(record.Description); record.Status == change.Status && cmp.Or(change.Description, now) == now {
		return nil
	}
	change.Time = time.Now()
	if secret, err = helm.SetStatus(secret, change); err != nil {
		return err
	}
	_, err = s.client.Update(ctx, r.resource(), secret)
	return err
}

// freeRevisions ends the revisions that are under way by their records, but for
// one: whoever made them is gone. They stay in the history as failed.
func (s *session) freeRevisions(ctx context.Context, layer string, h history, but int) error {
	for _, r := range h {
		if !r.status.Pending() || r.number == but {
			continue
		}
		change := helm.StatusChange{Status: helm.StatusFailed, Description: "Overtaken by a later revision before it was complete"}
		if r.content == "" {
			change.Description = fmt.Sprintf("Left as %s by a tool that is gone; freed by Strata", r.status)
		}
		if err := s.setStatus(ctx, r, change); err != nil {
			return err
		}
		if r.content == "" {
			s.events.send(Event{Type: ReleaseFreed, Layer: layer, Object: ObjectRef(r.ref()), Message: fmt.Sprintf("revision %d was left as %s", r.number, r.status)})
		}
	}
	return nil
}

// deleteRecords deletes records of a release.
func (s *session) deleteRecords(ctx context.Context, h history) error {
	for _, r := range h {
		if err := s.client.Delete(ctx, r.resource(), r.ref(), r.uid); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}
