package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
)

// leaveBehind finds what releases that other tools made, or changed, have on the
// cluster and the stack does not want: Helm's upgrade would remove it as well.
func (s *session) leaveBehind(ctx context.Context, p *Plan) error {
	wanted := p.keys()
	for _, l := range p.layers {
		l.leaving = nil
		for _, r := range l.releases {
			if r.standing != foreign && r.standing != disturbed {
				continue
			}
			left, err := s.leftOf(ctx, r, wanted)
			if err != nil {
				return &LayerError{l.Name, recording(r, err)}
			}
			for _, o := range left {
				wanted[o.Key()] = true // of two releases that name it, one
				if p.before.Layer(l.Name) == nil || p.before.Layer(l.Name).Object(o.Key()) == nil {
					l.leaving = append(l.leaving, o)
				}
			}
		}
	}
	return nil
}

// deployed returns the objects of a release as its deployed revision, or the last
// one if none is, has them.
func (s *session) deployed(ctx context.Context, r releaseWork) ([]manifest.Object, error) {
	deployed := r.history.last()
	for i, one := range r.history {
		if one.status == helm.StatusDeployed {
			deployed = &r.history[i]
		}
	}
	record, err := s.readRecord(ctx, *deployed)
	if err != nil {
		return nil, err
	}
	return manifest.Parse(deployed.secret, []byte(record.Manifest))
}

// leftOf returns the objects of the deployed revision of a release that are not
// wanted, as far as they are marked as the release's.
func (s *session) leftOf(ctx context.Context, r releaseWork, wanted map[kube.Key]bool) ([]inventory.Object, error) {
	objects, err := s.deployed(ctx, r)
	if err != nil {
		return nil, err
	}
	var left []inventory.Object
	for _, o := range objects {
		ref := kube.RefOf(o.Unstructured)
		resource, err := s.client.Resource(ctx, ref)
		if _, gone := errors.AsType[*kube.NoKindError](err); gone {
			continue // and with its kind the object
		}
		if err != nil {
			return nil, err
		}
		if resource.Namespaced && ref.Namespace == "" {
			ref.Namespace = r.Namespace
		}
		if wanted[ref.Key()] {
			continue
		}
		live, err := s.client.GetMetadata(ctx, resource, ref)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking for what %s has: %w", o.Source, err)
		}
		if markedFor(live) == r.key() && live.Annotations[policyAnnotation] != "keep" {
			left = append(left, inventory.Object{
				Ref: ref, Resource: resource.Resource, UID: live.UID, Batch: int(manifest.BatchOf(ref.GVK().GroupKind())), Created: true, Dropped: true,
			})
		}
	}
	return left, nil
}

// finder returns a selector that finds an object to be deleted. One that was never
// applied has no label of ours.
func (s *session) finder(o inventory.Object) string {
	if o.Applied == "" {
		return ""
	}
	return s.selector()
}

const policyAnnotation = "helm.sh/resource-policy"

// contested returns, of the fields that others own, those whose managers do not
// hand the object over.
func (w *work) contested(conflicts []kube.FieldConflict) []kube.FieldConflict {
	var left []kube.FieldConflict
	for _, c := range conflicts {
		if !slices.Contains(w.handOver, c.Manager) {
			left = append(left, c)
		}
	}
	return left
}
