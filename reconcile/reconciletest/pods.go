package reconciletest

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strata-go/strata/reconcile/reconciletest/internal/apiserver"
)

// showPod gives a workload that fails a pod whose containers say why, as that
// is where Kubernetes says it, and takes it away from one that does not.
func (*script) showPod(w apiserver.Writer, o *unstructured.Unstructured, out state, reason string) {
	template, ok, err := unstructured.NestedMap(o.Object, "spec", "template")
	if !ok || err != nil {
		return
	}
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetNamespace(o.GetNamespace())
	pod.SetName(o.GetName() + "-simulated")
	inTemplate := reason != "FailedCreate" && reason != "ProgressDeadlineExceeded" && o.GetKind() != "Job"
	if out != failed || !inTemplate {
		_ = w.Delete(pod) // there is such a kind
		return
	}
	unstructured.RemoveNestedField(pod.Object, "metadata", "creationTimestamp")
	if err := unstructured.SetNestedSlice(pod.Object, []any{fields{
		"apiVersion": o.GetAPIVersion(), "kind": o.GetKind(), "name": o.GetName(), "uid": string(o.GetUID()), "controller": true,
	}}, "metadata", "ownerReferences"); err != nil {
		return
	}
	if err := w.Create(pod); err == nil {
		_ = w.SetStatus(pod, podOutcome(pod, outcome{failed, reason})) // it was created
	}
}
