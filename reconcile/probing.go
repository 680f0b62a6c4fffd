package reconcile

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/readiness"
)

// probe runs the readiness checks of a layer. It returns seen with what they
// found: objects of the layer that do not pass are no longer ready, and objects
// that the layer's operators make are added.
func (s *session) probe(ctx context.Context, l *layerWork, seen []sight) ([]sight, error) {
	for _, c := range l.checks() {
		checker, err := readiness.NewChecker(c)
		if err != nil {
			return nil, terminal{err}
		}
		found, err := s.checked(ctx, l.Name, checker)
		if err != nil {
			return nil, err
		}
		seen = append(seen, found...)
	}
	return seen, nil
}

// checked returns the objects that a check is about, with its verdict.
func (s *session) checked(ctx context.Context, layer string, c *readiness.Checker) ([]sight, error) {
	ref := kube.Ref{Group: c.Group, Version: c.Version, Kind: c.Kind, Namespace: c.Namespace, Name: c.ObjectName}
	resource, err := s.client.Resource(ctx, ref)
	if err != nil {
		return nil, terminal{err}
	}
	selector := s.layerSelector(layer)
	if c.Namespace != "" || c.ObjectName != "" {
		selector = "" // what operators make has no label of ours
	}
	items, _, err := s.client.List(ctx, resource, c.Namespace, selector)
	if err != nil {
		return nil, err
	}
	one := sight{resource: resource, namespace: c.Namespace, selector: selector, verdict: c.State}
	var found []sight
	for i := range items {
		if c.ObjectName == "" || items[i].GetName() == c.ObjectName {
			one.ref, one.live, one.state = kube.RefOf(&items[i]), &items[i], c.State(&items[i])
			found = append(found, one)
		}
	}
	if len(found) == 0 {
		one.ref, one.absent = ref, true
		one.state = readiness.State{Health: readiness.Progressing, Message: fmt.Sprintf("check %q: there is no such object yet", c.Name)}
		found = append(found, one)
	}
	return found, nil
}

var podResource = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "pods"}, Namespaced: true}

// A podSet is the pods of a workload. The zero podSet is none.
type podSet struct{ namespace, selector string }

// podsOf returns the pods of an object, if it is a workload.
func podsOf(o *unstructured.Unstructured) podSet {
	if o == nil || o.GroupVersionKind().Group != "apps" && o.GroupVersionKind().Group != "batch" {
		return podSet{}
	}
	matching, ok, err := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
	if !ok || err != nil || len(matching) == 0 {
		return podSet{}
	}
	return podSet{o.GetNamespace(), labels.SelectorFromSet(matching).String()}
}

// diagnose says why a workload that is not ready never will be, as far as its
// pods show it, or "".
func (s *session) diagnose(ctx context.Context, o *unstructured.Unstructured) (string, error) {
	set := podsOf(o)
	if set == (podSet{}) {
		return "", nil
	}
	pods, _, err := s.client.List(ctx, podResource, set.namespace, set.selector)
	if err != nil {
		return "", err
	}
	for i := range pods {
		if why, err := s.hopeless(ctx, &pods[i]); why != "" || err != nil {
			return why, err
		}
	}
	return "", nil
}

// hopeless says why a pod never will be ready, or "". One that its Deployment is
// about to replace counts for nothing: that is how a mended image looks at first.
func (s *session) hopeless(ctx context.Context, pod *unstructured.Unstructured) (string, error) {
	why := readiness.Diagnose(pod)
	if why == "" || pod.GetDeletionTimestamp() != nil {
		return "", nil
	}
	set, err := s.controller(ctx, pod, "ReplicaSet", "replicasets")
	if set == nil || err != nil {
		return why, err
	}
	deployment, err := s.controller(ctx, set, "Deployment", "deployments")
	if deployment == nil || err != nil {
		return why, err
	}
	now := rolloutOf(deployment)
	if now == (rollout{}) || set.GetAnnotations()[revisionAnnotation] != now.revision {
		return "", nil
	}
	return why, nil
}

const revisionAnnotation = "deployment.kubernetes.io/revision"

// A rollout is what the controller of a Deployment works on; zero if it has not
// yet begun with the newest.
type rollout struct {
	generation int64
	revision   string
}

func rolloutOf(o *unstructured.Unstructured) rollout {
	if o == nil || o.GetAnnotations()[revisionAnnotation] == "" {
		return rollout{}
	}
	if seen, _, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration"); seen < o.GetGeneration() {
		return rollout{}
	}
	return rollout{o.GetGeneration(), o.GetAnnotations()[revisionAnnotation]}
}

// controller returns the controller of an object if it is of that kind of the
// group apps, and there; else nil.
func (s *session) controller(ctx context.Context, o *unstructured.Unstructured, kind, resource string) (*unstructured.Unstructured, error) {
	owner := metav1.GetControllerOf(o)
	if owner == nil || owner.Kind != kind {
		return nil, nil
	}
	apps := schema.GroupVersion{Group: "apps", Version: "v1"}
	found, err := s.client.Get(ctx, kube.Resource{GroupVersionResource: apps.WithResource(resource), Namespaced: true},
		kube.Ref{Group: apps.Group, Version: apps.Version, Kind: kind, Namespace: o.GetNamespace(), Name: owner.Name})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}
