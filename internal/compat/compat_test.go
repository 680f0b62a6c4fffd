package compat

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack/packlint"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
	"github.com/strata-go/strata/registry/registrytest"
)

// workers is how many control planes share the work.
const workers = 3

// needs says which other pack of the catalogue has the kinds that a pack uses.
var needs = map[string]string{
	"elastic-stack-0.10.0": "elastic-operator-2.12.1",
	"elastic-stack-0.15.0": "elastic-operator-3.0.0",
	"elastic-stack-0.16.0": "elastic-operator-3.1.0",
	"elastic-stack-0.17.0": "elastic-operator-3.2.0",
	"elastic-stack-0.18.0": "elastic-operator-3.3.0",
	"elastic-stack-0.18.1": "elastic-operator-3.3.1",
	"elastic-stack-0.18.2": "elastic-operator-3.3.2",
	"elastic-stack-0.19.0": "elastic-operator-3.4.0",
}

// rejected says why the API server does not take a pack: it has not, or has no
// longer, the kind; an object is not valid; nobody made the namespace.
var rejected = map[string]string{
	"ambassador-6.6.0":                       "the cluster has no kind CustomResourceDefinition in apiextensions.k8s.io/v1beta1",
	"cks-trivy-0.4.12":                       "the cluster has no kind PodSecurityPolicy in policy/v1beta1",
	"haproxy-unified-gateway-1.0.1":          "the cluster has no kind HugConf in gate.v3.haproxy.org/v3",
	"kubeflow-1.9.1":                         "the cluster has no kind AuthorizationPolicy in security.istio.io/v1beta1",
	"kubehunter-1.0.3":                       "the cluster has no kind CronJob in batch/v1beta1",
	"kubevirt-csi-driver-infra-add-on-1.0.0": `namespaces "virtual-machines" not found`,
	"kubevirt-csi-driver-infra-add-on-1.0.1": `namespaces "virtual-machines" not found`,
	"kubewatch-1.0.7":                        "the cluster has no kind ClusterRoleBinding in rbac.authorization.k8s.io/v1beta1",
	"local-ai-2.18.1":                        `spec.storageClassName: Invalid value: "hostPath"`,
	"nvidia-dpf-deployment-25.10.1":          "the cluster has no kind BFB in provisioning.dpu.nvidia.com/v1alpha1",
	"nvidia-dpf-deployment-25.7.0":           "the cluster has no kind BFB in provisioning.dpu.nvidia.com/v1alpha1",
	"nvidia-dpf-operator-25.10.1":            "the cluster has no kind NodeFeatureRule in nfd.k8s-sigs.io/v1alpha1",
	"nvidia-dpf-operator-25.7.0":             "the cluster has no kind NodeFeatureRule in nfd.k8s-sigs.io/v1alpha1",
	"nvidia-dpf-prereqs-25.10.1":             "the cluster has no kind Certificate in cert-manager.io/v1",
	"nvidia-dpf-prereqs-25.7.0":              "the cluster has no kind Certificate in cert-manager.io/v1",
	"nvidia-nvsentinel-v1.1.0":               "the cluster has no kind PodMonitor in monitoring.coreos.com/v1",
	"nvidia-vss-application-1.0.0":           ".securityContext.fsGroup: field not declared in schema",
	"vmo-ns-mgmt-1.0.3":                      `namespaces "vmo-golden-images" not found`,
}

// Every pack of the catalogue with a chart that renders with default values is
// installed, and a second pass changes nothing.
func TestE2ERealPacks(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the control plane: run without -short")
	}
	dir := realpacks.Dir(t)
	folders, err := filepath.Glob(filepath.Join(dir, "*", "pack.json"))
	if err != nil || len(folders) != 199 {
		t.Fatalf("%d packs in %s: %v", len(folders), dir, err)
	}
	idle := make(chan *cluster, workers)
	server := registrytest.New(t)
	var installed atomic.Int32
	for range workers {
		config := reconciletest.ControlPlane(t)
		client, err := dynamic.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		idle <- &cluster{server, reconcile.Target{Config: config}, client, &installed}
	}
	t.Run("packs", func(t *testing.T) {
		for _, file := range folders {
			name := filepath.Base(filepath.Dir(file))
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				files, charts := renderable(t, filepath.Join(dir, name))
				if charts == 0 {
					return // package packlint tests which those are
				}
				c := <-idle
				defer func() { idle <- c }()
				layers := []layer.Layer{c.push(t, files)}
				if needed := needs[name]; needed != "" {
					below, _ := renderable(t, filepath.Join(dir, needed))
					layers = []layer.Layer{c.push(t, below), layers[0]}
				}
				c.install(t, c.resolve(t, layers...), rejected[name])
			})
		}
	})
	t.Logf("%d packs are installed, %d are rejected", installed.Load(), len(rejected))
}

// renderable returns a pack without what cannot be rendered with default
// values, and how many charts it has.
func renderable(t *testing.T, folder string) (fs.FS, int) {
	t.Helper()
	report, err := packlint.Check(t.Context(), os.DirFS(folder), packlint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	err = fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "schema.yaml" {
			return err // the schemas of some packs ask for values
		}
		data, err := fs.ReadFile(os.DirFS(folder), name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var packJSON map[string]any
	if err := json.Unmarshal(files["pack.json"].Data, &packJSON); err != nil {
		t.Fatal(err)
	}
	delete(packJSON, "constraints") // some ask for other packs
	var named []string
	for _, c := range report.Charts {
		if c.Err == nil {
			named = append(named, c.File)
		}
	}
	packJSON["charts"] = named
	if files["pack.json"].Data, err = json.Marshal(packJSON); err != nil {
		t.Fatal(err)
	}
	return files, len(named)
}

type cluster struct {
	server    *registrytest.Server
	target    reconcile.Target
	client    dynamic.Interface
	installed *atomic.Int32
}

// push pushes a pack, and returns a layer of it.
func (c *cluster) push(t *testing.T, files fs.FS) layer.Layer {
	t.Helper()
	pin, err := c.server.Client().PushPack(t.Context(), c.server.URL, files)
	if err != nil {
		t.Fatal(err)
	}
	return layer.Layer{Source: layer.Source{Pack: &layer.Pack{Registry: c.server.URL, Name: pin.Name, Version: pin.Version}}}
}

// resolve resolves a stack of layers, one upon the other.
func (c *cluster) resolve(t *testing.T, layers ...layer.Layer) *profile.Desired {
	t.Helper()
	stack := &profile.Profile{Name: "compat", Version: "1.0.0", Type: profile.AddOn, Layers: layers}
	for i := range layers {
		layers[i].Name, layers[i].InstallOrder = "pack-"+strconv.Itoa(i), i
	}
	for _, name := range []string{"NGC_API_KEY", "sedaiBaseUrl", "sedaiApiToken", "clusterProvider"} {
		stack.Variables = append(stack.Variables, profile.Variable{Name: name, Default: "v"})
	}
	s := &profile.Stack{Profiles: []*profile.Profile{stack}, System: map[string]string{
		"kubernetes.version": "1.36.3", "cluster.name": "prod", "cluster.uid": "u", "cluster.kubevip": "10.0.0.1",
	}}
	desired, err := s.Resolve(t.Context(), c.server.Client(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return desired
}

// install installs a pack, and deletes it again.
func (c *cluster) install(t *testing.T, d *profile.Desired, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	engine := &reconcile.Reconciler{Fetcher: c.server.Client(), Prune: reconcile.PrunePolicy{CustomResourceDefinitions: true, PersistentVolumeClaims: true}}
	defer c.clear(t, engine)
	err := c.applied(ctx, t, engine, d)
	if want != "" {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	again, err := engine.Reconcile(ctx, c.target, d)
	if err != nil || again.Cost.Writes > 0 || len(again.Steps) > 0 {
		t.Errorf("the second pass: %d writes, %+v, %v", again.Cost.Writes, again.Steps, err)
	}
	c.installed.Add(1)
}

// applied makes passes until all is ready, or one writes nothing: what is in the
// images does not run, so that not all becomes ready. A pass after the first may
// make what is yet missing; it has no reason to change what is there.
func (c *cluster) applied(ctx context.Context, t *testing.T, engine *reconcile.Reconciler, d *profile.Desired) error {
	t.Helper()
	for {
		patience, stop := context.WithTimeout(ctx, 20*time.Second)
		_, err := engine.Converge(patience, c.target, d)
		stop()
		if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "not found") {
			return err
		}
		t.Log(err)
		result, err := engine.Reconcile(ctx, c.target, d)
		if n := result.Count(reconcile.Update) + result.Count(reconcile.Repair); n > 0 {
			t.Errorf("a later pass changed %d objects: %+v", n, result.Steps)
		}
		if err != nil || result.Cost.Writes == 0 {
			return err
		}
	}
}

// clear deletes the installation, and what it keeps.
func (c *cluster) clear(t *testing.T, engine *reconcile.Reconciler) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 3*time.Minute)
	defer cancel()
	result, err := engine.DeleteAndWait(ctx, c.target)
	if err != nil {
		t.Errorf("deleting: %v", err)
	}
	for _, kept := range result.Kept {
		if kept.Object.Kind != "CustomResourceDefinition" {
			continue
		}
		if err := c.client.Resource(definitions).Delete(ctx, kept.Object.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("deleting: %v", err)
		}
	}
}

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
