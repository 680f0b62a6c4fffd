package fake

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/controller/namespace/deletion"
)

// startNamespaces empties and deletes namespaces with the code of the namespace
// controller. That controller itself sleeps 5 s before it begins and, if there
// were pods, half of their grace period in between, because it cannot know that
// nothing has to be waited for.
func startNamespaces(ctx context.Context, client kubernetes.Interface, metadataClient metadata.Interface, factory informers.SharedInformerFactory) error {
	namespaces := factory.Core().V1().Namespaces()
	lister := namespaces.Lister()
	deleter := deletion.NewNamespacedResourcesDeleter(ctx, client.CoreV1().Namespaces(), metadataClient, client.CoreV1(),
		client.Discovery().ServerPreferredNamespacedResources, corev1.FinalizerKubernetes)

	return startLoop(ctx, func(ctx context.Context, name cache.ObjectName) (time.Duration, error) {
		namespace, err := lister.Get(name.Name)
		if err != nil || namespace.DeletionTimestamp == nil {
			return 0, ignoreGone(err)
		}
		err = deleter.Delete(ctx, name.Name)
		if _, ok := errors.AsType[*deletion.ResourcesRemainingError](err); ok {
			return 50 * time.Millisecond, nil
		}
		return 0, err
	}, namespaces.Informer())
}
