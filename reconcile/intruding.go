package reconcile

import (
	"context"
	"encoding/json"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/strata-go/strata/internal/kube"
)

// intruded reports whether the API server may refuse w because of what others
// put where something of ours was: a port of another number but of the same name,
// which server-side apply would leave beside ours.
func (w *work) intruded(err error) bool {
	switch w.action {
	case Repair, Update, Transfer:
		return apierrors.IsInvalid(err) && !immutable(err) && !w.redefined
	default:
		return false
	}
}

// expel asks the server what the object would become if all went that those who
// updated it hold of its content. If that is no better, the error is refused.
func (s *session) expel(ctx context.Context, w *work, now *unstructured.Unstructured, refused error) (*unstructured.Unstructured, error) {
	managed := now.GetManagedFields()
	intruders := kube.Updaters(managed)
	if len(intruders) == 0 {
		return nil, refused
	}
	var ours map[string]any
	if err := json.Unmarshal(w.data, &ours); err != nil {
		return nil, err
	}
	rest := kube.Shed(now.Object, managed, managed, intruders)
	restored, _ := laidIn(kube.TreeOf(managed), runtime.DeepCopyJSON(rest), ours).(map[string]any)
	then, err := s.client.Become(ctx, w.resource, now, &unstructured.Unstructured{Object: restored})
	if err != nil {
		return nil, refused
	}
	w.handOver = intruders
	w.reason = "fields of it were changed; what " + quoteAll(intruders) + " put in their place goes"
	return then, nil
}
