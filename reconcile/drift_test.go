package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// drifting is a config map that somebody else writes to.
type drifting struct {
	*life
	name string
}

func (d drifting) text(data string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + d.name + ", namespace: default}\ndata: {" + data + "}\n"
}

func (d drifting) layer(data string, policy layer.DriftPolicy) *profile.Desired {
	d.Helper()
	one := plain("settings", d.text(data))
	one.Drift = policy
	return desiredOf(d.T, one)
}

func (d drifting) edit(manager, data string) {
	d.Helper()
	_, err := d.kube.CoreV1().ConfigMaps("default").Patch(d.ctx, d.name, types.MergePatchType, []byte(`{"data": {`+data+`}}`), metav1.PatchOptions{FieldManager: manager})
	if err != nil {
		d.Fatal(err)
	}
}

// pass makes a pass and returns the drift that it found, and whether it wrote to
// the config map.
func (d drifting) pass(desired *profile.Desired) (drift []string, wrote bool) {
	d.Helper()
	d.rec.take()
	result, err := d.engine.Reconcile(d.ctx, d.target, desired)
	if err != nil || !result.Ready {
		d.Fatalf("Reconcile = %+v, %v", result, err)
	}
	for _, one := range result.Drift {
		drift = append(drift, fmt.Sprintf("%s %s %s->%s %s", one.Mode, one.Field, one.Old, one.New, one.Manager))
	}
	_, writes := d.rec.take()
	return drift, slices.ContainsFunc(writes, func(w reconciletest.Request) bool { return strings.Contains(w.Path, "/configmaps") })
}

func (d drifting) data() string {
	d.Helper()
	cm, err := d.kube.CoreV1().ConfigMaps("default").Get(d.ctx, d.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "none"
	}
	if err != nil {
		d.Fatal(err)
	}
	return fmt.Sprint(cm.Data)
}

// want makes passes: the first finds the drift, and more find it the same.
func (d drifting) want(desired *profile.Desired, drift, data string, wrote bool) {
	d.Helper()
	for i := range 2 {
		got, did := d.pass(desired)
		if i == 1 && wrote {
			continue
		}
		if fmt.Sprint(got) != "["+drift+"]" || did != wrote || d.data() != data {
			d.Errorf("pass %d finds %q (written: %v) and leaves %s; want [%s] (%v), %s", i, got, did, d.data(), drift, wrote, data)
		}
	}
}

func TestE2EDriftModes(t *testing.T) {
	d := drifting{newLife(t, "modes"), "modes"}
	report := layer.DriftPolicy{Mode: layer.DriftReport}
	desired := d.layer("a: '1', b: '2'", report)
	d.converge(desired)

	d.edit("them", `"a": "x"`)
	d.want(desired, `report .data.a "1"->"x" them`, "map[a:x b:2]", false)
	status, err := d.engine.Status(d.ctx, d.target)
	if err != nil || len(status.Layers[0].Objects[0].Drift) != 1 || status.Layers[0].Health != reconcile.Drifted {
		t.Errorf("Status = %+v, %v; want the drift", status, err)
	}
	d.rec.take()
	if _, err := d.engine.Reconcile(d.ctx, d.target, desired); err != nil {
		t.Fatal(err)
	}
	if all, writes := d.rec.take(); len(writes) > 0 || len(all) > 5 {
		t.Errorf("what is known and left costs %v", all)
	}

	// A change of the stack is applied beside it.
	desired = d.layer("a: '1', b: '3'", report)
	d.want(desired, `report .data.a "1"->"x" them`, "map[a:x b:3]", true)
	d.want(desired, `report .data.a "1"->"x" them`, "map[a:x b:3]", false)
	d.edit("them", `"a": "y"`)
	d.want(desired, `report .data.a "1"->"y" them`, "map[a:y b:3]", false)
	d.edit("them", `"b": null`)
	d.want(desired, `report .data.a "1"->"y" them report .data.b "3"-> `, "map[a:y]", false)

	// One field is reported, the other repaired.
	mixed := layer.DriftPolicy{Rules: []layer.DriftRule{{Kind: "ConfigMap", Paths: []string{"/data/a"}, Mode: layer.DriftReport}}}
	desired = d.layer("a: '1', b: '3'", mixed)
	d.want(desired, `report .data.a "1"->"y" them correct .data.b "3"-> `, "map[a:y b:3]", true)
	d.want(desired, `report .data.a "1"->"y" them`, "map[a:y b:3]", false)

	// One manager may, others may not.
	desired = d.layer("a: '1', b: '3'", layer.DriftPolicy{Rules: []layer.DriftRule{{Manager: "th*"}}})
	d.want(desired, ``, "map[a:y b:3]", false)
	d.edit("others", `"a": "z"`)
	d.want(desired, `correct .data.a "1"->"z" others`, "map[a:1 b:3]", true)

	// Off is off, and what was deleted stays so where it is not to be corrected.
	desired = d.layer("a: '1', b: '3'", layer.DriftPolicy{Mode: layer.DriftOff})
	d.want(desired, ``, "map[a:1 b:3]", true)
	d.edit("others", `"a": "z"`)
	d.want(desired, ``, "map[a:z b:3]", false)
	if err := d.kube.CoreV1().ConfigMaps("default").Delete(d.ctx, d.name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	d.want(desired, ``, "none", false)
	desired = d.layer("a: '1', b: '3'", report)
	d.want(desired, `report  -> `, "none", false)
	desired = d.layer("a: '1', b: '3'", layer.DriftPolicy{})
	d.want(desired, `correct  -> `, "map[a:1 b:3]", true)

	// The reconciler's mode is for layers that have none.
	d.edit("them", `"a": "x"`)
	d.engine.Drift = layer.DriftReport
	d.want(desired, `report .data.a "1"->"x" them`, "map[a:x b:3]", false)
	d.engine.Drift = ""
	d.want(desired, `correct .data.a "1"->"x" them`, "map[a:1 b:3]", true)
	d.removes()
}

// A field that is changed back whenever it is repaired is left alone for a
// while, also by a process that has just begun.
func TestE2EFight(t *testing.T) {
	d := drifting{newLife(t, "fight"), "fight"}
	desired := d.layer("a: '1', b: '2'", layer.DriftPolicy{})
	d.converge(desired)
	for range 2 {
		d.edit("them", `"a": "x"`)
		d.want(desired, `correct .data.a "1"->"x" them`, "map[a:1 b:2]", true)
	}
	d.edit("them", `"a": "x"`)
	d.engine = &reconcile.Reconciler{OnEvent: d.engine.OnEvent}
	result, err := d.engine.Reconcile(d.ctx, d.target, desired)
	if err != nil || len(result.Drift) != 1 || !result.Drift[0].Fight() || result.Drift[0].Repairs != 2 || result.RetryAfter == 0 || d.data() != "map[a:x b:2]" {
		t.Errorf("Reconcile = %+v, %v, and leaves %s; want a fight", result, err, d.data())
	}
	d.edit("them", `"b": "y"`)
	d.want(desired, `correct .data.a "1"->"x" them correct .data.b "2"->"y" them`, "map[a:x b:2]", true)
	d.want(desired, `correct .data.a "1"->"x" them`, "map[a:x b:2]", false)
	fights := 0
	for _, e := range d.events {
		if e.Type == reconcile.FightFound && e.Drift.Field == ".data.a" && e.Drift.Manager == "them" {
			fights++
		}
	}
	if fights == 0 {
		t.Errorf("no event names the fight: %v", d.events)
	}
	// The stack changes: it is no fight any more.
	desired = d.layer("a: '3', b: '2'", layer.DriftPolicy{})
	d.engine.Force = []reconcile.ForceRule{{Manager: "them"}}
	d.want(desired, ``, "map[a:3 b:2]", true)
	d.removes()
}
