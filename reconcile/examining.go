package reconcile

import (
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/layer"
)

// An examination is what a look at an object that drifted found.
type examination struct {
	*work
	was    *inventory.Drift // known from before
	now    time.Time
	redact func(string) string

	record inventory.Drift
	news   []inventory.Dispute
	left   []string // JSON pointers of the fields that stay as others made them
}

func (s *session) examination(w *work, mine *known) *examination {
	return &examination{work: w, was: mine.Drift, now: time.Now().UTC(), redact: s.events.redact}
}

// field decides what becomes of one field that is otherwise, or of an object
// that is gone.
func (x *examination) field(path kube.Path, f inventory.Field) {
	mode := modeOf(x.policy, x.ref, path, f.Manager)
	if mode == layer.DriftOff {
		x.left = append(x.left, f.Path)
		return
	}
	f.Old, f.New = x.shown(f.Old, f.New)
	d := drifted(x.layer, x.ref, f)
	d.Mode = mode
	if mode == layer.DriftCorrect {
		was := x.was.Of(f.Path)
		change := inventory.Dispute{Path: f.Path, Manager: f.Manager, Value: digest.FromString(f.New)}
		if d.Until = fought(was, change, x.now); d.Until.IsZero() {
			x.news = append(x.news, repaired(was, change, x.now))
			x.drift = append(x.drift, d)
			return
		}
		f.Repairs, d.Repairs = was.Repairs, was.Repairs
		if x.record.Until.IsZero() || d.Until.Before(x.record.Until) {
			x.record.Until = d.Until
		}
	}
	x.left = append(x.left, f.Path)
	x.drift = append(x.drift, d)
	if len(x.record.Left) < maxRemembered {
		x.record.Left = append(x.record.Left, f)
	}
}

// shown returns what people may see of a value of ours, and of what somebody
// made of it: if ours is sensitive, nobody can tell whether theirs is.
func (x *examination) shown(old, now string) (string, string) {
	if x.redact == nil {
		return old, now
	}
	if text := x.redact(old); text != old {
		return text, hidden(now)
	}
	return old, x.redact(now)
}

// fields decides about each field in which the object on the cluster differs
// from what it would become. Of an object that changes with the stack only the
// fields in conflicts are known to be somebody else's doing.
func (x *examination) fields(now, then *unstructured.Unstructured, conflicts []kube.FieldConflict) {
	managed := now.GetManagedFields()
	for _, d := range differences(now, then) {
		if !x.owns(then, d.path) || x.action != Repair && !conflicting(d.path, conflicts) {
			continue // what the server makes of a change is nobody's drift
		}
		f := attribute(d, now, managed)
		if x.action != Repair && modeOf(x.policy, x.ref, d.path, f.Manager) == layer.DriftCorrect {
			continue // a conflict, or to be taken by force
		}
		x.field(d.path, f)
	}
}

// owns reports whether a field is ours, by what an apply would leave.
func (x *examination) owns(then *unstructured.Unstructured, path kube.Path) bool {
	if x.handOver != nil { // then is not by an apply
		return kube.Has(x.object.Object, path) && kube.Has(then.Object, path)
	}
	return kube.Owns(then.GetManagedFields(), then.Object, path)
}

func conflicting(path kube.Path, conflicts []kube.FieldConflict) bool {
	field := path.String()
	return slices.ContainsFunc(conflicts, func(c kube.FieldConflict) bool {
		return c.Field == field || strings.HasPrefix(field, c.Field+".") || strings.HasPrefix(field, c.Field+"[") || strings.HasPrefix(c.Field, field)
	})
}

// attribute says who made a field what it is.
func attribute(d difference, now *unstructured.Unstructured, managed []metav1.ManagedFieldsEntry) inventory.Field {
	c := d.change(now)
	f := inventory.Field{Field: c.Field, Path: d.path.Pointer(), Old: c.New, New: c.Old}
	var holder *metav1.ManagedFieldsEntry
	if d.old != nil {
		holder = kube.Holder(managed, now.Object, d.path)
	}
	if holder == nil {
		f.Suspects = kube.Suspects(managed)
		return f
	}
	f.Manager, f.Operation, f.Subresource = holder.Manager, string(holder.Operation), holder.Subresource
	if holder.Time != nil {
		f.Time = holder.Time.UTC()
	}
	return f
}

// conclude writes what was found into the work. live is what was seen of the
// object before the examination, and untouched says that it stays like that.
func (x *examination) conclude(live *metav1.PartialObjectMetadata, mine *known, untouched bool) {
	if x.action == Repair {
		x.record.Disputes = remembered(x.was, x.news, x.now)
	}
	x.examined, x.stays, x.after = true, len(x.left) > 0, &x.record
	if !untouched {
		return
	}
	x.action, x.reason = Unchanged, ""
	if x.stays || kube.OwnFields(live.ManagedFields, x.ignore) != mine.Fields {
		x.record.Held = kube.Held(live)
	} else if len(x.record.Disputes) == 0 {
		x.after = nil // all is well again
	}
}

// untouched reports whether nothing is to be applied of an object that drifted:
// all that others changed stays, or is as it was. If it is, but we do not hold
// it any more, it is applied again, so that it goes when it is not wanted.
func (x *examination) untouched(mine *known, live *metav1.PartialObjectMetadata) bool {
	switch {
	case x.action != Repair:
		return false
	case len(x.news) > 0:
		return false
	case len(x.left) > 0:
		return true
	}
	x.reason = "others took fields of it, which are as they were"
	return x.policy.Mode != layer.DriftCorrect || kube.OwnFields(live.ManagedFields, x.ignore) == mine.Fields
}

// examineGone decides what becomes of an object that somebody deleted, or that
// is being deleted.
func (s *session) examineGone(w *work, mine *known, live *metav1.PartialObjectMetadata) {
	x := s.examination(w, mine)
	x.field(nil, inventory.Field{})
	x.conclude(live, mine, len(x.left) > 0)
	if w.action == Unchanged {
		w.going = false
	}
}

// recorded returns what the inventory keeps of a change by others to an object
// that was applied just now, and is so.
func (w *work) recorded(live *metav1.PartialObjectMetadata) *inventory.Drift {
	if w.after == nil || !w.stays && len(w.after.Disputes) == 0 {
		return nil
	}
	after := *w.after
	after.Held = ""
	if w.stays {
		after.Held = kube.Held(live)
	}
	return &after
}

// note writes what was found of an object that stays as it is into its record.
func (w *work) note(record *inventory.Object) {
	if w.action == Unchanged && w.examined {
		record.Drift = w.after
	}
}

// reportDrift sends events about what others changed since the last pass.
func (s *session) reportDrift(p *Plan) {
	report := func(w *work) {
		if !w.examined {
			return
		}
		for _, d := range w.drift {
			e := Event{Type: ObjectDrifted, Layer: w.layer, Object: ObjectRef(w.ref), Drift: &d, Message: d.String()}
			if d.Fight() {
				e.Type = FightFound
			}
			s.events.send(e)
		}
	}
	for _, w := range p.spaces {
		report(w)
	}
	for _, l := range p.layers {
		for _, w := range l.objects {
			report(w)
		}
	}
}
