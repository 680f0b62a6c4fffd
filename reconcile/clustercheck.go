package reconcile

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/layer"
)

var nodeResource = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "nodes"}}

// checkCluster holds the layers that describe the cluster against what it reports.
// Nodes are only read if an os layer changes.
func (s *session) checkCluster(ctx context.Context, p *Plan, version string) error {
	for _, l := range p.layers {
		if l.Pin.Zero() {
			continue
		}
		switch l.Kind.OrDefault() {
		case layer.Network, layer.Storage, layer.AddOn:
		case layer.Kubernetes:
			p.mismatches = append(p.mismatches, kubernetesMismatch(l.Name, l.Pin, version)...)
		case layer.OS:
			if was := p.before.Layer(l.Name); was != nil && was.Base == l.base {
				continue
			}
			images, err := s.images(ctx)
			if err != nil {
				return err
			}
			p.mismatches = append(p.mismatches, osMismatch(l.Name, l.Pin, images)...)
		}
	}
	if s.RefuseMismatch && len(p.mismatches) > 0 {
		return &MismatchError{p.mismatches}
	}
	return nil
}

// images returns the operating systems of the nodes, by their names. Who may not
// list nodes does not know.
func (s *session) images(ctx context.Context) (map[string]string, error) {
	nodes, _, err := s.client.List(ctx, nodeResource, "", "")
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, err
	}
	images := map[string]string{}
	for _, n := range nodes {
		images[n.GetName()], _, _ = unstructured.NestedString(n.Object, "status", "nodeInfo", "osImage")
	}
	return images, nil
}

// checkLayer writes into the status of an installed layer what the cluster
// reports otherwise than the layer says.
func (s *session) checkLayer(ctx context.Context, l *LayerStatus) error {
	var found []Mismatch
	switch {
	case l.Pin.Zero():
	case l.Kind == layer.Kubernetes:
		version, err := s.client.ServerVersion(ctx)
		if err != nil {
			return err
		}
		found = kubernetesMismatch(l.Name, l.Pin, version)
	case l.Kind == layer.OS:
		images, err := s.images(ctx)
		if err != nil {
			return err
		}
		found = osMismatch(l.Name, l.Pin, images)
	}
	if len(found) > 0 && Drifted.worse(l.Health) {
		l.Health, l.Message = Drifted, (&MismatchError{found}).Error()
	}
	return nil
}
