package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// plan works out what leads to d. It reads the inventory and, with one list for
// each kind, what became of the objects in it; it renders only layers whose
// inputs changed or whose objects drifted.
func (s *session) plan(ctx context.Context, d *profile.Desired) (_ *Plan, err error) {
	ctx, end := s.begin(ctx, Span{Type: SpanPlan})
	defer func() { end(Outcome{Err: err}) }()
	if d == nil || len(d.Profiles()) == 0 {
		return nil, terminal{errors.New("the desired state is nil or empty; make it with profile.Resolve")}
	}
	s.events.redact = s.redactor(d)
	now, err := s.survey(ctx)
	if err != nil {
		return nil, err
	}
	p := &Plan{Target: s.target.ID(), home: s.target.namespace(), Desired: d.Digest(), desired: d, before: now.inv, back: s.back, made: s.made}
	for _, pinned := range d.Layers() {
		p.layers = append(p.layers, &layerWork{PinnedLayer: pinned, base: s.base(pinned)})
	}
	if err := s.checkCluster(ctx, p, now.version); err != nil {
		return nil, err
	}
	unmet := s.checkConstraints(ctx, p)
	if unmet != nil && p.back == "" {
		return nil, unmet
	}
	if err := s.fill(ctx, p, now); err != nil || unmet != nil {
		return nil, s.irreversible(ctx, p.back, unmet, err)
	}
	return p, s.finishPlan(ctx, p, now)
}

// fill works out what p does, layer by layer.
func (s *session) fill(ctx context.Context, p *Plan, now survey) error {
	if err := s.renderChanged(ctx, p, now.live); err != nil {
		return err
	}
	p.anew(now.owned)
	err := s.prepare(ctx, p, now)
	if err == nil || p.back != "" { // then all that is wrong is to be said at once
		err = errors.Join(err, s.decideAll(ctx, p, now))
	}
	if err == nil {
		err = s.leaveBehind(ctx, p)
	}
	for _, l := range p.layers {
		l.warnOfRemade()
	}
	return err
}

// checkConstraints checks that what is in a new state goes together, and may
// follow what the cluster has.
func (s *session) checkConstraints(ctx context.Context, p *Plan) error {
	if p.Desired == p.before.Begun {
		return nil
	}
	content := func(pin layer.Pin) (fs.FS, error) { return s.fetcher().Fetch(ctx, pin) }
	err := p.desired.CheckConstraints(content, p.before.Lock, nil)
	if errors.Is(err, profile.ErrConstraint) {
		return terminal{err}
	}
	return err
}

// renderChanged renders the layers for which there may be something to do, from
// the bottom of the stack up: what templates see is what is below.
func (s *session) renderChanged(ctx context.Context, p *Plan, live observed) error {
	var errs []error
	for _, l := range p.layers {
		o := s.outlook(p, l, live)
		var err error
		if l.inputs, err = o.inputs(ctx, o.lastQueries(), recordedDefinitions(o.was)); err != nil {
			return err
		}
		errs = append(errs, wrapLayer(l.Name, o.renderChanged(ctx)))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, l := range p.layers {
		var err error
		if l.outdated, err = s.outlook(p, l, live).outdated(ctx); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes work of what was rendered, and checks that all of it can be
// applied.
func (s *session) prepare(ctx context.Context, p *Plan, now survey) error {
	var errs []error
	if err := s.decideDefinitions(ctx, p, now); err != nil {
		errs = append(errs, err)
	}
	coming := map[schema.GroupVersionKind]servedKind{}
	for _, l := range p.layers {
		if l.output == nil {
			continue
		}
		kinds, err := l.brings()
		errs = append(errs, wrapLayer(l.Name, err))
		maps.Copy(coming, kinds)
		for _, o := range l.output.Objects {
			if o.Batch() == manifest.Definitions {
				continue
			}
			w, err := s.prepareObject(ctx, l.Layer, o, coming)
			if err != nil {
				errs = append(errs, &LayerError{l.Name, err})
				continue
			}
			l.objects = append(l.objects, w)
		}
		for _, ns := range l.namespaces {
			errs = append(errs, wrapLayer(l.Name, s.bounded(l.Layer).namespace(ns.Name)))
		}
		sortByBatch(l.objects)
		for _, w := range l.objects {
			w.profile = l.Profile
		}
		l.hooks, err = s.expectedHooks(ctx, l, coming)
		errs = append(errs, wrapLayer(l.Name, err))
	}
	errs = slices.Concat(errs, duplicates(p), s.orphans(p, now.live))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.prepareNamespaces(p)
}

// duplicates finds objects that two places of the stack hold.
func duplicates(p *Plan) []error {
	var errs []error
	seen := map[kube.Key]string{}
	add := func(layer string, ref kube.Ref, where string) {
		if first, ok := seen[ref.Key()]; ok {
			errs = append(errs, &LayerError{layer, &DuplicateError{ObjectRef(ref), first, where}})
			return
		}
		seen[ref.Key()] = where
	}
	for _, l := range p.layers {
		if l.output == nil {
			for _, o := range p.before.Layer(l.Name).Wanted() {
				add(l.Name, o.Ref, fmt.Sprintf("layer %q", l.Name))
			}
		}
		for _, w := range l.objects {
			add(l.Name, w.ref, fmt.Sprintf("layer %q (%s)", l.Name, w.source))
		}
	}
	return append(errs, hookDuplicates(p, seen)...)
}

// hookDuplicates finds hooks that are objects of the stack as well: each would
// delete the other. Several hooks may be the same object. seen says where each
// object stands.
func hookDuplicates(p *Plan, seen map[kube.Key]string) []error {
	var errs []error
	for _, l := range p.layers {
		if l.output == nil {
			continue
		}
		for _, h := range l.output.Hooks {
			ref := kube.RefOf(h.Object.Unstructured)
			for _, namespace := range []string{cmp.Or(ref.Namespace, h.DefaultNamespace), ""} { // the kind may have none
				ref.Namespace = namespace
				if first, ok := seen[ref.Key()]; ok {
					errs = append(errs, &LayerError{l.Name, &DuplicateError{ObjectRef(ref), first, fmt.Sprintf("layer %q (hook in %s:%d)", l.Name, h.Object.Source, h.Object.Line)}})
				}
			}
		}
	}
	return errs
}

// warnings returns what is worth knowing of a plan, and keeps nobody from
// carrying it out.
func warnings(p *Plan) []string {
	var all []string
	for _, m := range p.mismatches {
		all = append(all, m.String())
	}
	for _, l := range p.layers {
		if l.output != nil {
			for _, warning := range l.output.Warnings {
				all = append(all, fmt.Sprintf("layer %q: %s", l.Name, warning))
			}
		}
		for _, warning := range l.moves() {
			all = append(all, fmt.Sprintf("layer %q: %s", l.Name, warning))
		}
		if len(l.outdated) > 0 {
			all = append(all, fmt.Sprintf("layer %q: %s", l.Name, l.again()))
		}
		for _, w := range l.objects {
			for _, warning := range w.warnings {
				all = append(all, fmt.Sprintf("layer %q: %s", l.Name, warning))
			}
		}
	}
	return all
}
