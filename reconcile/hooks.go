package reconcile

import (
	"cmp"
	"context"
	"encoding/json"
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
	"github.com/strata-go/strata/internal/readiness"
)

// hooking runs the hooks of one layer.
type hooking struct {
	*session
	entry  *inventory.Layer
	result *Result
	save   func(context.Context) error // writes down what was done for the layer
	hold   func(context.Context) error // keeps others off, if that was not necessary before
}

// run runs the hooks of some moments, one after the other, as far as that is
// possible without waiting, and reports whether all have succeeded. What has
// succeeded is recorded and does not run again for the same content.
func (h hooking) run(ctx context.Context, moments []moment) (bool, error) {
	for _, m := range moments {
		run := h.entry.HookRun(m.release, string(m.event), m.content)
		for i := len(run.Done); i < len(m.hooks); i++ {
			done, err := h.runOne(ctx, m, m.hooks[i])
			if err != nil || !done {
				return false, err
			}
			run.Done = append(run.Done, m.hooks[i].Object.Key().String())
		}
		if run.Tidied {
			continue // what is there now may be of a later event
		}
		if err := h.tidy(ctx, m, m.hooks); err != nil {
			return false, err
		}
		run.Tidied = true
	}
	return true, nil
}

// tidy deletes what is to go when it has succeeded, of hooks that have. As one
// may need another, a role its account, they go together and in reverse order,
// as Helm has it. After a failure they stay, unlike with Helm: the next try does
// not run them again, and the rest may need them. That they have succeeded is
// written down before: nothing would tell afterwards.
func (h hooking) tidy(ctx context.Context, m moment, done []helm.Hook) error {
	written := false
	for _, hook := range slices.Backward(done) {
		if !slices.Contains(hook.DeletePolicies, helm.DeleteSucceeded) {
			continue
		}
		w, err := h.work(ctx, m, hook)
		if err != nil {
			return err
		}
		left := h.entry.Leftover(w.ref.Key())
		if left == nil || left.UID == "" || w.ref.GVK().GroupKind() == definitionKind {
			continue
		}
		if !written {
			if err := h.save(ctx); err != nil {
				return err
			}
			written = true
		}
		if err := h.delete(ctx, w, left.UID); err != nil {
			return err
		}
	}
	return nil
}

// runNote says, on what a hook made, which run of the hook did: so a run that
// was cut short finds it again.
const runNote = "strata.dev/hook-run"

// run identifies the moment, for what its hooks make.
func (m moment) run() string {
	// Strings and numbers are always JSON.
	data, _ := json.Marshal([]any{m.release.Namespace, m.release.Name, m.release.Revision, m.event, m.content})
	return digest.FromBytes(data).Encoded()[:32]
}

// runOne takes one hook as far as it goes.
func (h hooking) runOne(ctx context.Context, m moment, hook helm.Hook) (done bool, err error) {
	ctx, end := h.begin(ctx, Span{Type: SpanHook, Name: string(m.event), Layer: h.entry.Name, Object: ObjectRef(kube.RefOf(hook.Object.Unstructured))})
	defer func() { end(Outcome{Err: err}) }()
	w, err := h.work(ctx, m, hook)
	if err != nil {
		return false, err
	}
	live, err := h.client.Get(ctx, w.resource, w.ref)
	switch {
	case err != nil && !apierrors.IsNotFound(err):
		return false, err
	case err == nil && live.GetAnnotations()[runNote] == m.run():
		h.remember(w, live)
		return h.finish(ctx, hook, w, live)
	case err == nil && w.ref.GVK().GroupKind() == definitionKind:
		return true, nil // deleting it would delete every object of its kind
	case err == nil:
		if !outlived(hook, live) {
			return false, terminal{fmt.Errorf("hook %s is still there from before; add the delete policy %s, or delete it", w.ref, helm.DeleteBeforeCreation)}
		}
		h.result.Waiting = append(h.result.Waiting, Waiting{
			Layer: w.layer, Object: ObjectRef(w.ref), Message: "it is being deleted" + hookOfBefore,
			sight: sight{resource: w.resource, namespace: w.ref.Namespace}, gone: true, beside: hookOfBefore,
		})
		return false, h.delete(ctx, w, live.GetUID())
	}
	if err := h.hold(ctx); err != nil {
		return false, err
	}
	created, err := h.client.Create(ctx, w.resource, w.object)
	if err != nil {
		return false, explain(w, err)
	}
	h.remember(w, created)
	h.events.send(Event{Type: HookStarted, Layer: h.entry.Name, Object: ObjectRef(w.ref), Message: string(m.event)})
	return h.finish(ctx, hook, w, created)
}

const hookOfBefore = "; it is a hook that ran before"

// outlived reports whether what an earlier run of a hook made is to be deleted:
// Helm does that before a new run unless it is told to delete at other times
// only, and then it is in the way, unless its time had come.
func outlived(hook helm.Hook, live *unstructured.Unstructured) bool {
	if len(hook.DeletePolicies) == 0 || slices.Contains(hook.DeletePolicies, helm.DeleteBeforeCreation) {
		return true
	}
	switch hookState(live).Health {
	case readiness.Ready:
		return slices.Contains(hook.DeletePolicies, helm.DeleteSucceeded)
	case readiness.Failed:
		return slices.Contains(hook.DeletePolicies, helm.DeleteFailed)
	default:
		return live.GetAnnotations()[runNote] != "" // nobody waits for it any more
	}
}

// finish looks how a hook that was made is getting on.
func (h hooking) finish(ctx context.Context, hook helm.Hook, w *work, live *unstructured.Unstructured) (bool, error) {
	state := hookState(live)
	if state.Health == readiness.Progressing {
		why, err := h.diagnose(ctx, live)
		if err != nil {
			return false, err
		}
		deadline := h.hookDeadline(live)
		if why == "" && !deadline.IsZero() && time.Now().After(deadline) {
			why = fmt.Sprintf("it is not done %s after it began: %s; give hooks longer with hookTimeout in the layer, or with Reconciler.HookTimeout", h.hookTimeout(), state.Message)
		}
		if why == "" {
			h.result.Waiting = append(h.result.Waiting, Waiting{
				Layer: w.layer, Object: ObjectRef(w.ref), Message: state.Message,
				sight: sight{resource: w.resource, namespace: w.ref.Namespace, verdict: hookState}, pods: podsOf(live), deadline: deadline,
			})
			h.events.send(Event{Type: LayerWaiting, Layer: w.layer, Object: ObjectRef(w.ref), Message: state.Message})
			return false, nil
		}
		state = readiness.State{Health: readiness.Failed, Message: why}
	}
	if state.Health != readiness.Failed {
		return true, nil
	}
	err := h.failed(ctx, w.ref, "hook: "+state.Message, live)
	if slices.Contains(hook.DeletePolicies, helm.DeleteFailed) {
		err = errors.Join(err, h.delete(ctx, w, live.GetUID()))
	}
	return false, err
}

func (h hooking) remember(w *work, live *unstructured.Unstructured) {
	record := w.hookRecord()
	record.UID = live.GetUID()
	h.entry.Remember(record)
}

// delete deletes what a hook made, unless it is a definition.
func (h hooking) delete(ctx context.Context, w *work, uid types.UID) error {
	if w.ref.GVK().GroupKind() == definitionKind {
		return nil
	}
	err := h.client.Delete(ctx, w.resource, w.ref, uid)
	if left := h.entry.Leftover(w.ref.Key()); left != nil && apierrors.IsConflict(err) {
		left.UID = "" // that one is gone; a run that was cut short made it anew
		return nil
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	h.entry.Forget(w.ref.Key())
	return nil
}

// defaultHookTimeout is Helm's.
const defaultHookTimeout = 5 * time.Minute

// hookTimeout returns how long a hook of the layer may take; less than zero is
// for ever.
func (h hooking) hookTimeout() time.Duration {
	return cmp.Or(h.entry.HookTimeout.Value(), h.HookTimeout, defaultHookTimeout)
}

// hookDeadline returns when a hook is taken to have failed; zero is never. The
// cluster knows when it began, so it is the same for whoever asks.
func (h hooking) hookDeadline(live *unstructured.Unstructured) time.Time {
	if h.hookTimeout() < 0 {
		return time.Time{}
	}
	return live.GetCreationTimestamp().Add(h.hookTimeout())
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
