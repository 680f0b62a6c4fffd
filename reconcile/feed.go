package reconcile

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/readiness"
)

// A feed has the metadata of the objects of an installation from watches, one
// for each kind, and wakes the session when one differs from the inventory.
// A nil feed has nothing.
type feed struct {
	*session
	wake chan struct{} // holds one when an object drifted
	stir chan struct{} // holds one when another was written to

	mu      sync.Mutex
	kinds   map[kube.Resource]*feedKind
	records map[spot]fedObject
	passing bool
	changed map[spot]bool   // since the pass began
	drifted map[spot]bool   // and not yet seen by a pass
	moved   map[spot]bool   // not drifted, but written to, and not yet looked at
	seenAs  map[spot]string // what the last pass saw drifted, and how it was
	running sync.WaitGroup
}

func (s *session) newFeed() *feed {
	return &feed{
		session: s, wake: make(chan struct{}, 1), stir: make(chan struct{}, 1),
		kinds: map[kube.Resource]*feedKind{}, drifted: map[spot]bool{}, moved: map[spot]bool{},
	}
}

// A spot is where an object is.
type spot struct {
	kube.Resource
	types.NamespacedName
}

type fedObject struct {
	inventory.Object
	layer string
}

// A feedKind is what is known of the objects of one kind.
type feedKind struct {
	byName map[types.NamespacedName]*metav1.PartialObjectMetadata // nil until they are listed
	stop   context.CancelFunc
}

// seen returns the objects of a kind, if they are known.
func (f *feed) seen(resource kube.Resource) (map[types.NamespacedName]*metav1.PartialObjectMetadata, bool) {
	if f == nil {
		return nil, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := f.kinds[resource]
	if kind == nil || kind.byName == nil {
		return nil, false
	}
	return maps.Clone(kind.byName), true
}

// put takes note of how we made an object.
func (f *feed) put(resource kube.Resource, o *metav1.PartialObjectMetadata) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.seenAs, spot{resource, nameOf(o)})
	f.set(resource, o, true)
}

// set takes note of how an object is. What is older than what is known is
// nothing new: a watch lags behind our own writes. f.mu is held.
func (f *feed) set(resource kube.Resource, o *metav1.PartialObjectMetadata, exists bool) {
	kind, at := f.kinds[resource], spot{resource, nameOf(o)}
	if kind == nil || kind.byName == nil || older(o, kind.byName[at.NamespacedName]) {
		return
	}
	if exists {
		kind.byName[at.NamespacedName] = o
	} else {
		delete(kind.byName, at.NamespacedName)
	}
	f.judge(at)
}

// older reports whether o is not newer than what is known.
func older(o, known *metav1.PartialObjectMetadata) bool {
	if known == nil {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(o.ResourceVersion, known.ResourceVersion)
	return err == nil && order <= 0
}

// replace takes note of all objects of a kind.
func (f *feed) replace(resource kube.Resource, list []metav1.PartialObjectMetadata) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := f.kinds[resource]
	if kind == nil {
		return
	}
	kind.byName = make(map[types.NamespacedName]*metav1.PartialObjectMetadata, len(list))
	for i := range list {
		kind.byName[nameOf(&list[i])] = &list[i]
	}
	for at := range f.records {
		if at.Resource == resource {
			f.judge(at)
		}
	}
}

// judge wakes the session if there is something to do about an object. While a
// pass is on its way that is not known. f.mu is held.
func (f *feed) judge(at spot) {
	o, known := f.records[at]
	kind := f.kinds[at.Resource]
	switch {
	case f.passing:
		f.changed[at] = true
		return
	case !known || kind == nil || kind.byName == nil:
		return
	}
	live := kind.byName[at.NamespacedName]
	delete(f.drifted, at)
	if drift(o.Object, live, time.Now()) != "" {
		if f.seenAs[at] != asSeen(live) { // else the last pass could do nothing about it
			f.drifted[at] = true
			ring(f.wake)
		}
		return
	}
	delete(f.seenAs, at)
	if live != nil && !readiness.Inert(o.GVK().GroupKind()) {
		f.moved[at] = true
		ring(f.stir)
	}
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// asSeen tells whether an object is still as a pass found it.
func asSeen(live *metav1.PartialObjectMetadata) string {
	return fmt.Sprint(live != nil && live.DeletionTimestamp != nil, kube.Held(live))
}

// anyDrifted reports whether an object drifted since the last pass began.
func (f *feed) anyDrifted() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.drifted) > 0
}

// takeMoved returns what was written to since the last call.
func (f *feed) takeMoved() map[spot]fedObject {
	f.mu.Lock()
	defer f.mu.Unlock()
	moved := map[spot]fedObject{}
	for at := range f.moved {
		if o, ok := f.records[at]; ok {
			moved[at] = o
		}
	}
	f.moved = map[spot]bool{}
	return moved
}

// begin says that a pass begins.
func (f *feed) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passing, f.changed, f.seenAs = true, map[spot]bool{}, map[spot]string{}
	for at := range f.drifted {
		if kind := f.kinds[at.Resource]; kind != nil {
			f.seenAs[at] = asSeen(kind.byName[at.NamespacedName])
		}
	}
	f.drifted = map[spot]bool{}
}

// end says that a pass has ended, and what the installation owns now. It
// watches the kinds of that, and no others.
func (f *feed) end(ctx context.Context, inv *inventory.Inventory) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passing = false
	if inv != nil {
		f.records = recordsOf(inv)
	}
	wanted := map[kube.Resource]bool{}
	for at := range f.records {
		wanted[at.Resource] = true
		if f.kinds[at.Resource] == nil {
			kindCtx, stop := context.WithCancel(ctx)
			f.kinds[at.Resource] = &feedKind{stop: stop}
			f.running.Go(func() { f.keep(kindCtx, at.Resource) })
		}
	}
	for resource, kind := range f.kinds {
		if !wanted[resource] {
			kind.stop()
			delete(f.kinds, resource)
		}
	}
	for at := range f.changed {
		f.judge(at)
	}
	f.changed = nil
}

func recordsOf(inv *inventory.Inventory) map[spot]fedObject {
	records := map[spot]fedObject{}
	add := func(layer string, objects []inventory.Object) {
		for _, o := range objects {
			if !o.Dropped {
				records[spot{o.Served(), types.NamespacedName{Namespace: o.Namespace, Name: o.Name}}] = fedObject{o, layer}
			}
		}
	}
	for _, l := range inv.Layers {
		if !l.Dropped {
			add(l.Name, l.Objects)
		}
	}
	add("", inv.Namespaces)
	return records
}

// stop ends all watches.
func (f *feed) stop() {
	f.mu.Lock()
	for _, kind := range f.kinds {
		kind.stop()
	}
	f.mu.Unlock()
	f.running.Wait()
}
