package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/kube"
)

// failed returns the error of an object that will not become ready, with the log
// of what ran for it if it is a Job or a Pod.
func (s *session) failed(ctx context.Context, ref kube.Ref, message string, live *unstructured.Unstructured) error {
	return &FailedError{Object: ObjectRef(ref), Message: message, Log: s.lastWords(ctx, live)}
}

// lastWords returns the end of the log of the container that failed, or says why
// it cannot be had: an error that has a reason must not get lost over it.
func (s *session) lastWords(ctx context.Context, live *unstructured.Unstructured) string {
	pod, err := s.failedPod(ctx, live)
	if err == nil && pod == nil {
		return ""
	}
	var text string
	if err == nil {
		text, err = s.client.Log(ctx, pod.GetNamespace(), pod.GetName(), failedContainer(pod))
	}
	switch {
	case apierrors.IsForbidden(err):
		return "(its log may not be read: the right to get pods/log is missing)"
	case err != nil:
		return fmt.Sprintf("(its log cannot be read: %v)", err)
	case s.events.redact != nil:
		return s.events.redact(text)
	}
	return text
}

// failedPod returns a Pod itself, of a Job the newest pod, of those that failed
// if there are any, or nil.
func (s *session) failedPod(ctx context.Context, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if live == nil {
		return nil, nil
	}
	switch live.GroupVersionKind().GroupKind() {
	case schema.GroupKind{Kind: "Pod"}:
		return live, nil
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
	default:
		return nil, nil
	}
	set := podsOf(live)
	pods, _, err := s.client.List(ctx, podResource, set.namespace, set.selector)
	if err != nil || len(pods) == 0 {
		return nil, err
	}
	failed := func(p unstructured.Unstructured) int {
		if phase, _, _ := unstructured.NestedString(p.Object, "status", "phase"); phase == "Failed" {
			return 1
		}
		return 0
	}
	newest := slices.MaxFunc(pods, func(a, b unstructured.Unstructured) int {
		return cmp.Or(failed(a)-failed(b), a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time), cmp.Compare(a.GetName(), b.GetName()))
	})
	return &newest, nil
}

// failedContainer returns the container of a pod that ended with an error, or
// else the first.
func failedContainer(pod *unstructured.Unstructured) string {
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", list)
		for _, s := range statuses {
			status, _ := s.(map[string]any)
			code, _, _ := unstructured.NestedInt64(status, "state", "terminated", "exitCode")
			if name, _ := status["name"].(string); code != 0 && name != "" {
				return name
			}
		}
	}
	containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
	if len(containers) == 0 {
		return ""
	}
	first, _ := containers[0].(map[string]any)
	name, _ := first["name"].(string)
	return name
}
