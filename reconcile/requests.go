package reconcile

import (
	"cmp"
	"context"
	"reflect"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/readiness"
)

// facts are what the number of requests depends on and no plan says.
type facts struct {
	onCluster  bool  // the inventory is
	homeless   bool  // the namespace of the inventory is to be made
	home       bool  // it was made by us, and goes with the last installation
	kept       int   // revisions of a Helm release
	namespaced int64 // kinds that a namespace is searched for before it is deleted
}

// requests returns what carrying out p asks of the API server.
func (s *session) requests(ctx context.Context, p *Plan) (Cost, error) {
	secrets, onCluster := s.keeper.Store.(*inventory.Secrets)
	f := facts{onCluster: onCluster, kept: cmp.Or(s.HistoryLimit, defaultHistory)}
	switch {
	case onCluster && p.desired == nil:
		home, err := secrets.Home(ctx)
		if err != nil && !apierrors.IsForbidden(err) {
			return Cost{}, err
		}
		f.home = home != nil && home.DeletionTimestamp == nil
	case onCluster && !p.still() && !p.before.Stored():
		_, err := s.client.GetMetadata(ctx, namespaceResource, namespaceRef(s.target.namespace()))
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsForbidden(err) {
			return Cost{}, err
		}
		f.homeless = apierrors.IsNotFound(err)
	}
	if f.home || p.deletesNamespace() {
		searched, err := s.searched(ctx)
		if err != nil {
			return Cost{}, err
		}
		f.namespaced = int64(len(searched))
	}
	return expect(p, f), nil
}

func (p *Plan) deletesNamespace() bool {
	for _, step := range p.Steps {
		if step.Action == Delete && kube.Ref(step.Object).GVK().GroupKind() == namespaceKind {
			return true
		}
	}
	return false
}

// expect returns the number of requests that carrying out p takes if nothing
// has to be waited for, and nobody interferes.
func expect(p *Plan, f facts) Cost {
	t := &tally{facts: f, plan: p}
	if p.desired == nil {
		t.deletion()
	} else {
		t.application()
	}
	return t.Cost
}

// A tally counts requests in the order in which they are made.
type tally struct {
	Cost
	facts
	plan   *Plan
	forgot bool // the kinds of the cluster are to be asked for again
}

func (t *tally) add(reads, writes int64) {
	t.Reads += reads
	t.Writes += writes
}

// save counts a write of the inventory.
func (t *tally) save() {
	switch {
	case !t.onCluster:
	case t.homeless:
		t.homeless = false
		t.add(0, 3) // refused, the namespace, and again
	default:
		t.add(0, 1)
	}
}

// discovery is how many requests the kinds of a cluster take.
const discovery = 2

func (t *tally) kinds() {
	if t.forgot {
		t.forgot = false
		t.add(discovery, 0)
	}
}

// application counts as [session.apply] asks.
func (t *tally) application() {
	p, inv := t.plan, t.plan.announced()
	held := p.holds(inv)
	if held {
		t.save()
	}
	changed := held || p.before.Desired != p.Desired || !reflect.DeepEqual(p.before, inv)
	t.works(p.spaces)
	for rest := p.layers; len(rest) > 0; {
		n, touched := stageSize(rest), false
		for _, l := range rest[:n] {
			touched = t.layer(l, inv.Layer(l.Name)) || touched
		}
		rest = rest[n:]
		if touched && held && len(rest) > 0 {
			t.save()
		}
		changed = changed || touched
	}
	t.removal()
	if n := len(p.before.States); n == 0 || p.before.States[n-1].Desired != p.Desired {
		t.remember(held)
	} else if changed {
		t.save()
	}
}

// remember counts as a new good state is kept, by [session.remember] and after.
func (t *tally) remember(held bool) {
	if !held {
		t.save()
	}
	t.save() // the state
	t.save()
	if t.onCluster && t.plan.before.Full() {
		t.add(1, 1)
	}
}

func (t *tally) works(all []*work) {
	for _, w := range all {
		switch w.action {
		case Unchanged:
		case Replace:
			t.add(1, 2)
		default:
			t.add(0, 1)
		}
	}
}

// layer counts as [session.applyLayer] asks. It reports whether the record of
// the layer changes.
func (t *tally) layer(l *layerWork, entry *inventory.Layer) bool {
	if l.output == nil && !entry.Ready.IsZero() {
		return false
	}
	t.works(l.objects)
	if looks := lookedAt(entry, isDefinition); len(l.objects) > 0 && looks > 0 {
		t.add(looks, 0)
		t.forgot = true
	}
	t.hooks(l.Name)
	if !entry.Ready.IsZero() {
		return l.output != nil && entry.Inputs != l.inputs
	}
	t.add(lookedAt(entry, anyObject), 0)
	for range l.checks() {
		t.kinds()
		t.add(1, 0)
	}
	if l.output != nil {
		t.releases(l, entry)
	}
	return true
}

// lookedAt returns how many kinds [session.look] lists.
func lookedAt(entry *inventory.Layer, interest func(inventory.Object) bool) int64 {
	listed := map[kube.Resource]bool{}
	for _, o := range entry.Wanted() {
		if interest(o) && !readiness.Inert(o.GVK().GroupKind()) {
			listed[o.Served()] = true
		}
	}
	return int64(len(listed))
}

func (t *tally) hooks(layer string) {
	saved := map[[2]string]bool{} // what has succeeded, before it is deleted
	for _, h := range t.plan.Hooks {
		if h.Layer != layer {
			continue
		}
		t.kinds()
		t.add(1, 1)
		if at := [2]string{h.Release, h.Event}; h.deleted {
			t.add(0, 1)
			if !saved[at] {
				saved[at] = true
				t.save()
			}
		}
	}
}

// releases counts as [session.beginReleases] and [session.recordReleases] ask.
func (t *tally) releases(l *layerWork, entry *inventory.Layer) {
	for _, r := range l.unrecorded(entry) {
		for _, was := range r.history {
			if was.mapped {
				t.add(1, 2)
			}
			if was.mapped && was.status == helm.StatusDeployed {
				t.add(1, 1)
			}
		}
		if r.history.open(r.content()) == nil {
			if r.history.last() != nil {
				t.add(1, 0)
			}
			t.add(0, 1)
		}
		t.add(2, 1) // read, and deployed
		for _, before := range r.history {
			if before.status == helm.StatusDeployed {
				t.add(1, 1) // superseded
			}
		}
		if r.history.next() > t.kept {
			t.add(0, 1)
		}
	}
	for _, r := range entry.Releases {
		if !slices.ContainsFunc(l.releases, func(w releaseWork) bool { return w.key() == releaseKey{r.Namespace, r.Name} }) {
			t.add(1, int64(min(r.Revision, t.kept)))
		}
	}
}

// removal counts as [session.remove] asks.
func (t *tally) removal() {
	for _, step := range t.plan.Steps {
		switch {
		case step.Action == Keep, step.Action == Delete && step.gone:
			t.add(1, 0)
		case step.Action == Delete:
			t.add(2, 1)
			if kube.Ref(step.Object).GVK().GroupKind() == namespaceKind {
				t.kinds()
				t.add(t.namespaced, 0)
			}
		}
	}
	for _, l := range t.plan.dropped() {
		t.hooks(l.Name)
		for _, r := range t.plan.leaving[l.Name] {
			t.add(3, int64(r.records)+1) // marked, read before each event, and deleted
		}
		t.add(4*int64(len(l.Releases)), 0) // listed each time
		for _, h := range t.plan.Hooks {
			if h.Layer == l.Name && !h.deleted {
				t.add(2, 1) // what a hook made goes with the layer
			}
		}
	}
}

// deletion counts as [session.deletePass] asks.
func (t *tally) deletion() {
	if !t.plan.before.Empty() {
		t.save()
		t.removal()
	}
	if n := int64(len(t.plan.before.States)); t.onCluster && t.plan.before.Stored() {
		t.add(n+2, n+2) // all states and the place of the next, and the inventory
	}
	if t.onCluster {
		t.add(1, 0)
	}
	if t.home {
		t.add(t.namespaced, 1)
	}
}
