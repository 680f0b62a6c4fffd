package reconcile

import (
	"context"
	"maps"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

// observed is the metadata of the objects that an inventory lists, as the
// cluster has them. Those that are gone are missing.
type observed map[kube.Key]*metav1.PartialObjectMetadata

// A survey is what a pass begins with.
type survey struct {
	inv     *inventory.Inventory
	version string // of the cluster
	live    observed
	owned   records
}

// survey reads the inventory, and what became of the objects in it.
func (s *session) survey(ctx context.Context) (survey, error) {
	inv, err := s.keeper.Load(ctx)
	if err != nil {
		return survey{}, err
	}
	version, err := s.client.ServerVersion(ctx)
	if err != nil {
		return survey{}, err
	}
	if s.releases, err = s.newest(ctx, inv); err != nil {
		return survey{}, err
	}
	live, err := s.observe(ctx, inv)
	return survey{inv, version, live, knownOf(inv)}, err
}

// observe reads the metadata of everything in inv: one list for each kind.
func (s *session) observe(ctx context.Context, inv *inventory.Inventory) (observed, error) {
	byResource := map[kube.Resource][]inventory.Object{}
	for _, o := range inv.All() {
		byResource[o.Served()] = append(byResource[o.Served()], o)
	}
	live := observed{}
	var mu sync.Mutex
	g, ctx := s.group(ctx)
	for resource, objects := range byResource {
		g.Go(func() error {
			found, err := s.observeKind(ctx, resource, objects)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(live, found)
			return err
		})
	}
	return live, g.Wait()
}

func (s *session) observeKind(ctx context.Context, resource kube.Resource, objects []inventory.Object) (observed, error) {
	if !slices.ContainsFunc(objects, func(o inventory.Object) bool { return o.UID != "" }) {
		// Announced, and none applied yet. The kind may be too new to be listed:
		// the server asks to wait a second then. To apply them all is no harm.
		return nil, nil
	}
	byName, err := s.listed(ctx, resource)
	if err != nil {
		return nil, err
	}
	found := observed{}
	for _, o := range objects {
		if meta, ok := byName[types.NamespacedName{Namespace: o.Namespace, Name: o.Name}]; ok {
			found[o.Key()] = meta
			continue
		}
		if o.UID == "" {
			continue // announced, and never applied
		}
		// It is gone, or somebody took the label off it.
		meta, err := s.client.GetMetadata(ctx, resource, o.Ref)
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, err
		}
		if err == nil {
			found[o.Key()] = meta
		}
	}
	return found, nil
}

// listed returns the metadata of the objects of one kind that have our label: as
// a watch has it, or from a list.
func (s *session) listed(ctx context.Context, resource kube.Resource) (map[types.NamespacedName]*metav1.PartialObjectMetadata, error) {
	if seen, ok := s.feed.seen(resource); ok {
		return seen, nil
	}
	list, err := s.client.ListMetadata(ctx, resource, "", s.selector())
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	byName := make(map[types.NamespacedName]*metav1.PartialObjectMetadata, len(list))
	for i := range list {
		byName[nameOf(&list[i])] = &list[i]
	}
	return byName, nil
}

func nameOf(o *metav1.PartialObjectMetadata) types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: o.Name}
}
