package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/readiness"
)

// A moment is an event in the life of a Helm release, for one content of it.
type moment struct {
	release   inventory.Release // name and namespace
	event     helm.Event
	content   digest.Digest
	hooks     []helm.Hook
	namespace string // of hooks that name none
}

// moments returns the events at which hooks of a layer run: install for
// releases that were never recorded, upgrade for those whose content differs.
func moments(l *layerWork, entry *inventory.Layer, install, upgrade helm.Event) []moment {
	if l.output == nil {
		return nil
	}
	var all []moment
	for _, r := range l.output.Releases {
		m := moment{release: inventory.Release{Name: r.Name, Namespace: r.Namespace}, event: install, content: digestOf(r), namespace: r.Namespace}
		if was := entry.Release(r.Name, r.Namespace); was != nil {
			if was.Content == m.content {
				continue
			}
			m.event = upgrade
		}
		if m.hooks = hooksOf(r.Hooks, m.event); len(m.hooks) > 0 {
			all = append(all, m)
		}
	}
	return all
}

// hooksOf returns the hooks of an event in the order in which Helm runs them:
// by weight, then name. A chart's hooks are in the order of their kinds already.
func hooksOf(all []helm.Hook, event helm.Event) []helm.Hook {
	var hooks []helm.Hook
	for _, h := range all {
		if slices.Contains(h.Events, event) {
			hooks = append(hooks, h)
		}
	}
	slices.SortStableFunc(hooks, func(a, b helm.Hook) int {
		return cmp.Or(cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.Object.GetName(), b.Object.GetName()))
	})
	return hooks
}

// runHooks runs the hooks of some moments, one after the other, as far as that
// is possible without waiting, and reports whether all have succeeded. What has
// succeeded is recorded and does not run again for the same content.
func (s *session) runHooks(ctx context.Context, entry *inventory.Layer, moments []moment, result *Result) (bool, error) {
	for _, m := range moments {
		run := entry.HookRun(m.release, string(m.event), m.content)
		for len(run.Done) < len(m.hooks) {
			h := m.hooks[len(run.Done)]
			done, err := s.runHook(ctx, entry, m, h, result)
			if err != nil || !done {
				return false, err
			}
			run.Done = append(run.Done, h.Object.Key().String())
			run.Running = ""
		}
		if err := s.tidyHooks(ctx, entry, m, m.hooks); err != nil {
			return false, err
		}
	}
	return true, nil
}

// tidyHooks deletes what is to go when it has succeeded, of hooks that have. As
// one may need another, a role its account, they go together and in reverse
// order, as Helm has it. After a failure they stay, unlike with Helm: the next
// try does not run them again, and the rest may need them.
func (s *session) tidyHooks(ctx context.Context, entry *inventory.Layer, m moment, done []helm.Hook) error {
	for _, h := range slices.Backward(done) {
		if !slices.Contains(h.DeletePolicies, helm.DeleteSucceeded) || len(entry.Leftovers) == 0 {
			continue
		}
		w, err := s.hookWork(ctx, entry.Name, m, h)
		if err != nil {
			return err
		}
		if left := entry.Leftover(w.ref.Key()); left != nil {
			if err := s.deleteHook(ctx, entry, w, left.UID, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// runHook takes one hook as far as it goes.
func (s *session) runHook(ctx context.Context, entry *inventory.Layer, m moment, h helm.Hook, result *Result) (bool, error) {
	w, err := s.hookWork(ctx, entry.Name, m, h)
	if err != nil {
		return false, err
	}
	run := entry.HookRun(m.release, string(m.event), m.content)
	live, err := s.client.Get(ctx, w.resource, w.ref)
	switch {
	case err != nil && !apierrors.IsNotFound(err):
		return false, err
	case err == nil && live.GetUID() != run.Running && w.ref.GVK().GroupKind() == definitionKind:
		return true, nil // deleting it would delete every object of its kind
	case err == nil && live.GetUID() != run.Running:
		// It is of an earlier run: Helm deletes that before, unless it is told to
		// delete at other times only, and then it is in the way.
		if len(h.DeletePolicies) > 0 && !slices.Contains(h.DeletePolicies, helm.DeleteBeforeCreation) {
			return false, terminal{fmt.Errorf("hook %s is still there from before; add the delete policy %s, or delete it", w.ref, helm.DeleteBeforeCreation)}
		}
		return false, s.deleteHook(ctx, entry, w, live.GetUID(), result)
	case err == nil:
		return s.finishHook(ctx, entry, w, h, live, result)
	}
	created, err := s.client.Create(ctx, w.resource, w.object)
	if err != nil {
		return false, explain(w, err)
	}
	run.Running = created.GetUID()
	entry.Remember(inventory.Object{Ref: w.ref, Resource: w.resource.Resource, UID: created.GetUID(), Batch: int(w.batch), Keep: w.keep, Created: true})
	s.events.send(Event{Type: HookStarted, Layer: entry.Name, Object: ObjectRef(w.ref), Message: string(m.event)})
	return s.finishHook(ctx, entry, w, h, created, result)
}

// finishHook looks how a hook that was made is getting on.
func (s *session) finishHook(ctx context.Context, entry *inventory.Layer, w *work, h helm.Hook, live *unstructured.Unstructured, result *Result) (bool, error) {
	state := hookState(live)
	if state.Health == readiness.Progressing {
		why, err := s.diagnose(ctx, live)
		if err != nil {
			return false, err
		}
		deadline := s.hookDeadline(live)
		if why == "" && !deadline.IsZero() && time.Now().After(deadline) {
			why = fmt.Sprintf("it is not done %s after it began: %s; see Reconciler.HookTimeout", s.hookTimeout(), state.Message)
		}
		if why == "" {
			result.Waiting = append(result.Waiting, Waiting{
				Layer: w.layer, Object: ObjectRef(w.ref), Message: state.Message,
				sight: sight{resource: w.resource, namespace: w.ref.Namespace, verdict: hookState}, pods: podsOf(live), deadline: deadline,
			})
			s.events.send(Event{Type: LayerWaiting, Layer: w.layer, Object: ObjectRef(w.ref), Message: state.Message})
			return false, nil
		}
		state = readiness.State{Health: readiness.Failed, Message: why}
	}
	if state.Health != readiness.Failed {
		return true, nil
	}
	err := s.failed(ctx, w.ref, "hook: "+state.Message, live)
	if slices.Contains(h.DeletePolicies, helm.DeleteFailed) {
		err = errors.Join(err, s.deleteHook(ctx, entry, w, live.GetUID(), nil))
	}
	return false, err
}

// defaultHookTimeout is Helm's.
const defaultHookTimeout = 5 * time.Minute

func (s *session) hookTimeout() time.Duration { return cmp.Or(s.HookTimeout, defaultHookTimeout) }

// hookDeadline returns when a hook is taken to have failed; zero is never. The
// cluster knows when it began, so it is the same for whoever asks.
func (s *session) hookDeadline(live *unstructured.Unstructured) time.Time {
	if s.hookTimeout() < 0 {
		return time.Time{}
	}
	return live.GetCreationTimestamp().Add(s.hookTimeout())
}

// hookState returns how a hook is getting on: Helm waits for Jobs and Pods to
// end, and takes everything else for done.
func hookState(o *unstructured.Unstructured) readiness.State {
	switch o.GroupVersionKind().GroupKind().String() {
	case "Job.batch":
		return readiness.Compute(o)
	case "Pod":
		switch phase, _, _ := unstructured.NestedString(o.Object, "status", "phase"); phase {
		case "Succeeded":
			return readiness.State{Health: readiness.Ready}
		case "Failed":
			message, _, _ := unstructured.NestedString(o.Object, "status", "message")
			return readiness.State{Health: readiness.Failed, Message: "the pod failed " + message}
		default:
			return readiness.State{Health: readiness.Progressing, Message: "the pod is " + cmp.Or(phase, "Pending")}
		}
	}
	return readiness.State{Health: readiness.Ready}
}

const hookOfBefore = "; it is a hook that ran before"

// deleteHook deletes a hook, unless it is a definition. With a result, it is
// waited for.
func (s *session) deleteHook(ctx context.Context, entry *inventory.Layer, w *work, uid types.UID, result *Result) error {
	if w.ref.GVK().GroupKind() == definitionKind {
		return nil
	}
	if err := s.client.Delete(ctx, w.resource, w.ref, uid); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	entry.Forget(w.ref.Key())
	if result != nil {
		result.Waiting = append(result.Waiting, Waiting{
			Layer: w.layer, Object: ObjectRef(w.ref), Message: "it is being deleted" + hookOfBefore,
			sight: sight{resource: w.resource, namespace: w.ref.Namespace}, gone: true, beside: hookOfBefore,
		})
	}
	return nil
}

// hookWork makes work of a hook.
func (s *session) hookWork(ctx context.Context, layer string, m moment, h helm.Hook) (*work, error) {
	resource, err := s.client.Resource(ctx, kube.RefOf(h.Object.Unstructured))
	if err != nil {
		return nil, err
	}
	canonical, err := manifest.Canonical(h.Object)
	if err != nil {
		return nil, err
	}
	object := canonical.DeepCopy()
	switch {
	case !resource.Namespaced:
		object.SetNamespace("")
	case object.GetNamespace() == "":
		object.SetNamespace(m.namespace)
	}
	source := fmt.Sprintf("%s:%d", object.Source, object.Line)
	if err := allowed(s.Allow, layer, source, kube.RefOf(object.Unstructured)); err != nil {
		return nil, err
	}
	return s.finish(layer, source, object.Unstructured, resource)
}
