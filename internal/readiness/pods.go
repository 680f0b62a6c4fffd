package readiness

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// hopeless are reasons why a container waits that waiting does not cure: what
// the pod says must be changed, or what it names must be put in its place.
var hopeless = map[string]bool{
	"ImagePullBackOff":           true,
	"InvalidImageName":           true,
	"ErrImageNeverPull":          true,
	"CreateContainerConfigError": true,
}

// Diagnose says why a pod will not become ready by waiting, or "".
func Diagnose(pod *unstructured.Unstructured) string {
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", list)
		for _, s := range statuses {
			status, ok := s.(map[string]any)
			if !ok {
				continue
			}
			reason, _, _ := unstructured.NestedString(status, "state", "waiting", "reason")
			if hopeless[reason] {
				message, _, _ := unstructured.NestedString(status, "state", "waiting", "message")
				return fmt.Sprintf("container %v of pod %s: %s: %s", status["name"], pod.GetName(), reason, message)
			}
		}
	}
	return ""
}

// refused says why pods of a workload could not be made, as a quota may have it.
func refused(o *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == "ReplicaFailure" && c["status"] == "True" {
			return fmt.Sprintf("%v: %v", c["reason"], c["message"])
		}
	}
	return ""
}
