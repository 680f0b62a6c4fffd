package reconcile_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

const balancedService = `
apiVersion: v1
kind: Service
metadata: {name: front, namespace: default}
spec: {type: LoadBalancer, ports: [{name: web, port: 80}]}
`

// shown is a stack of a chart, and of objects above it that differ by a version.
func (l *life) shown(annotations string) *profile.Desired {
	l.Helper()
	web := layer.Layer{Name: "web", Namespace: "shown-web", Source: layer.Source{Helm: &layer.Helm{Chart: "web", Version: "1.0.0", ReleaseName: "site"}}}
	front := plain("front", balancedService+"---"+strings.NewReplacer("NAME", "front", "ANNOTATIONS", annotations).Replace(workload))
	front.InstallOrder = 1
	last := plain("last", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shown-last, namespace: default}\ndata: {a: '"+strings.ReplaceAll(annotations, `"`, "")+"'}\n")
	last.InstallOrder = 2
	p := &profile.Profile{Name: "shown", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{web, front, last}}
	d, err := profile.Resolve(l.ctx, l.server.Client(), nil, p)
	if err != nil {
		l.Fatal(err)
	}
	return d
}

func (l *life) status() *reconcile.Status {
	l.Helper()
	status, err := l.engine.Status(l.ctx, l.target)
	if err != nil {
		l.Fatal(err)
	}
	return status
}

func TestE2EStatus(t *testing.T) {
	l := newLife(t, "shown")
	push(t, l.server)
	l.converge(l.shown(""))
	balancer := []byte(`{"status": {"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}}}`)
	if _, err := l.kube.CoreV1().Services("default").Patch(l.ctx, "front", types.MergePatchType, balancer, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
	status := l.status()
	l.showsLayers(status)
	if err := status.CheckUpdates(l.ctx, l.server.Client()); err != nil {
		t.Fatal(err)
	}
	if u := status.Layers[0].Update; u == nil || u.Patch != "1.0.1" || u.Minor != "1.1.0" {
		t.Errorf("the update of web is %+v", u)
	}
	if web, front := status.Layers[0].Condition(reconcile.ConditionUpgradeAvailable), status.Layers[1].Condition(reconcile.ConditionUpgradeAvailable); web.Status != "True" || front.Status != "False" {
		t.Errorf("after CheckUpdates, web is %+v and front %+v", web, front)
	}
	data, err := json.Marshal(status)
	var again reconcile.Status
	if err != nil || json.Unmarshal(data, &again) != nil || !reflect.DeepEqual(status, &again) {
		t.Errorf("as JSON the status is not the same: %v\n%s", err, data)
	}
	l.showsFailure()
	l.removes()
}

func (l *life) showsLayers(status *reconcile.Status) {
	l.Helper()
	if len(status.Layers) != 3 || !status.Ready() || status.Health != reconcile.Ready {
		l.Fatalf("the status is\n%s", status)
	}
	web, front := status.Layers[0], status.Layers[1]
	wantChart := reconcile.ChartStatus{Name: "web", Version: "1.0.0", AppVersion: "1.0.0", Release: "site", Namespace: "shown-web", Revision: 1}
	if web.Package != "web" || web.Version != "1.0.0" || web.Pin.Digest == "" || !slices.Equal(web.Charts, []reconcile.ChartStatus{wantChart}) {
		l.Errorf("web is %+v", web)
	}
	if !slices.Equal(web.Images, []string{"registry.k8s.io/pause:3.10"}) {
		l.Errorf("the images of web are %v", web.Images)
	}
	if web.StartTime.IsZero() || web.EndTime.Before(web.StartTime) || front.StartTime.Before(web.EndTime) {
		l.Errorf("web from %v to %v, front from %v", web.StartTime, web.EndTime, front.StartTime)
	}
	want := reconcile.Endpoint{Object: reconcile.ObjectRef{Version: "v1", Kind: "Service", Namespace: "default", Name: "front"}, Name: "web", Protocol: "tcp", Host: "lb.example.com", Port: 80}
	if !slices.Equal(front.Endpoints, []reconcile.Endpoint{want}) {
		l.Errorf("the endpoints of front are %v", front.Endpoints)
	}
	for _, o := range web.Objects {
		if o.UID == "" {
			l.Errorf("%s has no UID", o)
		}
	}
}

// showsFailure upgrades to what cannot become ready.
func (l *life) showsFailure() {
	l.Helper()
	_, err := l.engine.Converge(l.ctx, l.target, l.shown(`strata.dev/test-image-pull: "fail"`))
	asError[*reconcile.FailedError](l.T, err)
	status := l.status()
	web, front, last := status.Layers[0], status.Layers[1], status.Layers[2]
	failure := front.Condition(reconcile.ConditionError)
	if status.Health != reconcile.Failed || web.Health != reconcile.Ready || front.Health != reconcile.Failed || !strings.Contains(front.Message, "ImagePullBackOff") {
		l.Errorf("the status is\n%s", status)
	}
	if failure.Status != "True" || failure.Reason != "Failed" || failure.LastTransitionTime.IsZero() || front.Condition(reconcile.ConditionInstalled).Status != "True" {
		l.Errorf("the conditions of front are %+v", front.Conditions)
	}
	if last.Condition(reconcile.ConditionWaitingForOtherLayers).Status != "True" || !last.StartTime.IsZero() || last.Message != "it waits for front (Failed)" {
		l.Errorf("the layer above is %+v", last)
	}
	l.converge(l.shown(""))
	if status := l.status(); !status.Ready() || status.Layers[1].Condition(reconcile.ConditionError).Status != "False" {
		l.Errorf("mended, the status is\n%s", status)
	}
}
