package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/profile"
)

// TemplateLimits bound what the templates of one chart may use. What real
// charts need is less than a tenth of the defaults.
type TemplateLimits struct {
	// Steps bounds the work: calls of functions and turns of loops, of which dear
	// ones count as many. A step is about a microsecond. If zero, 10 million.
	Steps int64
	// Memory bounds the bytes of all texts and lists that templates make, kept or
	// not. No single one may have more than an eighth of it. If zero, 256 MiB.
	Memory int64
}

// base returns the digest of what a layer is made from, without what its
// templates look at of the cluster.
func (s *session) base(l profile.PinnedLayer) digest.Digest {
	return digest.FromString(l.Digest().String() + string(cmp.Or(l.CRDs, s.CRDs)) + string(s.Drift) + s.identities())
}

// inputs returns the digest of everything that a layer is made from: also of
// what the cluster answers to its templates. Only for what is not of
// Kubernetes' own groups the cluster is asked, once for a session.
func (s *session) inputs(ctx context.Context, base digest.Digest, asked helm.Queries) (digest.Digest, error) {
	version, err := s.client.ServerVersion(ctx)
	if err != nil {
		return "", err
	}
	caps := helm.Capabilities{KubeVersion: version}
	if asked.Kinds() {
		if caps.APIVersions, err = s.client.APIVersions(ctx); err != nil {
			return "", err
		}
	}
	return digest.FromString(base.String() + "\n" + strings.Join(asked.Answers(caps), "\n")), nil
}

// lastQueries returns what the templates of a layer looked at when they were
// last rendered.
func (s *session) lastQueries(l *layerWork, was *inventory.Layer) helm.Queries {
	if is, ok := s.rendered[l.Name]; ok && is.base == l.base {
		return is.output.Queries
	}
	if was != nil {
		return was.Queries
	}
	return helm.Queries{}
}

// past returns what the impure functions of a layer's templates shall give
// again. Random values and certificates stay for ever, so that an upgrade keeps
// them. What was looked up stays until the layer itself changes: it is what the
// objects were made from, and must not change them by itself.
func (s *session) past(l *layerWork, was *inventory.Layer) helm.Past {
	var past helm.Past
	if was != nil {
		past.Values = was.Past.Values
		if was.Base == l.base {
			past.Lookups = was.Past.Lookups
		}
	}
	if a := s.approved[l.Name]; a != nil && a.output != nil && a.base == l.base {
		past.Add(a.output.Past) // the plan is carried out as it was approved
	}
	return past
}

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
