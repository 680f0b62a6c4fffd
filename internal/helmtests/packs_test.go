package helmtests

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/registry/registrytest"
)

// The hooks of real charts run as Helm runs them.
func TestHooksOfPacksAsHelm(t *testing.T) {
	t.Parallel()
	found, err := filepath.Glob(filepath.Join(realpacks.Dir(t), "*/charts/*.tgz"))
	if err != nil || len(found) < 100 {
		t.Fatalf("%d charts, %v", len(found), err)
	}
	server := registrytest.New(t)
	var compared atomic.Int32
	t.Run("charts", func(t *testing.T) {
		for i, file := range found {
			if testing.Short() && i%8 != 0 {
				continue
			}
			t.Run(filepath.Base(filepath.Dir(filepath.Dir(file)))+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				loaded := load(t, file)
				if !mentionsHooks(loaded) {
					return
				}
				c := packed(loaded)
				s := newByStrata(t, server, c)
				h, hooks := s.prepare(c)
				if hooks == 0 {
					return
				}
				compared.Add(1)
				compare(t, h, s)
			})
		}
	})
	t.Logf("%d charts have hooks", compared.Load())
}

func load(t *testing.T, file string) *chart.Chart {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := loader.LoadArchive(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mentionsHooks reports whether a chart, or one in it, may have hooks.
func mentionsHooks(c *chart.Chart) bool {
	return slices.ContainsFunc(c.Templates, func(f *chart.File) bool { return bytes.Contains(f.Data, []byte("helm.sh/hook")) }) ||
		slices.ContainsFunc(c.Dependencies(), mentionsHooks)
}

// packed returns the files of a chart, and the marker.
func packed(c *chart.Chart) testChart {
	var out testChart
	for _, f := range c.Raw {
		out.files = append(out.files, &loader.BufferedFile{Name: f.Name, Data: f.Data})
	}
	out.files = append(out.files, &loader.BufferedFile{Name: "templates/strata-marker.yaml", Data: []byte(marker)})
	return out
}

// prepare gives the cluster the kinds that a chart uses and nobody brings, tells
// Helm what the cluster has, and returns how many hooks the chart has. A chart
// that cannot be rendered has none.
func (s *byStrata) prepare(c testChart) (*byHelm, int) {
	s.Helper()
	for {
		h := newByHelm(s.T, c, s.capabilities())
		objects, err := h.rendered(life[0].values())
		if err != nil {
			s.Log(err)
			return h, 0
		}
		if !s.bring(h.cfg.Capabilities, objects) {
			return h, len(hooksIn(objects))
		}
	}
}

func hooksIn(objects []manifest.Object) []manifest.Object {
	var hooks []manifest.Object
	for _, o := range objects {
		if _, ok := o.GetAnnotations()[release.HookAnnotation]; ok {
			hooks = append(hooks, o)
		}
	}
	return hooks
}

// capabilities returns what Helm would find out about the cluster.
func (s *byStrata) capabilities() *chartutil.Capabilities {
	s.Helper()
	client, err := discovery.NewDiscoveryClientForConfig(s.cluster.Config())
	if err != nil {
		s.Fatal(err)
	}
	version, err := client.ServerVersion()
	if err != nil {
		s.Fatal(err)
	}
	served, err := action.GetVersionSet(client)
	if err != nil {
		s.Fatal(err)
	}
	return &chartutil.Capabilities{
		APIVersions: served, HelmVersion: chartutil.DefaultCapabilities.HelmVersion,
		KubeVersion: chartutil.KubeVersion{Version: version.GitVersion, Major: version.Major, Minor: version.Minor},
	}
}

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// bring makes definitions of kinds that the cluster does not have, and that
// objects do not bring. It reports whether there are any.
func (s *byStrata) bring(has *chartutil.Capabilities, objects []manifest.Object) bool {
	s.Helper()
	known := map[schema.GroupKind]bool{}
	for _, o := range objects {
		if o.GetKind() == "CustomResourceDefinition" {
			group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
			kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
			known[schema.GroupKind{Group: group, Kind: kind}] = true
		}
	}
	brought := false
	for _, o := range objects {
		gvk := o.GroupVersionKind()
		if known[gvk.GroupKind()] || has.APIVersions.Has(gvk.GroupVersion().String()+"/"+gvk.Kind) {
			continue
		}
		known[gvk.GroupKind()], brought = true, true
		if _, err := s.client.Resource(definitions).Create(s.Context(), definitionOf(gvk), metav1.CreateOptions{}); err != nil {
			s.Skipf("the cluster cannot have the kind %s: %v", gvk, err)
		}
	}
	return brought
}

func definitionOf(gvk schema.GroupVersionKind) *unstructured.Unstructured {
	plural := strings.ToLower(gvk.Kind) + "s"
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": plural + "." + gvk.Group},
		"spec": map[string]any{
			"group": gvk.Group, "scope": "Namespaced", "names": map[string]any{"kind": gvk.Kind, "plural": plural},
			"versions": []any{map[string]any{
				"name": gvk.Version, "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
			}},
		},
	}}
}
