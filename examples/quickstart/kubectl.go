package main

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/strata-go/strata/reconcile"
)

// A kubectl reads and writes the cluster without Strata, as people do.
type kubectl struct {
	client   kubernetes.Interface
	metadata metadata.Interface
}

func newKubectl(config *rest.Config) (*kubectl, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	meta, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &kubectl{client, meta}, nil
}

// scale changes the replicas of a Deployment, as kubectl edit does.
func (k *kubectl) scale(ctx context.Context, namespace, name string, replicas int) error {
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	_, err := k.client.AppsV1().Deployments(namespace).Patch(ctx, name, types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: "kubectl-edit"})
	return err
}

func (k *kubectl) deleteService(ctx context.Context, namespace, name string) error {
	return k.client.CoreV1().Services(namespace).Delete(ctx, name, metav1.DeleteOptions{})
}

// labelled lists the objects of the kinds, in all namespaces, with the label.
func (k *kubectl) labelled(ctx context.Context, kinds []schema.GroupVersionKind, label string) ([]string, error) {
	groups, err := restmapper.GetAPIGroupResources(k.client.Discovery())
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	var found []string
	for _, kind := range kinds {
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return nil, err
		}
		objects, err := k.metadata.Resource(mapping.Resource).List(ctx, metav1.ListOptions{LabelSelector: label})
		if err != nil {
			return nil, err
		}
		for _, o := range objects.Items {
			found = append(found, fmt.Sprintf("%s %s/%s", kind.Kind, o.Namespace, o.Name))
		}
	}
	return found, nil
}

// kindsOf returns the kinds of everything on the target: of the objects of the
// layers, of the namespaces around them and of the records.
func kindsOf(status *reconcile.Status) []schema.GroupVersionKind {
	kinds := []schema.GroupVersionKind{
		{Version: "v1", Kind: "Namespace"},
		{Version: "v1", Kind: "Secret"},
	}
	for _, one := range status.Layers {
		for _, o := range one.Objects {
			kind := schema.GroupVersionKind{Group: o.Group, Version: o.Version, Kind: o.Kind}
			if !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	return kinds
}
