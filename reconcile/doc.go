// Package reconcile brings a cluster to the state that a resolved stack of
// profiles describes, and says how far it is from it.
//
// Everything that a stack consists of is rendered to Kubernetes objects, and
// one engine handles them all: it compares them with the inventory of what the
// installation owns and with what the cluster has, makes a [Plan], applies it
// server-side in the order of the stack, waits until each part is ready, and
// then removes what is no longer wanted.
//
// Reconciling is level-based. [Reconciler.Reconcile] makes one pass: it does
// everything that can be done now, never sleeps to wait for readiness, and
// returns with [Result.RetryAfter], as a controller needs it.
// [Reconciler.Converge] repeats passes, woken by watches, until the target is
// ready: for commands, scripts and tests.
//
// [Reconciler.Status] says what is on a cluster, as values that are JSON, a
// table ([Status.String]) or a picture ([Status.Picture], [Status.SVG]) too;
// package bom makes a bill of materials of them. [Reconciler.Discover] says what
// others installed there with Helm, and how to take it over.
//
// # Errors
//
// An error of a method is one of three: that of the context, when ctx is done;
// an [ErrTerminal], which another pass does not cure; or one that may pass, and
// then [Result.RetryAfter] says when to try again. So a controller needs to ask
// for ErrTerminal only. Errors are joined where there are several. What concerns a
// layer is in a [*LayerError]; errors.AsType finds the first of a type.
//
// Before anything is written, and nothing is then:
//
//	ErrUnreachable      the cluster could not be asked         try again
//	BusyError           another process changes it just now    try again
//	PendingError        another tool changes a Helm release    try again
//	StaleError          the plan is not what it would be now   make a new one
//	WrongTargetError    the plan is for another target
//	NoKindError         the cluster lacks the kind
//	SchemaError         a field that the definition lacks
//	DuplicateError      two places of the stack hold an object
//	ExistsError         an object belongs to somebody else
//	NotAllowedError     no AllowRule lets the layer have it
//	BudgetError         the plan would delete too much
//	DefinitionError     a new definition would break objects
//	MismatchError       the cluster is of another kind than its layers say
//	LookupError         a template looks for what it may not read
//	PostRenderError     a PostRenderer failed
//	RollbackError       what keeps from going back
//	UnknownStateError   there is no such state to go back to
//	*registry.Error     content cannot be had; it says itself whether to try again
//	profile.ErrConstraint
//
// At the latest when the server is asked to change something:
//
//	ConflictError       other managers own fields of an object
//	ImmutableError      a field cannot be changed while the object is there
//	SourceError         the server refuses an object: file and line, and its words
//	FailedError         an object will not become ready: a Job failed, an image is missing
//	SupersededError     another process wants another state
//	ErrChanged          another process wrote the inventory    try again
//	WaitError           ctx was done; for what the call was waiting
//
// What was done before stays and is recorded; the next pass goes on from there.
// A refusal of the server (rights, quota, a webhook) is one of k8s.io/apimachinery's
// errors, with its functions: apierrors.IsForbidden(err). [Plan.Permissions] says
// which rights would do.
package reconcile
