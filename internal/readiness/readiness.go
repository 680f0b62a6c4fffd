// Package readiness says whether an object has become what it was applied as.
// It decides from the object alone: no client, no clock.
package readiness

import (
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A Health is how far an object has got.
type Health string

// The healths.
const (
	Ready       Health = "Ready"
	Progressing Health = "Progressing" // it may become ready by itself
	Failed      Health = "Failed"      // it will not, however long one waits
)

// A State is the health of an object, and why.
type State struct {
	Health  Health
	Message string
}

// inert are kinds without a status that could say anything: they are ready as
// soon as they exist, and need not be read to know it.
var inert = map[schema.GroupKind]bool{
	{Kind: "ConfigMap"}:      true,
	{Kind: "Secret"}:         true,
	{Kind: "ServiceAccount"}: true,
	{Kind: "LimitRange"}:     true,
	{Group: "rbac.authorization.k8s.io", Kind: "Role"}:                              true,
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:                       true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:                       true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:                true,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:                             true,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                              true,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                                 true,
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                                    true,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:                             true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:   true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}: true,
}

// Inert reports whether objects of the kind are ready as soon as they exist.
func Inert(kind schema.GroupKind) bool { return inert[kind] }

// Compute returns the state of an object as it was read from the cluster. It
// follows kstatus, and for Jobs, of which kstatus says that they are current
// once they run, waits until they are complete.
func Compute(o *unstructured.Unstructured) State {
	r, err := status.Compute(o)
	if err != nil {
		return State{Failed, fmt.Sprintf("its status cannot be read: %v", err)}
	}
	if why := refused(o); why != "" && r.Status != status.CurrentStatus {
		return State{Failed, why}
	}
	switch r.Status {
	case status.CurrentStatus:
		if kind := o.GroupVersionKind().GroupKind(); kind == (schema.GroupKind{Group: "batch", Kind: "Job"}) && !complete(o) {
			return State{Progressing, r.Message}
		}
		return State{Ready, r.Message}
	case status.FailedStatus:
		return State{Failed, r.Message}
	case status.TerminatingStatus:
		return State{Progressing, "it is being deleted"}
	default:
		return State{Progressing, r.Message}
	}
}

func complete(o *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == "Complete" && c["status"] == "True" {
			return true
		}
	}
	return false
}
