package reconcile

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strata-go/strata/internal/crd"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
)

// terminating says how long an object has been on its way out, and what for.
func terminating(since *metav1.Time, finalizers []string) string {
	message := "it is being deleted"
	if since != nil {
		message += " since " + since.UTC().Format(time.RFC3339)
	}
	if len(finalizers) > 0 {
		message += "; finalizers: " + strings.Join(finalizers, ", ")
	}
	return message
}

// hanging says what an object that is being deleted waits for, as far as it
// shows it itself. A namespace says in its conditions what is left in it, and
// what keeps the cluster from finding out; so does a definition.
func hanging(o *unstructured.Unstructured) string {
	words := []string{terminating(o.GetDeletionTimestamp(), o.GetFinalizers())}
	kind := o.GroupVersionKind().GroupKind()
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		c, _ := c.(map[string]any)
		if c["status"] == "True" && (kind == namespaceKind || kind == definitionKind && c["type"] == "Terminating") {
			words = append(words, fmt.Sprintf("%v: %v", c["type"], c["message"]))
		}
		if kind == definitionKind && c["reason"] == "InstanceDeletionFailed" {
			// A young one, whose cache is not ready: the API server drops its retry if
			// its own note of the failure has not come back to it by then.
			words = append(words, "the API server may not try again for five minutes; it does so at once when the definition is given an annotation")
		}
	}
	return strings.Join(words, "; ")
}

// stuck says what an object waits for that is being deleted: what it shows
// itself, and what can be found out beside it.
func (s *session) stuck(ctx context.Context, o inventory.Object, live *metav1.PartialObjectMetadata) (message, beside string, err error) {
	message = terminating(live.DeletionTimestamp, live.Finalizers)
	switch o.GVK().GroupKind() {
	case namespaceKind, definitionKind:
		whole, err := s.client.Get(ctx, o.Served(), o.Ref)
		if err == nil {
			message = hanging(whole)
			if o.GVK().GroupKind() == definitionKind {
				beside, err = s.instances(ctx, crd.Read(whole))
			}
		}
		return message, beside, visible(err)
	}
	if len(live.Finalizers) > 0 {
		beside, err = s.abandoned(ctx, o)
	}
	return message, beside, err
}

// instances says which objects keep their definition from going.
func (s *session) instances(ctx context.Context, d crd.Definition) (string, error) {
	for _, v := range d.Versions {
		if !v.Served {
			continue
		}
		ref := kube.Ref{Group: d.Group, Version: v.Name, Kind: d.Kind}
		resource := kube.Resource{GroupVersionResource: ref.GVK().GroupVersion().WithResource(d.Plural), Namespaced: d.Namespaced}
		left, err := s.client.ListMetadata(ctx, resource, "", "")
		if err != nil || len(left) == 0 {
			return "", visible(err)
		}
		const shown = 3
		var names []string
		for _, o := range left[:min(shown, len(left))] {
			ref.Namespace, ref.Name = o.Namespace, o.Name
			name := ref.String()
			if len(o.Finalizers) > 0 {
				name += " (finalizers: " + strings.Join(o.Finalizers, ", ") + ")"
			}
			names = append(names, name)
		}
		return fmt.Sprintf("; %d of its objects are left: %s", len(left), strings.Join(names, ", ")), nil
	}
	return "", nil
}

// abandoned says if the layer is gone that brought the kind of an object, and so
// perhaps the controller that would take its finalizers off.
func (s *session) abandoned(ctx context.Context, o inventory.Object) (string, error) {
	if !strings.Contains(o.Group, ".") {
		return "", nil
	}
	ref := kube.Ref{Group: definitionKind.Group, Version: "v1", Kind: definitionKind.Kind, Name: o.Resource + "." + o.Group}
	resource := kube.Resource{GroupVersionResource: ref.GVK().GroupVersion().WithResource("customresourcedefinitions")}
	definition, err := s.client.GetMetadata(ctx, resource, ref)
	if err != nil {
		return "", visible(err)
	}
	name := definition.Labels[layerLabel]
	if definition.Labels[inventory.PartOf] != s.id || s.removing == nil || works(s.removing.Layer(name)) {
		return "", nil
	}
	return fmt.Sprintf("; its kind came with layer %q, which is gone, and with it perhaps what would take the finalizers off: bring that layer back, or take them off by hand", name), nil
}

// works reports whether a layer is wanted, or has workloads left.
func works(l *inventory.Layer) bool {
	if l == nil {
		return false
	}
	for _, o := range l.Objects {
		if o.Batch == int(manifest.Workloads) {
			return true
		}
	}
	return !l.Dropped
}

// visible returns err, unless the server says that there is nothing, or nothing
// for us to see: what is only told to people is no reason to fail.
func visible(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return nil
	}
	return err
}

// A WaitError says what was being waited for when the context was done.
type WaitError struct {
	Waiting []Waiting // not empty
	Err     error     // of the context, and of what was under way
}

func (e *WaitError) Error() string {
	const shown = 10
	var b strings.Builder
	fmt.Fprintf(&b, "%v, while waiting for", e.Err)
	for _, w := range e.Waiting[:min(shown, len(e.Waiting))] {
		fmt.Fprintf(&b, "\n\t%s", w)
	}
	if more := len(e.Waiting) - shown; more > 0 {
		fmt.Fprintf(&b, "\n\tand %d more", more)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *WaitError) Unwrap() error { return e.Err }
