package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
)

// How many objects one response of a list holds at most: some tens of
// megabytes. A page is a round trip.
const (
	pageSize         = 1000
	pageSizeMetadata = 10_000
)

func (c *Client) resource(r Resource, namespace string) dynamic.ResourceInterface {
	if r.Namespaced {
		return c.dynamic.Resource(r.GroupVersionResource).Namespace(namespace)
	}
	return c.dynamic.Resource(r.GroupVersionResource)
}

func (c *Client) meta(r Resource, namespace string) metadata.ResourceInterface {
	if r.Namespaced {
		return c.metadata.Resource(r.GroupVersionResource).Namespace(namespace)
	}
	return c.metadata.Resource(r.GroupVersionResource)
}

// Get reads an object. Errors are those of the API server, wrapped, or
// [ErrUnreachable].
func (c *Client) Get(ctx context.Context, r Resource, ref Ref) (*unstructured.Unstructured, error) {
	o, err := c.resource(r, ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	return o, c.wrap(ref, "reading", err)
}

// GetMetadata reads the metadata of an object.
func (c *Client) GetMetadata(ctx context.Context, r Resource, ref Ref) (*metav1.PartialObjectMetadata, error) {
	o, err := c.meta(r, ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	return o, c.wrap(ref, "reading", err)
}

// ListMetadata lists the metadata of the objects in all namespaces, or in one,
// whose labels match the selector.
func (c *Client) ListMetadata(ctx context.Context, r Resource, namespace, selector string) ([]metav1.PartialObjectMetadata, error) {
	all, _, err := c.MetadataAt(ctx, r, namespace, selector)
	return all, err
}

// MetadataAt is like [Client.ListMetadata], and returns the version of the list
// too, from which to [Client.WatchMetadata].
func (c *Client) MetadataAt(ctx context.Context, r Resource, namespace, selector string) ([]metav1.PartialObjectMetadata, string, error) {
	var all []metav1.PartialObjectMetadata
	options := metav1.ListOptions{LabelSelector: selector, Limit: pageSizeMetadata}
	for {
		page, err := c.meta(r, namespace).List(ctx, options)
		if err != nil {
			return nil, "", c.wrap(Ref{}, "listing "+r.GroupResource().String(), err)
		}
		all = append(all, page.Items...)
		if page.Continue == "" {
			return all, page.ResourceVersion, nil
		}
		options.Continue = page.Continue
	}
}

// List lists the objects in all namespaces, or in one, whose labels match the
// selector, and returns the version of the list, from which to [Client.Watch].
func (c *Client) List(ctx context.Context, r Resource, namespace, selector string) ([]unstructured.Unstructured, string, error) {
	var all []unstructured.Unstructured
	options := metav1.ListOptions{LabelSelector: selector, Limit: pageSize}
	for {
		page, err := c.resource(r, namespace).List(ctx, options)
		if err != nil {
			return nil, "", c.wrap(Ref{}, "listing "+r.GroupResource().String(), err)
		}
		all = append(all, page.Items...)
		if page.GetContinue() == "" {
			return all, page.GetResourceVersion(), nil
		}
		options.Continue = page.GetContinue()
	}
}

// Since says what to watch: the objects whose labels match Selector, from a
// version that [Client.List] returned.
type Since struct{ Selector, Version string }

// Watch watches objects in all namespaces, or in one. The watch ends with ctx.
func (c *Client) Watch(ctx context.Context, r Resource, namespace string, since Since) (watch.Interface, error) {
	w, err := c.resource(r, namespace).Watch(ctx, since.options())
	return w, c.wrap(Ref{}, "watching "+r.GroupResource().String(), err)
}

// WatchMetadata watches the metadata of objects in all namespaces.
func (c *Client) WatchMetadata(ctx context.Context, r Resource, since Since) (watch.Interface, error) {
	w, err := c.meta(r, "").Watch(ctx, since.options())
	return w, c.wrap(Ref{}, "watching "+r.GroupResource().String(), err)
}

func (s Since) options() metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: s.Selector, ResourceVersion: s.Version, AllowWatchBookmarks: true}
}

// An Apply is one server-side apply (KEP-555).
type Apply struct {
	Ref   Ref
	Data  []byte // the object as JSON
	Force bool   // take the fields that other managers own
}

func (a Apply) options() metav1.PatchOptions {
	return metav1.PatchOptions{FieldManager: Manager, Force: &a.Force}
}

// Apply applies an object and returns the metadata that it got.
// A conflict with other managers is an error that [Conflicts] reads.
func (c *Client) Apply(ctx context.Context, r Resource, a Apply) (*metav1.PartialObjectMetadata, error) {
	// The metadata comes in the same encoding as that of lists, so that
	// [OwnFields] of both can be compared.
	o, err := c.meta(r, a.Ref.Namespace).Patch(ctx, a.Ref.Name, types.ApplyPatchType, a.Data, a.options())
	return o, c.wrap(a.Ref, "applying", err)
}

// Try returns what an object would become by being applied.
func (c *Client) Try(ctx context.Context, r Resource, a Apply) (*unstructured.Unstructured, error) {
	options := a.options()
	options.DryRun = []string{metav1.DryRunAll}
	o, err := c.resource(r, a.Ref.Namespace).Patch(ctx, a.Ref.Name, types.ApplyPatchType, a.Data, options)
	return o, c.wrap(a.Ref, "trying to apply", err)
}

// Create creates an object.
func (c *Client) Create(ctx context.Context, r Resource, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	out, err := c.resource(r, o.GetNamespace()).Create(ctx, o, metav1.CreateOptions{FieldManager: Manager})
	return out, c.wrap(RefOf(o), "creating", err)
}

// Update replaces an object, if it has not changed since o was read.
func (c *Client) Update(ctx context.Context, r Resource, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	out, err := c.resource(r, o.GetNamespace()).Update(ctx, o, metav1.UpdateOptions{FieldManager: Manager})
	return out, c.wrap(RefOf(o), "updating", err)
}

// Delete deletes the object that has this UID; what depends on it goes in the
// background. If uid is empty, whatever object has the name.
func (c *Client) Delete(ctx context.Context, r Resource, ref Ref, uid types.UID) error {
	background := metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{PropagationPolicy: &background}
	if uid != "" {
		options.Preconditions = &metav1.Preconditions{UID: &uid}
	}
	return c.wrap(ref, "deleting", c.resource(r, ref.Namespace).Delete(ctx, ref.Name, options))
}
