package reconcile

import (
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

// entry is an entry of managed fields.
func entry(manager string, operation metav1.ManagedFieldsOperationType, subresource, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, Subresource: subresource, APIVersion: "v1", FieldsV1: metav1.NewFieldsV1(fields)}
}

// onCluster is an object as the cluster has it.
func onCluster(uid types.UID, managed ...metav1.ManagedFieldsEntry) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{UID: uid, ManagedFields: managed}}
}

var (
	ours   = entry(kube.Manager, metav1.ManagedFieldsOperationApply, "", `{"f:data":{"f:a":{}}}`)
	edited = entry("kubectl-edit", metav1.ManagedFieldsOperationUpdate, "", `{"f:data":{"f:a":{}}}`)
	scaled = entry("autoscaler", metav1.ManagedFieldsOperationUpdate, "scale", `{"f:spec":{}}`)
	status = entry("controller", metav1.ManagedFieldsOperationUpdate, "status", `{"f:status":{}}`)
	theirs = entry("theirs", metav1.ManagedFieldsOperationApply, "", `{"f:data":{"f:a":{}}}`)
)

const applied = digest.Digest("sha256:applied")

// record is what the inventory has of an object that was applied and not
// touched since.
func record() inventory.Object {
	return inventory.Object{
		Ref: kube.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "ns", Name: "a"}, Resource: "configmaps",
		UID: "1", Applied: applied, Fields: kube.OwnFields([]metav1.ManagedFieldsEntry{ours}, nil), Created: true,
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	shrunk := entry(kube.Manager, metav1.ManagedFieldsOperationApply, "", `{"f:data":{}}`)
	going := onCluster("1", ours)
	going.DeletionTimestamp = &metav1.Time{}
	announced := record()
	announced.Applied = ""
	for _, tt := range []struct {
		name string
		o    inventory.Object
		live *metav1.PartialObjectMetadata
		want string
	}{
		{"as it was", record(), onCluster("1", ours), ""},
		{"others write their fields", record(), onCluster("1", status, ours, scaled), ""},
		{"gone", record(), nil, "it was deleted"},
		{"another one", record(), onCluster("2", ours), "it was deleted and made anew by somebody else"},
		{"going", record(), going, "it is being deleted"},
		{"a field taken", record(), onCluster("1", shrunk, edited), "fields of it were changed"},
		{"all fields taken", record(), onCluster("1", edited), "fields of it were changed"},
		{"never applied", announced, onCluster("1", ours), "it was not yet applied"},
	} {
		if got := drift(tt.o, tt.live, time.Time{}); got != tt.want {
			t.Errorf("%s: drift = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	announced, foreignNamespace := record(), record()
	announced.Applied, announced.UID = "", ""
	foreignNamespace.Created = false
	going := onCluster("1", ours)
	going.DeletionTimestamp = &metav1.Time{}
	for _, tt := range []struct {
		name    string
		digest  digest.Digest
		mine    *known
		live    *metav1.PartialObjectMetadata
		want    Action
		created bool
	}{
		{"new", applied, nil, nil, Create, true},
		{"there before us", applied, nil, onCluster("9", theirs), Adopt, false},
		{"announced and applied, not recorded", applied, &known{announced, "web"}, onCluster("1", ours), Update, true},
		{"as it should be", applied, &known{record(), "web"}, onCluster("1", ours), Unchanged, true},
		{"deleted", applied, &known{record(), "web"}, nil, Repair, true},
		{"changed by somebody", applied, &known{record(), "web"}, onCluster("1", edited), Repair, true},
		{"being deleted", applied, &known{record(), "web"}, going, Repair, true},
		{"somebody else's, being deleted", applied, nil, going, Repair, true},
		{"wanted otherwise", "sha256:other", &known{record(), "web"}, onCluster("1", ours), Update, true},
		{"moved", applied, &known{record(), "other"}, onCluster("1", ours), Transfer, true},
		{"not made by us", applied, &known{foreignNamespace, "web"}, onCluster("1", ours), Unchanged, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := &work{layer: "web", ref: record().Ref, digest: tt.digest}
			decide(w, tt.mine, tt.live, time.Time{})
			if w.action != tt.want || w.created != tt.created || w.exists != (tt.live != nil) {
				t.Errorf("decide gives %s (created %v, exists %v), want %s (created %v)", w.action, w.created, w.exists, tt.want, tt.created)
			}
			if (w.reason == "") != (w.action == Unchanged) {
				t.Errorf("the reason for %s is %q", w.action, w.reason)
			}
		})
	}
}

func TestReclaimable(t *testing.T) {
	t.Parallel()
	mine := &known{record(), "web"}
	for _, tt := range []struct {
		name    string
		digest  digest.Digest
		mine    *known
		live    *metav1.PartialObjectMetadata
		manager string
		want    bool
	}{
		{"an editor changed a field of ours", applied, mine, onCluster("1", edited), "kubectl-edit", true},
		{"another manager applies it", applied, mine, onCluster("1", theirs), "theirs", false},
		{"an autoscaler scales it", applied, mine, onCluster("1", scaled), "autoscaler", false},
		{"we want something new of it", "sha256:other", mine, onCluster("1", edited), "kubectl-edit", false},
		{"it is another object", applied, mine, onCluster("2", edited), "kubectl-edit", false},
		{"it never was ours", applied, nil, onCluster("1", edited), "kubectl-edit", false},
	} {
		w := &work{digest: tt.digest}
		if got := reclaimable(w, tt.mine, tt.live, []kube.FieldConflict{{Field: ".data.a", Manager: tt.manager}}); got != tt.want {
			t.Errorf("%s: reclaimable = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSettled(t *testing.T) {
	t.Parallel()
	live := observed{record().Key(): onCluster("1", ours)}
	layer := func(change func(*inventory.Layer)) *inventory.Layer {
		l := &inventory.Layer{Name: "web", Inputs: "sha256:in", Objects: []inventory.Object{record()}}
		change(l)
		return l
	}
	for _, tt := range []struct {
		name string
		l    *inventory.Layer
		live observed
		want bool
	}{
		{"settled", layer(func(*inventory.Layer) {}), live, true},
		{"unknown", nil, live, false},
		{"other inputs", layer(func(l *inventory.Layer) { l.Inputs = "sha256:old" }), live, false},
		{"drifted", layer(func(*inventory.Layer) {}), observed{}, false},
		{"a dropped object does not matter", layer(func(l *inventory.Layer) { l.Objects[0].Dropped = true }), observed{}, true},
	} {
		if got := settled(tt.l, "sha256:in", tt.live, time.Time{}); got != tt.want {
			t.Errorf("%s: settled = %v, want %v", tt.name, got, tt.want)
		}
	}
}
