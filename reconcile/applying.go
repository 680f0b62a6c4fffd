package reconcile

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/layer"
)

// retryAfter is when a controller that does not watch should look again after
// objects that are not yet ready.
const retryAfter = 5 * time.Second

// stage is what is installed together: layers of one kind and install order.
type stage struct {
	kind  layer.Kind
	order int
}

// apply carries p out as far as it can be now.
func (s *session) apply(ctx context.Context, p *Plan, result *Result) (err error) {
	result.Warnings = p.Warnings
	s.events.redact = s.redactor(p.desired)
	defer func() {
		s.finishPass(ctx, "reconciled", result, err)
	}()
	result.Drift = p.Drift()
	s.reportDrift(p)
	if err := s.superseded(p.before); err != nil {
		return err
	}
	inv := p.announced()
	s.now = inv
	begin(inv, p.layers)
	if p.holds(inv) {
		if err := s.hold(ctx, inv); err != nil {
			return err
		}
	}
	ready, err := s.applyStages(ctx, p, inv, result)
	if err == nil && ready {
		ready, err = s.prune(ctx, inv, p, result)
	}
	if err == nil && ready {
		inv.Desired, inv.Back = p.Desired, ""
		err = s.remember(ctx, inv, p.desired)
		result.Ready = err == nil
	}
	if ctx.Err() == nil && (inv.Holder.Name == s.identity || !reflect.DeepEqual(p.before, inv)) {
		err = errors.Join(err, s.release(ctx, inv))
	}
	if err == nil && len(inv.States) > 0 && !reflect.DeepEqual(p.before.States, inv.States) {
		err = s.history().Trim(ctx, inv)
	}
	return err
}

// holds reports whether carrying out p begins with saying that we are at work.
func (p *Plan) holds(announced *inventory.Inventory) bool {
	return !p.Empty() || slices.ContainsFunc(p.layers, func(l *layerWork) bool { return len(l.unbegun(announced.Layer(l.Name))) > 0 })
}

// announced returns the inventory to be written before anything is applied:
// what was owned, and what will be.
func (p *Plan) announced() *inventory.Inventory {
	inv := p.before.Clone()
	inv.Begun, inv.Back = p.Desired, p.back
	inv.Profiles, inv.Lock = p.desired.Profiles(), p.desired.Lock()
	for i := range inv.Layers {
		inv.Layers[i].Dropped = true
	}
	for _, l := range p.layers {
		entry := inv.Layer(l.Name)
		if entry == nil {
			inv.Layers = append(inv.Layers, inventory.Layer{Name: l.Name})
			entry = &inv.Layers[len(inv.Layers)-1]
		}
		entry.Dropped = false
		entry.Kind, entry.InstallOrder, entry.Profile, entry.Pin = l.Kind.OrDefault(), l.InstallOrder, l.Profile, l.Pin
		entry.Namespaces = l.namespaces
		if l.output == nil {
			continue
		}
		l.correct(entry)
		if l.changes() || released(l, entry) || entry.Inputs != l.inputs && len(l.checks()) > 0 {
			entry.Renew(l.inputs)
		}
		entry.Charts, entry.Images = l.charts(), l.images()
		entry.Base, entry.Queries, entry.Past = l.base, l.output.Queries, l.output.Past
		for i := range entry.Objects {
			entry.Objects[i].Dropped = true
		}
		entry.Objects = append(entry.Objects, l.leaving...)
		l.announceReleases(entry)
		for _, w := range l.objects {
			if known := entry.Object(w.ref.Key()); known != nil {
				known.Dropped, known.Keep = false, w.keep
				w.note(known)
			} else {
				entry.Objects = append(entry.Objects, w.record())
			}
		}
	}
	for _, w := range p.spaces {
		i := slices.IndexFunc(inv.Namespaces, func(o inventory.Object) bool { return o.Key() == w.ref.Key() })
		if i >= 0 {
			w.note(&inv.Namespaces[i])
		} else if w.action != Unchanged || w.settled != nil {
			inv.Namespaces = append(inv.Namespaces, w.record())
		}
	}
	return inv
}

// applyStages applies the layers, stage after stage, until one is not ready.
func (s *session) applyStages(ctx context.Context, p *Plan, inv *inventory.Inventory, result *Result) (ready bool, err error) {
	if done, err := s.applyAll(ctx, p.spaces, inv.Namespaces, result); err != nil || !done {
		return false, err
	}
	for rest := p.layers; len(rest) > 0; {
		n := stageSize(rest)
		ready, err := s.applyStage(ctx, rest[:n], inv, result)
		if err != nil || !ready {
			return false, err
		}
		rest = rest[n:]
		if len(rest) > 0 {
			begin(inv, rest)
			if err := s.journal(ctx, inv); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// stageSize returns how many of the layers make the first stage.
func stageSize(layers []*layerWork) int {
	if n := slices.IndexFunc(layers, func(l *layerWork) bool { return l.stage() != layers[0].stage() }); n >= 0 {
		return n
	}
	return len(layers)
}

// begin notes that the layers of the first stage that is not ready have their
// turn.
func begin(inv *inventory.Inventory, layers []*layerWork) {
	waiting := false
	for ; len(layers) > 0 && !waiting; layers = layers[stageSize(layers):] {
		for _, l := range layers[:stageSize(layers)] {
			entry := inv.Layer(l.Name)
			entry.Begin(seconds(time.Now()))
			waiting = waiting || entry.Ready.IsZero()
		}
	}
}

// seconds returns a time as it is kept in an inventory.
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// applyStage applies the layers of one stage at the same time.
func (s *session) applyStage(ctx context.Context, layers []*layerWork, inv *inventory.Inventory, result *Result) (bool, error) {
	errs, results := make([]error, len(layers)), make([]Result, len(layers))
	// Each layer has a copy of its entry to work on, which goes into inv whenever
	// that is written.
	entries, copies := make([]*inventory.Layer, len(layers)), make([]inventory.Layer, len(layers))
	for i, l := range layers {
		entries[i] = inv.Layer(l.Name)
		copies[i] = entries[i].Clone()
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, l := range layers {
		save := func(ctx context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			*entries[i] = copies[i].Clone()
			return s.checkpoint(ctx, inv)
		}
		hold := func(ctx context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			return s.keepOff(ctx, inv)
		}
		wg.Go(func() {
			results[i].Ready, errs[i] = s.applyLayer(ctx, l, hooking{s, &copies[i], &results[i], save, hold})
		})
	}
	wg.Wait()
	for i := range layers {
		*entries[i] = copies[i]
	}
	ready := true
	for i, r := range results {
		result.Steps = append(result.Steps, r.Steps...)
		result.Waiting = append(result.Waiting, r.Waiting...)
		ready = ready && r.Ready
		if ctx.Err() != nil {
			continue
		}
		entries[i].Fail(s.failure(errs[i]))
		if errs[i] != nil {
			errs[i] = &LayerError{layers[i].Name, errs[i]}
			s.events.send(Event{Type: LayerFailed, Layer: layers[i].Name, Message: errs[i].Error()})
		}
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return ready, errors.Join(errs...)
}

// failure returns what is kept of an error, or of none.
func (s *session) failure(err error) inventory.Failure {
	if err == nil {
		return inventory.Failure{}
	}
	return inventory.Failure{Message: s.redacted(err).Error(), Terminal: !retryable(err), Since: seconds(time.Now())}
}

// applyLayer applies one layer, and reports whether it is ready.
func (s *session) applyLayer(ctx context.Context, l *layerWork, hooks hooking) (ready bool, err error) {
	entry := hooks.entry
	if l.output == nil && !entry.Ready.IsZero() {
		return true, nil
	}
	ctx, end := s.begin(ctx, Span{Type: SpanLayer, Layer: l.Name, Pin: l.Pin})
	defer func() { end(Outcome{Err: err}) }()
	if l.changes() {
		s.events.send(Event{Type: LayerStarted, Layer: l.Name, Message: l.Pin.Resolved})
	}
	ready, err = s.applyBatches(ctx, l, hooks)
	if err != nil && !retryable(err) && ctx.Err() == nil {
		err = errors.Join(err, s.failReleases(ctx, l, entry, err))
	}
	return ready, err
}

// applyBatches applies a layer batch after batch: its definitions, the hooks
// that come before the rest, and the rest.
func (s *session) applyBatches(ctx context.Context, l *layerWork, hooks hooking) (bool, error) {
	entry, result := hooks.entry, hooks.result
	begun := false
	before := moments(l, entry, helm.PreInstall, s.either(helm.PreUpgrade, helm.PreRollback))
	for rest := l.objects; len(rest) > 0; {
		if rest[0].batch > manifest.Namespaces && !begun { // records are in namespaces, too
			if err := s.beginReleases(ctx, l, entry); err != nil {
				return false, err
			}
			begun = true
		}
		if rest[0].batch > manifest.Definitions && before != nil {
			if done, err := hooks.run(ctx, before); err != nil || !done {
				return false, err
			}
			before = nil
		}
		n := slices.IndexFunc(rest, func(w *work) bool { return w.batch != rest[0].batch })
		if n < 0 {
			n = len(rest)
		}
		if done, err := s.applyAll(ctx, rest[:n], entry.Objects, result); err != nil || !done {
			return false, err
		}
		if rest[0].batch == manifest.Definitions {
			if ready, err := s.established(ctx, entry, result); err != nil || !ready {
				return false, err
			}
			s.client.ForgetKinds()
		}
		rest = rest[n:]
	}
	if !begun {
		if err := s.beginReleases(ctx, l, entry); err != nil {
			return false, err
		}
	}
	if done, err := hooks.run(ctx, before); err != nil || !done {
		return false, err
	}
	if l.output != nil {
		if entry.Inputs = l.inputs; entry.Applied.IsZero() {
			entry.Applied = seconds(time.Now())
		}
	}
	if !entry.Ready.IsZero() {
		return true, nil // other inputs gave the same
	}
	return s.becomeReady(ctx, l, hooks)
}

const madeAnew = "; then it is made anew"

// applyAll applies objects at the same time and writes what they became into
// their records. It reports whether all are applied: those that must go first
// are added to what result waits for.
func (s *session) applyAll(ctx context.Context, all []*work, records []inventory.Object, result *Result) (bool, error) {
	byKey := make(map[kube.Key]*inventory.Object, len(records))
	for i := range records {
		byKey[records[i].Key()] = &records[i]
	}
	errs, gone := make([]error, len(all)), make([]bool, len(all))
	g, gctx := s.group(ctx)
	for i, w := range all {
		if w.settled != nil {
			*byKey[w.ref.Key()] = w.applied(w.settled)
		}
		if w.action == Unchanged {
			continue
		}
		g.Go(func() error {
			if gone[i], errs[i] = s.makeWay(gctx, w); errs[i] == nil && gone[i] {
				errs[i] = s.applyOne(gctx, w, byKey[w.ref.Key()])
			}
			return nil // the others go on, and their records count
		})
	}
	_ = g.Wait()
	done := true
	for i, w := range all {
		switch {
		case w.action == Unchanged || errs[i] != nil:
		case !gone[i]:
			done = false
			result.Waiting = append(result.Waiting, Waiting{
				Layer: w.layer, Object: ObjectRef(w.ref), Message: cmp.Or(w.hangs, "it is being deleted") + madeAnew,
				sight: sight{resource: w.resource, namespace: w.ref.Namespace}, gone: true, beside: madeAnew,
			})
		default:
			result.Steps = append(result.Steps, w.step())
		}
	}
	return done, errors.Join(errs...)
}

// makeWay deletes the object that w replaces, and reports whether nothing is in
// the way of w. If something is, the next pass finds it gone.
func (s *session) makeWay(ctx context.Context, w *work) (bool, error) {
	if w.foreign != nil {
		return false, w.conflict(w.foreign)
	}
	if w.action != Replace {
		return !w.going, nil
	}
	if err := s.client.Delete(ctx, w.resource, w.ref, w.uid); err != nil && !apierrors.IsNotFound(err) {
		return false, err
	}
	_, err := s.client.GetMetadata(ctx, w.resource, w.ref)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	return false, err
}

func (s *session) applyOne(ctx context.Context, w *work, record *inventory.Object) error {
	if w.handOver != nil {
		if err := s.client.HandOver(ctx, w.resource, w.ref, w.handOver); err != nil {
			return err
		}
	}
	meta, err := s.client.Apply(ctx, w.resource, kube.Apply{Ref: w.ref, Data: w.data, Force: w.force})
	if conflicts := kube.Conflicts(err); conflicts != nil {
		return w.conflict(conflicts)
	}
	if err != nil {
		return explain(w, err)
	}
	s.feed.put(w.resource, meta)
	*record = w.applied(meta)
	s.events.send(Event{Type: ObjectApplied, Layer: w.layer, Object: ObjectRef(w.ref), Action: w.action, Message: w.reason})
	return nil
}

// explain marks errors that another pass does not cure.
func explain(w *work, err error) error {
	switch {
	case w.redefined && (apierrors.IsInvalid(err) || kube.Unnamed(err)):
		// The server may not have seen the new definition yet. In the next pass it
		// is no longer new, and what is refused then is refused.
		return &outdatedError{err}
	case retryable(err) && !kube.Unnamed(err):
		return err
	}
	if kube.Unnamed(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsRequestEntityTooLargeError(err) {
		return terminal{&SourceError{w.source, err}}
	}
	return err
}

// An outdatedError is of a server that may have judged by an old definition.
type outdatedError struct{ error }

func (e *outdatedError) Unwrap() error   { return e.error }
func (e *outdatedError) Retryable() bool { return true }
