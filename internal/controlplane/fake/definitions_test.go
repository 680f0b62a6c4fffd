package fake

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestFailedToDelete(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for reason, want := range map[string]time.Time{"InstanceDeletionFailed": at, "InstanceDeletionInProgress": {}} {
		definition := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"conditions": []any{
			map[string]any{"type": "Established", "reason": "InitialNamesAccepted", "lastTransitionTime": "2025-01-01T00:00:00Z"},
			map[string]any{"type": "Terminating", "reason": reason, "lastTransitionTime": at.Format(time.RFC3339)},
		}}}}
		if got := failedToDelete(definition); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", reason, got, want)
		}
	}
}
