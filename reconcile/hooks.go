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
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/readiness"
)

// A moment is an event in the life of a Helm release, for one content of it.
type moment struct {
	release   inventory.Release // as it was before
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
			m.event, m.release.Revision = upgrade, was.Revision
		}
		if m.hooks = hooksOf(r.Hooks, m.event); len(m.hooks) > 0 {
			all = append(all, m)
		}
	}
	return all
}

// tests returns the tests of the releases that are installed or changed, if the
// layer wants them: Helm runs them when it is asked to.
func tests(l *layerWork, entry *inventory.Layer) []moment {
	if !l.Test {
		return nil
	}
	return moments(l, entry, helm.Test, helm.Test)
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

// work makes work of a hook.
func (h hooking) work(ctx context.Context, m moment, hook helm.Hook) (*work, error) {
	resource, err := h.client.Resource(ctx, kube.RefOf(hook.Object.Unstructured))
	if err != nil {
		return nil, err
	}
	w, err := h.hookWork(bounded{h.entry.Name, h.entry.Allow, h.Allow}, m.namespace, hook, resource)
	if err == nil {
		annotate(w.object, runNote, m.run())
	}
	return w, err
}

func annotate(o *unstructured.Unstructured, key, value string) {
	notes := o.GetAnnotations()
	if notes == nil {
		notes = map[string]string{}
	}
	notes[key] = value
	o.SetAnnotations(notes)
}

func (s *session) hookWork(b bounded, namespace string, hook helm.Hook, resource kube.Resource) (*work, error) {
	canonical, err := manifest.Canonical(hook.Object)
	if err != nil {
		return nil, err
	}
	object := canonical.DeepCopy()
	switch {
	case !resource.Namespaced:
		object.SetNamespace("")
	case object.GetNamespace() == "":
		object.SetNamespace(namespace)
	}
	source := fmt.Sprintf("%s:%d", object.Source, object.Line)
	if err := b.object(source, kube.RefOf(object.Unstructured)); err != nil {
		return nil, err
	}
	return s.finish(b.name, source, object.Unstructured, resource)
}

// hookRecord returns what the inventory keeps of what a hook makes.
func (w *work) hookRecord() inventory.Object {
	return inventory.Object{Ref: w.ref, Resource: w.resource.Resource, Batch: int(w.batch), Keep: w.keep, Created: true}
}

// expectedHooks returns what the hooks of a layer will make, until its end.
// coming are the kinds whose definitions are in the same plan.
func (s *session) expectedHooks(ctx context.Context, l *layerWork, coming map[schema.GroupVersionKind]servedKind) ([]inventory.Object, error) {
	var all []inventory.Object
	var errs []error
	for _, r := range l.output.Releases {
		for _, hook := range r.Hooks {
			if !slices.ContainsFunc(hook.Events, func(e helm.Event) bool { return l.Test || e != helm.Test }) {
				continue
			}
			kind, ok := coming[hook.Object.GroupVersionKind()]
			var err error
			if !ok {
				kind.Resource, err = s.served(ctx, hook.Object)
			}
			if err == nil {
				var w *work
				if w, err = s.hookWork(s.bounded(l.Layer), r.Namespace, hook, kind.Resource); err == nil {
					all = append(all, w.hookRecord())
				}
			}
			errs = append(errs, err)
		}
	}
	return all, errors.Join(errs...)
}
