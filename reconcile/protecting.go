package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

// protected says why an object that is no longer wanted stays, or "".
func (s *session) protected(ctx context.Context, o inventory.Object, live *metav1.PartialObjectMetadata) (string, error) {
	why := s.keeps(o, live)
	if why == "" && o.GVK().GroupKind() == namespaceKind && live.DeletionTimestamp == nil {
		return s.inhabited(ctx, o.Name)
	}
	return why, nil
}

// keeps says why an object stays whatever else is on the cluster, or "".
func (s *session) keeps(o inventory.Object, live *metav1.PartialObjectMetadata) string {
	switch {
	case o.UID != "" && live.UID != o.UID && kube.OwnFields(live.ManagedFields, nil) == "":
		return "it was made anew by somebody else"
	case o.UID == "" && live.Labels[inventory.PartOf] != s.id:
		return "it was made by somebody else"
	case live.Labels[inventory.PartOf] != "" && live.Labels[inventory.PartOf] != s.id:
		return "it belongs to another installation now"
	case o.Keep || live.Annotations[policyAnnotation] == "keep":
		return "helm.sh/resource-policy is keep"
	}
	switch o.GVK().GroupKind() {
	case definitionKind:
		if !s.Prune.CustomResourceDefinitions {
			return "deleting it would delete every object of its kind; see PrunePolicy"
		}
	case claimKind:
		if !s.Prune.PersistentVolumeClaims {
			return "deleting it may delete its volume; see PrunePolicy"
		}
	case namespaceKind:
		if !o.Created {
			return "it was there before"
		}
	}
	return ""
}

// inhabited says what is left in a namespace that is not ours, or "": deleting
// the namespace would delete it. What others own that is going itself, or that
// every namespace has, does not count.
func (s *session) inhabited(ctx context.Context, namespace string) (string, error) {
	resources, err := s.searched(ctx)
	if err != nil {
		return "", err
	}
	var mu sync.Mutex
	var found []string
	var hidden atomic.Bool
	g, ctx := s.group(ctx)
	for _, r := range resources {
		g.Go(func() error {
			list, err := s.client.ListMetadata(ctx, r, namespace, "")
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
				return nil
			}
			if apierrors.IsForbidden(err) {
				hidden.Store(true)
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, o := range list {
				if !transient(r, o) {
					found = append(found, r.Resource+" "+o.Name)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	if len(found) == 0 && hidden.Load() {
		return "it may hold what is not ours: not everything in it may be listed", nil
	}
	if len(found) == 0 {
		return "", nil
	}
	const shown = 3
	more := ""
	if len(found) > shown {
		more = fmt.Sprintf(" and %d more", len(found)-shown)
	}
	return "it holds what is not ours: " + strings.Join(found[:min(shown, len(found))], ", ") + more, nil
}

// searched returns the resources that may be somebody's in a namespace.
func (s *session) searched(ctx context.Context) ([]kube.Resource, error) {
	resources, err := s.client.Namespaced(ctx)
	return slices.DeleteFunc(resources, func(r kube.Resource) bool { return slices.Contains(ephemeral, r.Resource) }), err
}

// ephemeral are resources whose objects are made by the cluster itself, or held
// by workloads while they run.
var ephemeral = []string{"events", "leases", "endpoints"}

// transient reports whether an object in a namespace is nobody's to miss. One
// on its way out is no reason to stay, nor one with an owner, which goes with
// it: the owner itself is looked at.
func transient(r kube.Resource, o metav1.PartialObjectMetadata) bool {
	switch r.Resource {
	case "serviceaccounts":
		return o.Name == "default" || o.DeletionTimestamp != nil
	case "configmaps":
		return o.Name == "kube-root-ca.crt" || o.DeletionTimestamp != nil
	}
	return o.DeletionTimestamp != nil || len(o.OwnerReferences) > 0
}
