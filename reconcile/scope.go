package reconcile

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
)

// prepareObject makes work of an object of a layer. coming are the kinds whose
// definitions are in the same plan.
func (s *session) prepareObject(ctx context.Context, l layer.Layer, o render.Object, coming map[schema.GroupVersionKind]servedKind) (*work, error) {
	kind, ok := coming[o.GroupVersionKind()]
	if !ok {
		var err error
		if kind.Resource, err = s.served(ctx, o.Object); err != nil {
			return nil, err
		}
	}
	w, err := s.newWork(l, o, kind.Resource)
	if err == nil {
		err = s.bounded(l).object(w.source, w.ref)
	}
	if err != nil {
		return nil, err
	}
	w.coming, w.redefined = ok, kind.changes
	return w, kind.conforms(w)
}

// served returns how the cluster serves the kind of an object, or a
// [*NoKindError].
func (s *session) served(ctx context.Context, o manifest.Object) (kube.Resource, error) {
	resource, err := s.client.Resource(ctx, kube.RefOf(o.Unstructured))
	if missing, ok := errors.AsType[*kube.NoKindError](err); ok {
		return resource, &NoKindError{ObjectRef(missing.Ref), fmt.Sprintf("%s:%d", o.Source, o.Line), err}
	}
	return resource, err
}
