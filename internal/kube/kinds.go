package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/strata-go/strata/internal/nearest"
)

// A Resource is how the API serves a kind. Resources are comparable.
type Resource struct {
	schema.GroupVersionResource
	Namespaced bool
}

// kinds are the kinds that the server has, asked for once.
type kinds struct {
	mu     sync.Mutex
	byKind map[schema.GroupVersionKind]Resource
	listed []Resource // those that objects can be listed of, in their preferred version
	server string     // version
}

// Kinds returns how the cluster serves each kind.
// It asks the server on the first call, and after [Client.ForgetKinds].
func (c *Client) Kinds(ctx context.Context) (map[schema.GroupVersionKind]Resource, error) {
	c.kinds.mu.Lock()
	defer c.kinds.mu.Unlock()
	if err := c.discover(ctx); err != nil {
		return nil, err
	}
	return maps.Clone(c.kinds.byKind), nil
}

// Namespaced returns the resources whose objects live in namespaces and can be
// listed and deleted, one version of each.
func (c *Client) Namespaced(ctx context.Context) ([]Resource, error) {
	c.kinds.mu.Lock()
	defer c.kinds.mu.Unlock()
	if err := c.discover(ctx); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(c.kinds.listed), func(r Resource) bool { return !r.Namespaced }), nil
}

// Resource returns how the cluster serves the kind of ref, or a [*NoKindError].
func (c *Client) Resource(ctx context.Context, ref Ref) (Resource, error) {
	known, err := c.Kinds(ctx)
	if err != nil {
		return Resource{}, err
	}
	if r, ok := known[ref.GVK()]; ok {
		return r, nil
	}
	return Resource{}, &NoKindError{ref, hint(ref, known)}
}

func hint(ref Ref, known map[schema.GroupVersionKind]Resource) string {
	var names []string
	for gvk := range known {
		if gvk.Kind == ref.Kind {
			return fmt.Sprintf(" (it has %s)", gvk.GroupVersion())
		}
		if gvk.Group == ref.Group {
			names = append(names, gvk.Kind)
		}
	}
	slices.Sort(names)
	return nearest.Hint(ref.Kind, names)
}

// ForgetKinds makes the next call ask the server again: kinds came or went.
func (c *Client) ForgetKinds() {
	c.kinds.mu.Lock()
	defer c.kinds.mu.Unlock()
	c.kinds.byKind = nil
}

// Forget makes the next calls ask the server again for all that is known of it:
// it may have become another one.
func (c *Client) Forget() {
	c.ForgetKinds()
	c.kinds.mu.Lock()
	defer c.kinds.mu.Unlock()
	c.kinds.server = ""
}

// discover fills c.kinds, whose lock is held. Groups whose server does not
// answer, as an aggregated one that is down, are left out.
func (c *Client) discover(ctx context.Context) error {
	if c.kinds.byKind != nil {
		return nil
	}
	_, lists, err := c.discovery.ServerGroupsAndResourcesWithContext(ctx)
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return c.wrap(Ref{}, "reading the kinds of the cluster", err)
	}
	byKind := map[schema.GroupVersionKind]Resource{}
	listed := map[schema.GroupResource]Resource{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			if strings.Contains(r.Name, "/") {
				continue // a subresource
			}
			res := Resource{gv.WithResource(r.Name), r.Namespaced}
			byKind[gv.WithKind(r.Kind)] = res
			if _, ok := listed[res.GroupResource()]; !ok && slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "delete") {
				listed[res.GroupResource()] = res
			}
		}
	}
	c.kinds.byKind, c.kinds.listed = byKind, slices.Collect(maps.Values(listed))
	return nil
}

// ServerVersion returns the version of the cluster, "v1.36.3", asked for once.
func (c *Client) ServerVersion(ctx context.Context) (string, error) {
	c.kinds.mu.Lock()
	defer c.kinds.mu.Unlock()
	if c.kinds.server == "" {
		info, err := c.discovery.ServerVersionWithContext(ctx)
		if err != nil {
			return "", c.wrap(Ref{}, "reading the version of the cluster", err)
		}
		c.kinds.server = info.GitVersion
	}
	return c.kinds.server, nil
}
