package reconcile

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What a definition says of its own deletion is passed on, and what is known of
// the API server's retry.
func TestHangingDefinition(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{
		"InstanceDeletionFailed":     "it is being deleted; Terminating: could not list; the API server may not try again for five minutes",
		"InstanceDeletionInProgress": "it is being deleted; Terminating: could not list",
	} {
		o := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
			"status": map[string]any{"conditions": []any{
				map[string]any{"type": "Established", "status": "True", "message": "the initial names have been accepted"},
				map[string]any{"type": "Terminating", "status": "True", "reason": reason, "message": "could not list"},
			}},
		}}
		if got := hanging(o); !strings.HasPrefix(got, want) || strings.Contains(got, "initial names") {
			t.Errorf("%s: %q, want %q", reason, got, want)
		}
	}
}
