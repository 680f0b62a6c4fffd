package reconcile

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
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
	ready = ready && s.upToDate(p, result)
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

// upToDate reports whether all layers of p are rendered for what the cluster has
// once p is carried out. If not, another pass renders them again.
func (s *session) upToDate(p *Plan, result *Result) bool {
	is := true
	for _, l := range p.layers {
		if len(l.outdated) > 0 {
			is, result.RetryAfter = false, time.Second
			s.events.send(Event{Type: LayerWaiting, Layer: l.Name, Message: l.again()})
		}
	}
	return is
}

// applyStages applies the layers, stage after stage, until one is not ready.
func (s *session) applyStages(ctx context.Context, p *Plan, inv *inventory.Inventory, result *Result) (ready bool, err error) {
	if done, err := s.applyNamespaces(ctx, p, inv, result); err != nil || !done {
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
		errs[i] = s.fail(entries[i], errs[i])
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return ready, errors.Join(errs...)
}

// fail notes in the entry of a layer whether it failed, says so, and returns err
// with the name of the layer.
func (s *session) fail(entry *inventory.Layer, err error) error {
	entry.Fail(s.failure(err))
	if err == nil {
		return nil
	}
	err = &LayerError{entry.Name, err}
	s.events.send(Event{Type: LayerFailed, Layer: entry.Name, Message: err.Error()})
	return err
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
			s.client.ForgetKinds()
			if ready, err := s.established(ctx, entry, result); err != nil || !ready {
				return false, err
			}
		}
		rest = rest[n:]
	}
	if !begun {
		if err := s.beginReleases(ctx, l, entry); err != nil {
			return false, err
		}
	}
	if err := refusals(l.objects); err != nil {
		return false, err
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
