package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/reconcile"
)

// What somebody puts in the place of something of ours may keep the API server
// from taking ours back: then it goes. What he added elsewhere goes with it, and
// what others added does not.
func TestE2EIntruderIsExpelled(t *testing.T) {
	l := newLife(t, "intruder")
	d := manifests(t, `
apiVersion: v1
kind: Service
metadata: {name: intruder, namespace: default}
spec: {selector: {app: a}, ports: [{name: http, port: 80}, {name: more, port: 90, protocol: UDP}]}
`)
	l.converge(d)
	patch := func(manager, body string) {
		t.Helper()
		if _, err := l.kube.CoreV1().Services("default").Patch(l.ctx, "intruder", types.JSONPatchType, []byte(body), metav1.PatchOptions{FieldManager: manager}); err != nil {
			t.Fatal(err)
		}
	}
	patch("friend", `[{"op": "add", "path": "/metadata/annotations", "value": {"by": "friend"}}]`)
	patch("them", `[{"op": "replace", "path": "/spec/ports/0/port", "value": 81}]`)
	l.rec.take()
	result, err := l.engine.Reconcile(l.ctx, l.target, d)
	if err != nil || len(result.Drift) != 1 || result.Drift[0].Field != `.spec.ports[port=80,protocol="TCP"]` || fmt.Sprint(result.Drift[0].Suspects) != "[friend them]" {
		t.Fatalf("Reconcile = %+v, %v; want the port", result, err)
	}
	service, err := l.kube.CoreV1().Services("default").Get(l.ctx, "intruder", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if ports := service.Spec.Ports; len(ports) != 2 || ports[0].Port != 80 || ports[1].Port != 90 || service.Annotations["by"] != "friend" {
		t.Errorf("the service is %+v, want its two ports back, and the annotation left", service)
	}
	if result, err := l.engine.Reconcile(l.ctx, l.target, d); err != nil || len(result.Steps) > 0 {
		t.Errorf("the next pass does %+v, %v", result, err)
	}
	// In a list whose items have keys, a rule may name one by them.
	patch("them", `[{"op": "replace", "path": "/spec/ports/1/targetPort", "value": 91}]`)
	plan, err := l.engine.Plan(l.ctx, l.target, d)
	if err != nil || len(plan.Drift()) > 0 || plan.Count(reconcile.Repair) > 0 {
		t.Errorf("the server's own default of a field is said to be ours: %v, %v", plan, err)
	}
	l.removes()
}

// What cannot be repaired is an error that names it, and keeps nothing else from
// being repaired.
func TestE2EBeyondRepair(t *testing.T) {
	d := drifting{newLife(t, "beyond"), "beyond"}
	desired := manifests(t, d.text("a: '1'")+"---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: beyond, namespace: default}, secrets: [{name: a}]}\n")
	d.converge(desired)
	accounts := d.kube.CoreV1().ServiceAccounts("default")
	edit := func(body string) {
		t.Helper()
		if _, err := accounts.Patch(d.ctx, "beyond", types.JSONPatchType, []byte(body), metav1.PatchOptions{FieldManager: "them"}); err != nil {
			t.Fatal(err)
		}
	}
	edit(`[{"op": "remove", "path": "/secrets/0/name"}]`) // nothing can be applied to that
	for range 2 {
		d.edit("them", `"a": "x"`)
		result, err := d.engine.Reconcile(d.ctx, d.target, desired)
		if !errors.Is(err, reconcile.ErrTerminal) || !strings.Contains(fmt.Sprint(err), "ServiceAccount default/beyond") || d.data() != "map[a:1]" || len(result.Drift) != 1 {
			t.Errorf("Reconcile = %+v, %v, and leaves %s; want the rest repaired", result, err, d.data())
		}
	}
	edit(`[{"op": "remove", "path": "/secrets"}]`)
	d.converge(desired)
	d.removes()
}
