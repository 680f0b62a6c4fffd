package reconcile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/reconcile"
)

// entries replaces what the API server knows of who holds what of the config map.
func (d drifting) entries(change func([]metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry) {
	d.Helper()
	cm, err := d.kube.CoreV1().ConfigMaps("default").Get(d.ctx, d.name, metav1.GetOptions{})
	if err != nil {
		d.Fatal(err)
	}
	body, err := json.Marshal([]any{map[string]any{"op": "replace", "path": "/metadata/managedFields", "value": change(cm.ManagedFields)}})
	if err != nil {
		d.Fatal(err)
	}
	if _, err := d.kube.CoreV1().ConfigMaps("default").Patch(d.ctx, d.name, types.JSONPatchType, body, metav1.PatchOptions{FieldManager: "them"}); err != nil {
		d.Fatal(err)
	}
}

// managers returns who holds something of the config map.
func (d drifting) managers() string {
	d.Helper()
	cm, err := d.kube.CoreV1().ConfigMaps("default").Get(d.ctx, d.name, metav1.GetOptions{})
	if err != nil {
		d.Fatal(err)
	}
	var all []string
	for _, e := range cm.ManagedFields {
		all = append(all, e.Manager)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// Somebody wipes, renames or removes what the API server knows of who holds what.
// It is found, nothing is said to have changed that has not, and it is ours again:
// what the stack then leaves out goes.
func TestE2EManagedFieldsLost(t *testing.T) {
	d := drifting{newLife(t, "lost"), "lost"}
	desired := d.layer("a: '1', b: '2'", layer.DriftPolicy{})
	for _, tt := range []struct {
		name   string
		change func([]metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry
		others string // who else holds something at the end
		stays  string // because another manager holds it, too
	}{
		{"wiped", func([]metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry { return []metav1.ManagedFieldsEntry{{}} }, "before-first-apply ", ""},
		{"removed", func(all []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
			return slices.DeleteFunc(all, func(e metav1.ManagedFieldsEntry) bool { return e.Manager == "strata" })
		}, "", ""},
		{"renamed", func(all []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
			for i := range all {
				all[i].Manager = strings.Replace(all[i].Manager, "strata", "renamed", 1)
			}
			return all
		}, "renamed ", " b:2"},
	} {
		d.converge(desired)
		d.edit("them", `"theirs": "x"`)
		d.entries(tt.change)
		plan, err := d.engine.Plan(d.ctx, d.target, desired)
		if err != nil || plan.Count(reconcile.Repair) != 1 || len(plan.Drift()) > 0 {
			t.Errorf("%s: the plan is %v, %v; want that it is taken back, and nothing has changed", tt.name, plan, err)
		}
		drift, wrote := d.pass(desired)
		if len(drift) > 0 || !wrote || d.data() != "map[a:1 b:2 theirs:x]" || !strings.HasPrefix(d.managers(), tt.others+"strata") {
			t.Errorf("%s: a pass finds %q (written: %v), leaves %s of %s", tt.name, drift, wrote, d.data(), d.managers())
		}
		if drift, wrote := d.pass(desired); len(drift) > 0 || wrote {
			t.Errorf("%s: the next pass finds %q (written: %v)", tt.name, drift, wrote)
		}
		d.edit("them", `"a": "x"`)
		d.want(desired, `correct .data.a "1"->"x" them`, "map[a:1 b:2 theirs:x]", true)
		d.converge(d.layer("a: '1'", layer.DriftPolicy{}))
		if want := "map[a:1" + tt.stays + " theirs:x]"; d.data() != want {
			t.Errorf("%s: what the stack leaves out does not go: there is %s, want %s", tt.name, d.data(), want)
		}
		d.removes()
	}
}

// Somebody changes a field, and wipes the traces.
func TestE2EManagedFieldsWipedAfterAChange(t *testing.T) {
	d := drifting{newLife(t, "wiped"), "wiped"}
	desired := d.layer("a: '1', b: '2'", layer.DriftPolicy{})
	d.converge(desired)
	d.edit("them", `"a": "x"`)
	d.entries(func([]metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry { return []metav1.ManagedFieldsEntry{{}} })
	d.want(desired, `correct .data.a "1"->"x" `, "map[a:1 b:2]", true)
	d.removes()
}

// Somebody deletes an object and makes another one of its name. Its content is
// not taken without leave, and who made it is named.
func TestE2EMadeAnewByOthers(t *testing.T) {
	d := drifting{newLife(t, "anew"), "anew"}
	desired := d.layer("a: '1', b: '2'", layer.DriftPolicy{})
	anew := func(data, labels map[string]string) {
		t.Helper()
		maps := d.kube.CoreV1().ConfigMaps("default")
		if err := maps.Delete(d.ctx, d.name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: d.name, Labels: labels}, Data: data}
		if _, err := maps.Create(d.ctx, cm, metav1.CreateOptions{FieldManager: "them"}); err != nil {
			t.Fatal(err)
		}
	}
	d.converge(desired)
	anew(map[string]string{"a": "x", "theirs": "y"}, nil)
	for range 2 {
		result, err := d.engine.Reconcile(d.ctx, d.target, desired)
		conflict := asError[*reconcile.ConflictError](t, err)
		if fmt.Sprint(conflict.Fields) != "[{.data.a them}]" || !errors.Is(err, reconcile.ErrTerminal) {
			t.Errorf("the conflict is %+v, want .data.a of them", conflict)
		}
		if len(result.Drift) == 0 || result.Drift[0].Field != ".data.a" || result.Drift[0].Manager != "them" || d.data() != "map[a:x theirs:y]" {
			t.Errorf("the drift is %v, and there is %s", result.Drift, d.data())
		}
	}
	d.engine.Force = []reconcile.ForceRule{{Manager: "them"}}
	d.converge(desired)
	if d.data() != "map[a:1 b:2 theirs:y]" {
		t.Errorf("with leave it becomes %s", d.data())
	}
	d.engine.Force = nil
	was, err := d.kube.CoreV1().ConfigMaps("default").Get(d.ctx, d.name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	anew(map[string]string{"a": "1", "b": "2"}, was.Labels) // restored from a backup, say
	d.want(desired, "", "map[a:1 b:2]", true)
	d.removes()
}
