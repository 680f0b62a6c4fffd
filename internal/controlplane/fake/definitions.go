package fake

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// nudgeAnnotation says on a definition when it was nudged on.
const nudgeAnnotation = "strata.dev/test-nudged"

// nudgeAfter is how long the API server has to try again by itself.
const nudgeAfter = 5 * time.Second

// startDefinitions makes the API server try again to delete a definition that it
// could not list the objects of. That is so for one that is deleted before
// anybody asked for its objects: their cache is not ready at once. The next try
// comes after 5 ms. If the server's own note of the failure has not come back to
// it by then, writing the next one is a conflict, and no other try follows before
// all definitions are looked at again, every five minutes. Any other change of
// the definition makes it try at once.
func startDefinitions(ctx context.Context, client dynamic.Interface) error {
	resource := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	factory := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
	informer := factory.ForResource(resource)
	err := startLoop(ctx, func(ctx context.Context, name cache.ObjectName) (time.Duration, error) {
		known, err := informer.Lister().Get(name.Name)
		if err != nil {
			return 0, ignoreGone(err)
		}
		definition, ok := known.(*unstructured.Unstructured)
		if !ok {
			return 0, fmt.Errorf("a definition is a %T", known)
		}
		failed := failedToDelete(definition)
		if failed.IsZero() {
			return 0, nil
		}
		if left := nudgeAfter - time.Since(failed); left > 0 {
			return left, nil
		}
		patch := fmt.Appendf(nil, `{"metadata": {"annotations": {%q: %q}, "uid": %q}}`, nudgeAnnotation, time.Now().Format(time.RFC3339Nano), definition.GetUID())
		_, err = client.Resource(resource).Patch(ctx, name.Name, types.MergePatchType, patch, metav1.PatchOptions{})
		return nudgeAfter, ignoreGone(err)
	}, informer.Informer())
	factory.Start(ctx.Done())
	return err
}

// failedToDelete returns since when the API server could not delete the objects
// of a definition; zero if it can, or tries.
func failedToDelete(definition *unstructured.Unstructured) time.Time {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if condition["type"] != "Terminating" || condition["reason"] != "InstanceDeletionFailed" {
			continue
		}
		text, _ := condition["lastTransitionTime"].(string)
		since, err := time.Parse(time.RFC3339, text)
		if err == nil {
			return since
		}
	}
	return time.Time{}
}
