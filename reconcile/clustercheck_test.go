package reconcile_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

// Layers that describe the cluster are held against what it reports.
func TestE2EMismatch(t *testing.T) {
	l := newLife(t, "mismatch")
	client := l.server.Client()
	for _, p := range [][2]string{{"ubuntu", "os"}, {"kubernetes", "k8s"}} {
		if _, err := client.PushPack(l.ctx, l.server.URL, plainPack(p[0], "22.4", p[1])); err != nil {
			t.Fatal(err)
		}
	}
	of := func(name string, kind layer.Kind) layer.Layer {
		return layer.Layer{Name: name, Kind: kind, Source: layer.Source{Pack: &layer.Pack{Name: name, Version: "22.4"}}}
	}
	network, storage := plain("network", configMap("mismatch-net")), plain("storage", configMap("mismatch-csi"))
	network.Kind, storage.Kind = layer.Network, layer.Storage
	d, err := profile.Resolve(l.ctx, client, nil, &profile.Profile{
		Name: "infra", Version: "1.0.0", Type: profile.Infrastructure, Layers: []layer.Layer{of("ubuntu", layer.OS), of("kubernetes", layer.Kubernetes), network, storage},
	})
	if err != nil {
		t.Fatal(err)
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "mismatch"}, Spec: corev1.NodeSpec{Unschedulable: true}}
	node.Status.NodeInfo.OSImage = "Debian GNU/Linux 12 (bookworm)"
	if _, err := l.kube.CoreV1().Nodes().Create(l.ctx, node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	l.engine.RefuseMismatch = true
	e := asError[*reconcile.MismatchError](t, l.fails(d))
	if len(e.Mismatches) != 2 || e.Mismatches[0].Have != "Debian GNU/Linux 12 (bookworm)" || e.Mismatches[0].Nodes[0] != "mismatch" || e.Mismatches[1].Kind != layer.Kubernetes {
		t.Errorf("mismatches are %+v", e.Mismatches)
	}
	l.wroteNothing()
	l.engine.RefuseMismatch = false
	if result := l.converge(d); len(result.Warnings) != 2 || !strings.Contains(result.Warnings[1], "wants kubernetes 22.4, and the cluster has Kubernetes v1.") {
		t.Errorf("warnings are %q", result.Warnings)
	}
	status, err := l.engine.Status(l.ctx, l.target)
	if err != nil || status.Ready() {
		t.Fatalf("Status = %v, %v; want it not ready", status, err)
	}
	for _, one := range status.Layers[:2] {
		if one.Health != reconcile.Drifted || !strings.Contains(one.Message, "wants "+one.Name) {
			t.Errorf("layer %s is %s: %s", one.Name, one.Health, one.Message)
		}
	}
	l.rec.take()
	if _, err := l.engine.Reconcile(l.ctx, l.target, d); err != nil {
		t.Fatal(err)
	}
	if all, _ := l.rec.take(); len(all) > 3 {
		t.Errorf("with nothing to do, the requests are %v", all)
	}
	if err := l.kube.CoreV1().Nodes().Delete(l.ctx, "mismatch", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	l.removes()
}
