package reconcile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/readiness"
	"github.com/strata-go/strata/profile"
)

var (
	nine = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	ten  = nine.Add(time.Hour)
)

// summary writes conditions in short: the first letters of those that are true
// or unknown, with reason and hour.
func summary(all []Condition) string {
	var parts []string
	for _, c := range all {
		if c.Status != ConditionFalse {
			part := fmt.Sprintf("%s %s %s", c.Type, c.Status, c.Reason)
			if !c.LastTransitionTime.IsZero() {
				part += c.LastTransitionTime.Format(" 15h")
			}
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

func TestConditions(t *testing.T) {
	t.Parallel()
	const unchecked = "UpgradeAvailable Unknown NotChecked"
	object := []inventory.Object{record()}
	gone := inventory.Object{Ref: record().Ref, UID: "2", Applied: applied}
	for _, tt := range []struct {
		name    string
		entry   inventory.Layer
		health  Health
		message string
		want    string
	}{
		{"waiting", inventory.Layer{}, Progressing, "it waits for the layers below it",
			unchecked + ", WaitingForOtherLayers True LayersBelowNotReady"},
		{"begun", inventory.Layer{Began: nine}, Progressing, "not all of it was seen ready yet",
			"ReadyForInstall True Begun 09h, " + unchecked},
		{"applied", inventory.Layer{Began: nine, Inputs: "x", Applied: ten}, Progressing, "not all of it was seen ready yet",
			"ReadyForInstall True Begun 09h, Installed True Applied 10h, " + unchecked},
		{"ready", inventory.Layer{Began: nine, Inputs: "x", Applied: nine, Ready: ten}, Ready, "",
			"ReadyForInstall True Begun 09h, Installed True Applied 09h, Ready True Ready 10h, " + unchecked},
		{"failed", inventory.Layer{Began: nine, Failure: inventory.Failure{Message: "no", Terminal: true, Since: ten}}, Failed, "no",
			"ReadyForInstall True Begun 09h, Error True Failed 10h, " + unchecked},
		{"trying again", inventory.Layer{Began: nine, Failure: inventory.Failure{Message: "busy", Since: ten}}, Progressing, "busy",
			"ReadyForInstall True Begun 09h, Error True Retrying 10h, " + unchecked},
		{"drifted", inventory.Layer{Began: nine, Inputs: "x", Applied: nine, Ready: nine, Objects: []inventory.Object{gone}}, Drifted, "ConfigMap ns/a: it was deleted",
			"ReadyForInstall True Begun 09h, Installed True Applied 09h, " + unchecked},
		{"not wanted", inventory.Layer{Dropped: true, Ready: nine, Objects: object}, Removing, unwanted,
			"ReadyForInstall True Begun, " + unchecked},
	} {
		l := describe(&tt.entry)
		for _, o := range tt.entry.Objects {
			l.Objects = append(l.Objects, objectStatus("web", o, nil, readiness.State{}))
		}
		l.judge(&tt.entry)
		got := conditions(&l, &tt.entry)
		if l.Health != tt.health || l.Message != tt.message || summary(got) != tt.want {
			t.Errorf("%s: %s %q\n got %s\nwant %s", tt.name, l.Health, l.Message, summary(got), tt.want)
		}
		for i, want := range ConditionTypes() {
			if len(got) != len(ConditionTypes()) || got[i].Type != want {
				t.Errorf("%s: the conditions are %v, want each of %v", tt.name, got, ConditionTypes())
			}
		}
	}
}

// A new beginning has its own times; another try of the same does not.
func TestTimesOfLayer(t *testing.T) {
	t.Parallel()
	l := inventory.Layer{Aim: "one", Inputs: "one", Began: nine, Applied: nine, Ready: nine}
	l.Begin(ten)
	if l.Began != nine {
		t.Errorf("a ready layer begins anew: %v", l.Began)
	}
	l.Renew("two")
	l.Begin(ten)
	if l.Began != ten || !l.Ready.IsZero() || !l.Applied.IsZero() {
		t.Errorf("an upgrade leaves %+v", l)
	}
	l.Fail(inventory.Failure{Message: "no", Since: ten})
	l.Renew("two")
	l.Begin(ten.Add(time.Hour))
	l.Fail(inventory.Failure{Message: "no", Since: ten.Add(time.Hour)})
	if l.Began != ten || l.Failure.Since != ten {
		t.Errorf("another try begins anew: %+v", l)
	}
	l.Fail(inventory.Failure{Message: strings.Repeat("ä", 5000), Since: ten})
	if n := len(l.Failure.Message); n > 2100 {
		t.Errorf("a message of %d bytes is kept", n)
	}
	l.Fail(inventory.Failure{})
	if l.Failure != (inventory.Failure{}) {
		t.Errorf("a failure stays: %+v", l.Failure)
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, object, want string }{
		{"cluster only", `{kind: Service, apiVersion: v1, spec: {type: ClusterIP, ports: [{port: 80, protocol: TCP}]}}`, ""},
		{"node port", `{kind: Service, apiVersion: v1, spec: {type: NodePort, ports: [{port: 80, nodePort: 30080, protocol: TCP}]}}`, "tcp://<node>:30080"},
		{"load balancer", `{kind: Service, apiVersion: v1, spec: {type: LoadBalancer, ports: [{port: 443, nodePort: 30443, protocol: TCP}, {port: 53, protocol: UDP}]},
  status: {loadBalancer: {ingress: [{ip: "::1"}, {ip: 192.0.2.1, hostname: lb.example.com}]}}}`,
			"tcp://[::1]:443 tcp://lb.example.com:443 udp://[::1]:53 udp://lb.example.com:53"},
		{"pending", `{kind: Service, apiVersion: v1, spec: {type: LoadBalancer, ports: [{port: 443, protocol: TCP}]}}`, ""},
		{"ingress", `{kind: Ingress, apiVersion: networking.k8s.io/v1, spec: {tls: [{hosts: [a.example.com]}], rules: [{host: a.example.com}, {host: b.example.com}, {host: b.example.com}, {}]},
  status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}`, "https://a.example.com:443 http://b.example.com:80 http://192.0.2.1:80"},
		{"gateway", `{kind: Gateway, apiVersion: gateway.networking.k8s.io/v1, spec: {listeners: [{name: web, port: 8080, protocol: HTTP}, {name: tls, port: 443, protocol: HTTPS, hostname: "*.example.com"}]},
  status: {addresses: [{value: 192.0.2.1}]}}`, "http://192.0.2.1:8080 https://*.example.com:443"},
		{"someone else's", `{kind: Service, apiVersion: serving.knative.dev/v1, spec: {type: NodePort, ports: [{nodePort: 1}]}}`, ""},
	} {
		var got []string
		for _, e := range endpoints(parseObject(t, tt.object)) {
			got = append(got, e.String())
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: endpoints are %v, want %s", tt.name, got, tt.want)
		}
	}
	if endpoints(nil) != nil {
		t.Error("an object that is gone has endpoints")
	}
}

func TestWorstHealth(t *testing.T) {
	t.Parallel()
	l := LayerStatus{Health: Ready, Objects: []ObjectStatus{
		{ObjectRef: ObjectRef{Kind: "A", Name: "a"}, Health: Progressing, Message: "soon"},
		{ObjectRef: ObjectRef{Kind: "B", Name: "b"}, Health: Failed, Message: "never"},
		{ObjectRef: ObjectRef{Kind: "C", Name: "c"}, Health: Failed, Message: "too"},
	}}
	l.judge(&inventory.Layer{Ready: nine, Profile: profile.ID{Name: "p"}})
	if l.Health != Failed || l.Message != "B b: never" {
		t.Errorf("the layer is %s: %s", l.Health, l.Message)
	}
}
