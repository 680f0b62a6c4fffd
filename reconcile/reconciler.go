package reconcile

import (
	"cmp"
	"context"
	"crypto/rand"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/registry"
)

// defaultConcurrency is how many requests are in flight at once. More gains
// nothing on an API server of usual size.
const defaultConcurrency = 16

// A Reconciler brings targets to desired states. Its zero value is ready. Set
// fields before the first call; then it is safe for concurrent use. Calls for
// one target exclude each other, but for Status, History and Discover. Do not
// copy it.
type Reconciler struct {
	// Fetcher gets the content of layers. If nil, a zero [registry.Client].
	Fetcher Fetcher
	// Adopt says what becomes of objects that were there before and are now
	// part of the stack, where the layer does not say. If empty,
	// [layer.AdoptNever].
	Adopt layer.AdoptPolicy
	// CRDs says what becomes of custom resource definitions where the layer does
	// not say. If empty, [layer.CRDUpgrade]: what a version of a layer brings
	// needs its definitions, and what would break is found before.
	CRDs layer.CRDPolicy
	// BreakCRDs names definitions ("gadgets.example.com") that may change although
	// that breaks objects or clients; "*" is all. Else it is a [*DefinitionError].
	BreakCRDs []string
	// RefuseMismatch makes a cluster that has another operating system or
	// Kubernetes than its layers say a [*MismatchError], before anything is
	// written. Else that is a warning, and in the [Status].
	RefuseMismatch bool
	// Prune says which kinds of objects may be deleted although they hold data.
	Prune PrunePolicy
	// Force says which fields of other managers may be taken. If empty, none.
	Force []ForceRule
	// Replace lists kinds ("Job.batch") whose objects may be deleted and made
	// anew where a field cannot be changed; "*" is all. If empty, such a change is
	// an [*ImmutableError].
	Replace []string
	// Budget bounds what a plan may do. What is over it is a [*BudgetError], and
	// nothing is written.
	Budget Budget
	// Approve, if not nil, is asked before a pass changes or deletes anything. The
	// plan that it sees is the plan that is carried out; an error ends the pass.
	Approve func(ctx context.Context, t Target, p *Plan) error
	// Drift says what becomes of changes that others make to what was applied,
	// where the layer does not say. If empty, [layer.DriftCorrect].
	Drift layer.DriftMode
	// Store keeps the record of what each installation owns. If nil, Secrets on
	// the target.
	Store Store
	// Identity names this process among others that reconcile the same targets:
	// while one changes a target the others keep off. After a crash, whoever has
	// the same Identity goes on at once, and others after half a minute. If
	// empty, it is made up for each Reconciler.
	Identity string
	// Ready, if not nil, is asked about each object that has become ready as far
	// as its own status says; false with a message makes the layer wait on. It is
	// called again when the object changes, and may be called concurrently.
	Ready func(layer string, o *unstructured.Unstructured) (ready bool, message string)
	// PostRender changes the objects of all layers, one after the other, before
	// they are planned.
	PostRender []PostRenderer
	// Allow says which kinds of objects layers may have in which namespaces. What
	// is not allowed is a [*NotAllowedError], and nothing is written. Layers may
	// narrow it for themselves ([layer.Layer.Allow]), and never widen it.
	Allow []AllowRule
	// Templates bounds what the templates of charts and packs may use. What is
	// over it is an error that names the template and the bound.
	Templates TemplateLimits
	// HistoryLimit is how many records of each Helm release are kept, the one that
	// is deployed counted. If zero, 10, as with Helm; if negative, all.
	HistoryLimit int
	// HookTimeout is how long a hook of a chart may take, from when it was made,
	// where the layer does not say. If zero, five minutes, as with Helm; if
	// negative, as long as it likes. A hook that ends well after that is still gone
	// on from in the next pass.
	HookTimeout time.Duration
	// Concurrency bounds the requests to a cluster that are in flight at once.
	// If zero, 16.
	Concurrency int
	// OnEvent, if not nil, is told of progress: in order, and calls do not overlap
	// within one call of a method. [Event.Target] says whose it is. The run never waits for it, but before the
	// method returns OnEvent has had all events, unless ctx is done first: then
	// it gets no more, and only a call that it is still in goes on.
	//
	// If it falls behind by more than a thousand events, [Event.Dropped] counts
	// what is left out: first the oldest of LayerWaiting, ObjectApplied,
	// ObjectDeleted and HookStarted, then what a later event about the same layer
	// and object has overtaken. If it panics, the run goes on without it to its
	// end, and the method panics then.
	OnEvent func(Event)
	// Observer, if not nil, is told of everything that takes time: for traces and
	// metrics. See the packages otel and prometheus below this one, and
	// [Observers] for more than one.
	Observer Observer
	// Logger, if not nil, gets a record of each pass, with the target.
	Logger *slog.Logger

	targets  exclusive
	defaults sync.Once
	client   *registry.Client
	identity string
}

// A Fetcher returns the verified files of an artifact. *registry.Client is a
// Fetcher. Fetch may be called concurrently.
type Fetcher interface {
	Fetch(ctx context.Context, pin layer.Pin) (fs.FS, error)
}

// A PrunePolicy says which objects are deleted when they are no longer wanted.
// The zero policy keeps what holds data: deleting a definition deletes every
// object of its kind, and deleting a claim may delete the volume.
type PrunePolicy struct {
	CustomResourceDefinitions bool
	PersistentVolumeClaims    bool
}

// Reconcile makes one pass with a zero [Reconciler].
func Reconcile(ctx context.Context, t Target, d *profile.Desired) (*Result, error) {
	return new(Reconciler).Reconcile(ctx, t, d)
}

// Plan says what Reconcile would do. It changes nothing on the cluster.
//
// Content that cannot be fetched, rendered or applied is an error, and so is
// what would make an apply fail in the middle, but for what the server says of
// objects only when they are created: [*LayerError]s,
// joined, with [*NoKindError], [*DuplicateError], [*ExistsError] and others in
// them. [ErrUnreachable] says that the cluster could not be asked. What somebody
// made so that it cannot be repaired is a step whose reason says so, and an error
// when all else of its layer is done.
func (r *Reconciler) Plan(ctx context.Context, t Target, d *profile.Desired) (*Plan, error) {
	var p *Plan
	err := r.with(ctx, t, "Plan", func(ctx context.Context, s *session) (err error) {
		p, err = s.plan(ctx, d)
		return err
	})
	return p, err
}

// PlanDelete says what Delete would do. It changes nothing on the cluster, and
// needs no registry.
func (r *Reconciler) PlanDelete(ctx context.Context, t Target) (*Plan, error) {
	var p *Plan
	err := r.with(ctx, t, "PlanDelete", func(ctx context.Context, s *session) (err error) {
		p, err = s.planDeletion(ctx)
		return err
	})
	return p, err
}

// Apply carries out a plan exactly, as far as it can be now: up to the first
// layer that is not yet ready. What remains is in the next plan. If the world
// has moved since the plan was made, it does nothing, and the error is a
// [*StaleError] that names the object and the field. A plan for another target is
// a [*WrongTargetError].
func (r *Reconciler) Apply(ctx context.Context, t Target, p *Plan) (*Result, error) {
	return r.once(ctx, t, "Apply", func(ctx context.Context, s *session, result *Result) error { return s.applyApproved(ctx, p, result) })
}

// Reconcile makes one pass: it plans, and does everything of the plan that can
// be done now. Errors are those of [Reconciler.Plan], before which nothing is
// written, and [*LayerError]s, joined, with [*ConflictError], [*FailedError] or
// an error of the API server in them. Those that another pass does not cure are
// an [ErrTerminal].
func (r *Reconciler) Reconcile(ctx context.Context, t Target, d *profile.Desired) (*Result, error) {
	return r.once(ctx, t, "Reconcile", func(ctx context.Context, s *session, result *Result) error { return s.pass(ctx, d, result) })
}

// Converge makes passes until the target is ready, an error comes that another
// pass does not cure, or ctx is done. Between passes it watches what is not yet
// ready. The result is that of all passes together. If ctx is done meanwhile,
// the error is a [*WaitError] that says what was not ready. If another process
// begins to bring the target to another state, it is a [*SupersededError].
func (r *Reconciler) Converge(ctx context.Context, t Target, d *profile.Desired) (*Result, error) {
	result := new(Result)
	err := r.with(ctx, t, "Converge", func(ctx context.Context, s *session) error {
		return s.converge(ctx, result, func(pass *Result) error { return s.pass(ctx, d, pass) })
	})
	return result, err
}

// Delete makes one pass that removes what the installation owns, from the top
// of the stack down, and at last its inventory. It needs no registry. What
// [PrunePolicy] protects stays, and so does everything that is not ours. What
// goes beyond [Reconciler.Budget] is a [*BudgetError], and nothing is deleted.
func (r *Reconciler) Delete(ctx context.Context, t Target) (*Result, error) {
	return r.once(ctx, t, "Delete", func(ctx context.Context, s *session, result *Result) error { return s.deletePass(ctx, result) })
}

// DeleteAndWait makes passes as Delete does until nothing is left. If ctx is done
// meanwhile, the error is a [*WaitError] that names what hangs: with its
// finalizers, and why, as far as the cluster shows it.
func (r *Reconciler) DeleteAndWait(ctx context.Context, t Target) (*Result, error) {
	result := new(Result)
	err := r.with(ctx, t, "DeleteAndWait", func(ctx context.Context, s *session) error {
		return s.converge(ctx, result, func(pass *Result) error { return s.deletePass(ctx, pass) })
	})
	return result, err
}

// Status says what is on the target, and how it is. It changes nothing, and
// needs no registry and no desired state.
func (r *Reconciler) Status(ctx context.Context, t Target) (*Status, error) {
	var status *Status
	err := r.beside(ctx, t, "Status", func(ctx context.Context, s *session) (err error) {
		status, err = s.status(ctx)
		return err
	})
	return status, err
}

// setDefaults makes, once, what takes the place of fields that are not set.
func (r *Reconciler) setDefaults() {
	r.defaults.Do(func() {
		r.client, r.identity = new(registry.Client), cmp.Or(r.Identity, rand.Text())
	})
}

func (r *Reconciler) fetcher() Fetcher {
	if r.Fetcher != nil {
		return r.Fetcher
	}
	return r.client
}

func (r *Reconciler) store(t Target, client *kube.Client) Store {
	if r.Store != nil {
		return r.Store
	}
	return &inventory.Secrets{Client: client, Namespace: t.namespace()}
}
