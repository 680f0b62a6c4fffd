package compat

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
	"github.com/strata-go/strata/registry/registrytest"
)

// A pair is a pack that looks at the cluster, with values, and what is below it.
type pair struct {
	name, values string
	below        func(*testing.T) string // manifests
	owner        string                  // the layer that has the object then
	resource     schema.GroupVersionResource
	object       string // namespace and name
}

var (
	monitors   = schema.GroupVersionResource{Group: "monitoring.coreos.com", Version: "v1", Resource: "servicemonitors"}
	namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
)

// pairs are charts that ask for the API of Prometheus' operator, upon its
// definitions, and charts that make a namespace if they find none, upon one.
var pairs = []pair{
	{"fluentbit-5.0.5", "charts: {fluent-bit: {serviceMonitor: {enabled: true}}}", monitoring, "pack-1", monitors, "fluent-bit/fluent-bit"},
	{"haproxy-ingress-1.49.0", "charts: {kubernetes-ingress: {controller: {serviceMonitor: {enabled: true}}}}", monitoring, "pack-1", monitors, "haproxy-system/kubernetes-ingress"},
	{"hitachi-hspc-3.14.3", "", func(*testing.T) string {
		return "apiVersion: v1\nkind: Namespace\nmetadata: {name: hspc-system}\n"
	}, "pack-0", namespaces, "/hspc-system"},
}

// monitoring returns the definitions that a chart of the catalogue brings.
func monitoring(t *testing.T) string {
	charts, err := filepath.Glob(filepath.Join(realpacks.Dir(t), "nvidia-ovn-kubernetes-25.7.0", "charts", "*.tgz"))
	if err != nil || len(charts) != 1 {
		t.Fatal(charts, err)
	}
	file, err := os.Open(charts[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fsys, err := archive.ReadTarGz(file, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(fsys, "*/crds/monitoring.coreos.com_*.yaml")
	if err != nil || len(names) != 2 {
		t.Fatal(names, err)
	}
	var text strings.Builder
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n" + string(data))
	}
	return text.String()
}

// A pack sees at once what the same plan has below it, and the next pass changes
// nothing.
func TestE2ERealPairs(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the control plane: run without -short")
	}
	dir := realpacks.Dir(t)
	config := reconciletest.ControlPlane(t)
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{server: registrytest.New(t), target: reconcile.Target{Config: config}, client: client}
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			files, _ := renderable(t, filepath.Join(dir, p.name))
			above := c.push(t, files)
			above.Values = p.values
			below := layer.Layer{Source: layer.Source{Manifests: &layer.Manifests{Inline: []layer.Manifest{{Name: "below", Content: p.below(t)}}}}}
			d := c.resolve(t, below, above)
			engine := &reconcile.Reconciler{Fetcher: c.server.Client(), Prune: reconcile.PrunePolicy{CustomResourceDefinitions: true, PersistentVolumeClaims: true}}
			defer c.clear(t, engine)
			plan, err := engine.Plan(t.Context(), c.target, d)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.applied(t.Context(), t, engine, d); err != nil {
				t.Fatal(err)
			}
			again, err := engine.Reconcile(t.Context(), c.target, d)
			if err != nil || again.Cost.Writes > 0 || len(again.Steps) > 0 {
				t.Errorf("the second pass: %d writes, %+v, %v", again.Cost.Writes, again.Steps, err)
			}
			o, err := client.Resource(p.resource).Namespace(strings.Trim(path.Dir(p.object), "/")).Get(t.Context(), path.Base(p.object), metav1.GetOptions{})
			if err != nil {
				t.Fatalf("%v\n%s", err, plan)
			}
			if owner := o.GetLabels()["strata.dev/layer"]; owner != p.owner {
				t.Errorf("%s is of layer %q, want %q", p.object, owner, p.owner)
			}
		})
	}
}
