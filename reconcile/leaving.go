package reconcile

import (
	"context"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
)

// A recorded is a Helm release as its last record has it.
type recorded struct {
	inventory.Release
	hooks   []helm.Hook
	records int // of all its revisions
}

// recorded reads the records of the releases of a layer that is to go: its chart
// is not needed any more.
func (s *session) recorded(ctx context.Context, entry *inventory.Layer) ([]recorded, error) {
	var all []recorded
	for _, r := range entry.Releases {
		h, err := s.revisions(ctx, releaseKey{r.Namespace, r.Name})
		if err != nil {
			return nil, err
		}
		if len(h) == 0 {
			continue
		}
		record, err := s.readRecord(ctx, *h.last())
		if err != nil {
			return nil, err
		}
		all = append(all, recorded{r, record.Hooks, len(h)})
	}
	return all, nil
}

// leavingAt returns the events of a deletion at which hooks of the releases run.
func leavingAt(releases []recorded, event helm.Event) []moment {
	var all []moment
	for _, r := range releases {
		if hooks := hooksOf(r.hooks, event); len(hooks) > 0 {
			all = append(all, moment{release: r.Release, event: event, content: r.Content, hooks: hooks, namespace: r.Namespace})
		}
	}
	return all
}

// runDeletion runs the hooks of the deletion of the layer's releases.
func (h hooking) runDeletion(ctx context.Context, event helm.Event) (bool, error) {
	releases, err := h.recorded(ctx, h.entry)
	if err != nil {
		return false, err
	}
	return h.run(ctx, leavingAt(releases, event))
}

// planDeletion works out what leads to nothing.
func (s *session) planDeletion(ctx context.Context) (_ *Plan, err error) {
	ctx, end := s.begin(ctx, Span{Type: SpanPlan})
	defer func() { end(Outcome{Err: err}) }()
	now, err := s.survey(ctx)
	if err != nil {
		return nil, err
	}
	p := &Plan{Target: s.target.ID(), home: s.target.namespace(), before: now.inv}
	return p, s.finishPlan(ctx, p, now)
}

// finishPlan fills in what p says, once all is decided, and holds it against the
// budget.
func (s *session) finishPlan(ctx context.Context, p *Plan, now survey) (err error) {
	if p.leaving, err = s.leaving(ctx, p); err != nil {
		return err
	}
	redact := s.events.redact
	if redact != nil {
		p.hideSensitive(redact)
	}
	p.Steps = s.steps(p, now)
	if p.Hooks, err = s.hooks(ctx, p); err != nil {
		return err
	}
	p.Warnings = warnings(p)
	if redact != nil {
		for i := range p.Warnings {
			p.Warnings[i] = redact(p.Warnings[i])
		}
	}
	if p.Requests, err = s.requests(ctx, p); err != nil {
		return err
	}
	return s.Budget.check(p.Steps)
}

// leaving reads the releases of the layers that are to go, by layer.
func (s *session) leaving(ctx context.Context, p *Plan) (map[string][]recorded, error) {
	releases := map[string][]recorded{}
	for _, l := range p.dropped() {
		var err error
		if releases[l.Name], err = s.recorded(ctx, l); err != nil {
			return nil, &LayerError{l.Name, err}
		}
	}
	return releases, nil
}

// dropped returns the layers that are to go, in the order in which they go.
func (p *Plan) dropped() []*inventory.Layer {
	var all []*inventory.Layer
	for _, l := range topDown(p.before) {
		if !p.wants(l.Name) {
			all = append(all, l)
		}
	}
	return all
}

func (p *Plan) wants(layer string) bool {
	for _, l := range p.layers {
		if l.Name == layer {
			return true
		}
	}
	return false
}
