package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/kube"
)

// A LookupError says that a template looks for objects that cannot be read. It
// is terminal if reading them is forbidden.
type LookupError struct {
	APIVersion, Kind string
	Namespace, Name  string // empty for all
	Err              error
}

func (e *LookupError) Error() string {
	what := strings.Trim(e.Namespace+"/"+e.Name, "/")
	text := fmt.Sprintf("lookup of %s %s %s: %v", e.APIVersion, e.Kind, cmp.Or(what, "(all)"), e.Err)
	if apierrors.IsForbidden(e.Err) {
		text += "; allow the installation to read it, or set a value of the chart by which it does not look it up"
	}
	return text
}

// Unwrap returns the cause.
func (e *LookupError) Unwrap() error { return e.Err }

// lookup finds objects on the target for templates. Of kinds that the cluster
// does not have there are none.
func (s *session) lookup(ctx context.Context, of helm.Lookup) (map[string]any, error) {
	found, err := s.find(ctx, of)
	if _, ok := errors.AsType[*kube.NoKindError](err); ok || apierrors.IsNotFound(err) {
		return map[string]any{}, nil
	}
	if err != nil {
		return nil, &LookupError{of.APIVersion, of.Kind, of.Namespace, of.Name, err}
	}
	return found, nil
}

func (s *session) find(ctx context.Context, of helm.Lookup) (map[string]any, error) {
	gv, err := schema.ParseGroupVersion(of.APIVersion)
	if err != nil {
		return nil, err
	}
	ref := kube.Ref{Group: gv.Group, Version: gv.Version, Kind: of.Kind, Namespace: of.Namespace, Name: of.Name}
	resource, err := s.client.Resource(ctx, ref)
	if err != nil {
		return nil, err
	}
	if of.Name != "" {
		o, err := s.client.Get(ctx, resource, ref)
		if err != nil {
			return nil, err
		}
		return withoutManagers(o), nil
	}
	list, _, err := s.client.List(ctx, resource, of.Namespace, "")
	if err != nil {
		return nil, err
	}
	items := make([]any, len(list))
	for i := range list {
		items[i] = withoutManagers(&list[i])
	}
	return map[string]any{"apiVersion": of.APIVersion, "kind": of.Kind + "List", "items": items}, nil
}

// withoutManagers returns an object without what is large and no template reads.
func withoutManagers(o *unstructured.Unstructured) map[string]any {
	o.SetManagedFields(nil)
	return o.Object
}
