package reconcile

import (
	"cmp"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

// drift says how an object differs from what the last apply left, or "" if it
// does not, or was looked at and left as it is. live is nil if the object is
// gone.
func drift(o inventory.Object, live *metav1.PartialObjectMetadata, now time.Time) string {
	switch {
	case o.Applied == "":
		return "it was not yet applied"
	case slices.Contains(o.Ignore, wholeObject), left(o, live, now):
		return ""
	case live == nil:
		return "it was deleted"
	case live.UID != o.UID:
		return "it was deleted and made anew by somebody else"
	case live.DeletionTimestamp != nil:
		return "it is being deleted"
	case kube.OwnFields(live.ManagedFields, o.Ignore) != o.Fields, o.Drift != nil && o.Drift.Held != "":
		return "fields of it were changed"
	}
	return ""
}

// left reports whether an object is still as it was when it was looked at and
// left so, and is not to be looked at again.
func left(o inventory.Object, live *metav1.PartialObjectMetadata, now time.Time) bool {
	return o.Drift != nil && o.Drift.Held == kube.Held(live) && (o.Drift.Until.IsZero() || now.Before(o.Drift.Until))
}

// settled reports whether nothing needs to be applied for a layer: all its
// objects were applied from these inputs, and none has drifted.
func settled(l *inventory.Layer, inputs digest.Digest, live observed, now time.Time) bool {
	if l == nil || l.Inputs != inputs {
		return false
	}
	for _, o := range l.Wanted() {
		if drift(o, live[o.Key()], now) != "" {
			return false
		}
	}
	return true
}

// known is what an inventory says of an object, and which layer has it.
type known struct {
	inventory.Object
	layer string
}

// isApplied reports whether the object is known to have been applied: else it
// was only announced.
func (k *known) isApplied() bool { return k != nil && k.UID != "" }

// records are what an inventory says of each object.
type records map[kube.Key]*known

// knownOf returns the records of all objects in inv. Of an object that moves,
// two layers have one: that of the layer which wants it and has applied it counts.
func knownOf(inv *inventory.Inventory) records {
	all := records{}
	wanted := map[kube.Key]bool{}
	for _, l := range inv.Layers {
		for _, o := range l.Objects {
			one, key := &known{o, l.Name}, o.Key()
			if all[key] == nil || one.isApplied() && (!all[key].isApplied() || !wanted[key]) {
				all[key], wanted[key] = one, !l.Dropped && !o.Dropped
			}
		}
	}
	for _, o := range inv.Namespaces {
		if !all[o.Key()].isApplied() {
			all[o.Key()] = &known{o, ""}
		}
	}
	return all
}

// decide sets what is to be done for w. mine is what the inventory has of the
// object, or nil; live is the object on the cluster, or nil if it is not there.
func decide(w *work, mine *known, live *metav1.PartialObjectMetadata, now time.Time) {
	w.exists = live != nil
	w.created = live == nil || mine != nil && mine.Created
	why := ""
	if mine != nil {
		why = drift(mine.Object, live, now)
	}
	switch {
	case mine != nil && mine.layer == w.layer && mine.Applied == w.digest && slices.Equal(mine.Ignore, w.ignore) && why == "":
		w.action, w.created = Unchanged, mine.Created
	case live != nil && live.DeletionTimestamp != nil:
		w.action, w.reason, w.going, w.created = Repair, "it is being deleted", true, true
		w.hangs = terminating(live.DeletionTimestamp, live.Finalizers)
	case mine == nil && live == nil:
		w.action, w.reason = Create, "it is new in the stack"
	case mine == nil:
		w.action, w.reason = Adopt, "it was there before"
	case live == nil:
		w.action, w.reason = Repair, cmp.Or(why, "it was deleted")
	case mine.layer != w.layer:
		w.action, w.reason = Transfer, "it moves here from layer "+mine.layer
	case mine.Applied != w.digest || !slices.Equal(mine.Ignore, w.ignore):
		w.action, w.reason = Update, "the stack wants it otherwise"
	default:
		w.action, w.reason = Repair, why
	}
}

// reclaimable reports whether fields that others hold may be taken back: the
// object is one that we applied just so before, so the fields were ours, and
// whoever has them now came by an update and not by declaring to own them.
func reclaimable(w *work, mine *known, live *metav1.PartialObjectMetadata, conflicts []kube.FieldConflict) bool {
	if mine == nil || mine.Applied != w.digest || mine.UID != live.UID {
		return false
	}
	for _, c := range conflicts {
		if kube.Declares(live.ManagedFields, c.Manager) {
			return false
		}
	}
	return true
}
