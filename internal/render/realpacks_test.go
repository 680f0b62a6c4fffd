package render_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
)

func realPack(t *testing.T, folder, values string) render.Input {
	t.Helper()
	packs := realpacks.Dir(t)
	macro := regexp.MustCompile(`\{\{ *\.spectro[^}]*\}\}`)
	return render.Input{
		Layer:        layer.Layer{Name: "l", Source: layer.Source{Pack: &layer.Pack{Name: folder}}},
		Values:       []byte(values),
		Bind:         func(doc []byte) ([]byte, error) { return macro.ReplaceAll(doc, []byte("1.33")), nil },
		Content:      os.DirFS(filepath.Join(packs, folder)),
		Capabilities: helm.Capabilities{KubeVersion: "v1.33.1"},
	}
}

func TestRealPacks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		folder, values string
		releases       []string
		namespaces     []string
		has            []string // some of the objects
	}{
		{"hello-universe-1.3.1", "", nil, nil, []string{
			"Namespace hello-universe in default",
			"Deployment.apps hello-universe/hello-universe-deployment in default"}},
		{"multus-3.9.0", "", nil, []string{"kube-system [] []"}, []string{
			"CustomResourceDefinition.apiextensions.k8s.io network-attachment-definitions.k8s.cni.cncf.io in kube-system",
			"DaemonSet.apps kube-system/kube-multus-ds in kube-system"}},
		{"piraeus-operator-2.9.0", "charts: {piraeus-cluster: {cluster: {masterPassphrase: {value: x}}}}",
			[]string{"piraeus", "linstor-gui", "piraeus-cluster", "piraeus-dashboard"},
			[]string{"piraeus-system [pod-security.kubernetes.io/enforce=privileged pod-security.kubernetes.io/enforce-version=v1.33] []"},
			[]string{"LinstorCluster.piraeus.io piraeus-system/linstorcluster in piraeus-system of piraeus-cluster"}},
		{"kubeflow-1.9.1", "", []string{"kubeflow-metacontroller", "kubeflow", "kubeflow-kserve", "kubeflow-profile"}, nil, nil},
		{"crossplane-2.3.0", "", []string{"crossplane-crossplane"}, nil,
			[]string{"Deployment.apps crossplane-system/crossplane in crossplane-system of crossplane-crossplane"}},
		{"kyverno-1.12.2", "", []string{"kyverno-kyverno"}, nil, nil},
		{"nvidia-network-operator-25.10.0", "", []string{"network-operator"}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.folder, func(t *testing.T) {
			t.Parallel()
			out := run(t, realPack(t, tt.folder, tt.values))
			var releases []string
			for _, r := range out.Releases {
				releases = append(releases, r.Name)
			}
			equal(t, "releases", releases, tt.releases)
			if tt.namespaces != nil {
				equal(t, "namespaces", namespaces(out), tt.namespaces)
			}
			all := describe(out.Objects)
			for _, object := range tt.has {
				if !slices.Contains(all, object) {
					t.Errorf("no %s in %q", object, all)
				}
			}
		})
	}
}

// A template of this pack is broken: "{- end}" ends nothing.
func TestRealPackWithBrokenTemplate(t *testing.T) {
	t.Parallel()
	_, err := render.Layer(t.Context(), realPack(t, "external-snapshotter-4.0.1", ""))
	var failure *helm.TemplateError
	if !errors.As(err, &failure) {
		t.Fatalf("%v wraps no TemplateError", err)
	}
	if failure.Template != "manifests/vsclass.yaml" || failure.Line == 0 || !strings.HasPrefix(err.Error(), "pack external-snapshotter-4.0.1: manifests/vsclass.yaml:") {
		t.Errorf("got %v", err)
	}
}
