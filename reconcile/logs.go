package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/kube"
)

// failed returns the error of an object that will not become ready, with the log
// of what ran for it if it is a Job or a Pod.
func (s *session) failed(ctx context.Context, ref kube.Ref, message string, live *unstructured.Unstructured) error {
	return &FailedError{Object: ObjectRef(ref), Message: message, Log: s.lastWords(ctx, live)}
}

// lastWords returns the end of the logs of the containers that failed, or says why
// they cannot be had: an error that has a reason must not get lost over it.
func (s *session) lastWords(ctx context.Context, live *unstructured.Unstructured) string {
	pod, err := s.failedPod(ctx, live)
	if err != nil {
		return s.unreadable(err)
	}
	if pod == nil {
		return ""
	}
	containers := containersOf(pod)
	var words []string
	for _, c := range speakers(containers) {
		text, before, err := s.said(ctx, pod, c)
		if err != nil {
			text = s.unreadable(err)
		}
		if s.events.redact != nil {
			text = s.events.redact(text)
		}
		if len(containers) > 1 || before {
			text = c.title(before) + "\n" + text
		}
		words = append(words, strings.TrimRight(text, "\n"))
	}
	return strings.Join(words, "\n")
}

func (s *session) unreadable(err error) string {
	if apierrors.IsForbidden(err) {
		return "(its log may not be read: the right to get pods/log is missing)"
	}
	return fmt.Sprintf("(its log cannot be read: %v)", err)
}

// said returns the end of the log of a container: of how it failed. Where it was
// restarted since, that is the log of before, if there is one.
func (s *session) said(ctx context.Context, pod *unstructured.Unstructured, c container) (text string, before bool, err error) {
	tries := []bool{false}
	switch {
	case c.restarted && c.ended:
		tries = []bool{false, true}
	case c.restarted:
		tries = []bool{true, false}
	}
	for _, before = range tries {
		text, err = s.client.Log(ctx, pod.GetNamespace(), pod.GetName(), kube.Container{Name: c.name, Previous: before})
		if err == nil && strings.TrimSpace(text) != "" {
			break
		}
	}
	return text, before, err
}

// failedPod returns a Pod itself, of a Job the newest pod, of those that failed
// if there are any, or nil.
func (s *session) failedPod(ctx context.Context, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if live == nil {
		return nil, nil
	}
	switch live.GroupVersionKind().GroupKind() {
	case schema.GroupKind{Kind: "Pod"}:
		return live, nil
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
	default:
		return nil, nil
	}
	set := podsOf(live)
	pods, _, err := s.client.List(ctx, podResource, set.namespace, set.selector)
	if err != nil || len(pods) == 0 {
		return nil, err
	}
	failed := func(p unstructured.Unstructured) int {
		if phase, _, _ := unstructured.NestedString(p.Object, "status", "phase"); phase == "Failed" {
			return 1
		}
		return 0
	}
	newest := slices.MaxFunc(pods, func(a, b unstructured.Unstructured) int {
		return cmp.Or(failed(a)-failed(b), a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time), cmp.Compare(a.GetName(), b.GetName()))
	})
	return &newest, nil
}
