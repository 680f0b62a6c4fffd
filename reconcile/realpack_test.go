package reconcile_test

import (
	"os"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// A real pack goes the whole way: pushed, resolved by a constraint, reconciled.
func TestE2ERealPack(t *testing.T) {
	packs := realpacks.Dir(t)
	l := newLife(t, "real")
	pin, err := l.server.Client().PushPack(l.ctx, l.server.URL, os.DirFS(filepath.Join(packs, "hello-universe-1.3.1")))
	if err != nil {
		t.Fatal(err)
	}
	p := &profile.Profile{Name: "real", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{{
		Name: "hello", Source: layer.Source{Pack: &layer.Pack{Registry: l.server.URL, Name: "hello-universe", Version: "~1.3"}},
		Values: "manifests:\n  hello-universe:\n    replicas: 3\n",
	}}}
	desired, err := profile.Resolve(l.ctx, l.server.Client(), nil, p)
	if err != nil {
		t.Fatal(err)
	}
	if got := desired.Layers()[0].Pin; got.Digest != pin.Digest || got.Resolved != "1.3.1" {
		t.Errorf("resolved to %v, want what was pushed, %v", got, pin)
	}
	l.converge(desired)
	d, err := l.kube.AppsV1().Deployments("hello-universe").Get(l.ctx, "hello-universe-deployment", metav1.GetOptions{})
	if err != nil || d.Status.AvailableReplicas != 3 {
		t.Errorf("the deployment has %d replicas available, %v; want 3", d.Status.AvailableReplicas, err)
	}
	service, err := l.kube.CoreV1().Services("hello-universe").Get(l.ctx, "hello-universe-service", metav1.GetOptions{})
	if err != nil || len(service.Status.LoadBalancer.Ingress) == 0 {
		t.Errorf("the service has no address: %+v, %v", service.Status, err)
	}
	if _, err := l.engine.DeleteAndWait(l.ctx, l.target); err != nil {
		t.Error(err)
	}
}
