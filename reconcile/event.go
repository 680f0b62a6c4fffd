package reconcile

// An EventType says what happened.
type EventType string

// The types of events.
const (
	// LayerStarted: the first change to a layer is about to be made.
	LayerStarted EventType = "LayerStarted"
	// ObjectApplied: an object was created or updated.
	ObjectApplied EventType = "ObjectApplied"
	// ObjectDeleted: the deletion of an object was accepted.
	ObjectDeleted EventType = "ObjectDeleted"
	// ObjectKept: an object that is no longer wanted stays; the message says why.
	ObjectKept EventType = "ObjectKept"
	// ObjectDrifted: somebody changed a field of an object, or deleted it.
	ObjectDrifted EventType = "ObjectDrifted"
	// FightFound: somebody changes a field back whenever it is repaired. It is
	// left alone for a while, and longer each time.
	FightFound EventType = "FightFound"
	// HookStarted: a hook of a chart was made; the message is its event.
	HookStarted EventType = "HookStarted"
	// ReleaseFreed: another tool had left a Helm release as if it were still being
	// changed; it is gone on with. The object is its record.
	ReleaseFreed EventType = "ReleaseFreed"
	// LayerWaiting: the layer is applied and not yet ready; the message says
	// what it waits for.
	LayerWaiting EventType = "LayerWaiting"
	// LayerReady: the layer has become ready.
	LayerReady EventType = "LayerReady"
	// LayerFailed: the layer cannot be brought to its state; the message says why.
	LayerFailed EventType = "LayerFailed"
	// LayerRemoved: nothing is left of a layer that is no longer wanted, but for
	// its namespaces, which go last.
	LayerRemoved EventType = "LayerRemoved"
	// PlanFailed: a pass ended before it changed anything, as it could not be
	// planned or was not approved; the message says why.
	PlanFailed EventType = "PlanFailed"
)

// An Event is one step of progress.
type Event struct {
	Type    EventType
	Target  TargetID // that it happened on
	Layer   string
	Object  ObjectRef // zero unless the event is about an object
	Action  Action    // of an ObjectApplied event
	Drift   *Drift    // of an ObjectDrifted or FightFound event, else nil
	Message string    // for people; it holds nothing sensitive
	// Dropped is how many events before this one were left out, as the listener
	// was too slow for them.
	Dropped int
}
