package manifest_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/manifest"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	given := []string{
		"admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration w", "apiregistration.k8s.io/v1 APIService v1.x",
		"example.com/v1 Service custom", "networking.k8s.io/v1 Ingress i", "batch/v1 Job j", "apps/v1 Deployment d2",
		"apps/v1 Deployment d1", "v1 Service s", "rbac.authorization.k8s.io/v1 RoleBinding b",
		"rbac.authorization.k8s.io/v1beta1 Role r", "v1 PersistentVolumeClaim p", "v1 ConfigMap c", "v1 Secret s",
		"v1 ServiceAccount a", "apiextensions.k8s.io/v1 CustomResourceDefinition crd", "v1 LimitRange l", "v1 Namespace n",
	}
	objects := parse(t, given...)
	var got []string
	for _, o := range manifest.Order(objects) {
		got = append(got, o.GetAPIVersion()+" "+o.GetKind()+" "+o.GetName())
	}
	want := slices.Clone(given)
	slices.Reverse(want)
	// What is in one batch keeps its order.
	i := slices.Index(want, "apps/v1 Deployment d1")
	want[i], want[i+1] = want[i+1], want[i]
	i = slices.Index(want, "v1 Secret s")
	want[i], want[i+1] = want[i+1], want[i]
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if objects[0].GetName() != "w" {
		t.Error("the given slice was changed")
	}
}

func TestBatchOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		group, kind string
		want        manifest.Batch
	}{
		{"", "Namespace", manifest.Namespaces},
		{"apps", "StatefulSet", manifest.Workloads},
		{"serving.knative.dev", "Service", manifest.CustomResources},
		{"cert-manager.io", "Certificate", manifest.CustomResources},
		{"project.openshift.io", "Namespace", manifest.CustomResources},
	}
	for _, tt := range tests {
		if got := manifest.BatchOf(schema.GroupKind{Group: tt.group, Kind: tt.kind}); got != tt.want {
			t.Errorf("%s/%s is in batch %d, want %d", tt.group, tt.kind, got, tt.want)
		}
	}
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	if found := manifest.Duplicates(parse(t, "v1 Pod a", "v1 Pod b", "v1 Service a")); found != nil {
		t.Errorf("found %v among different objects", found)
	}
	objects := parse(t, "apps/v1 Deployment b", "v1 Pod a", "v1 Pod a", "apps/v1beta1 Deployment b", "v1 Pod a")
	objects[2].SetNamespace("n")
	var got []string
	for _, d := range manifest.Duplicates(objects) {
		for _, o := range d.Objects {
			got = append(got, d.Key.String()+" of "+o.Source)
		}
	}
	want := []string{"Deployment.apps b of doc0", "Deployment.apps b of doc3", "Pod a of doc1", "Pod a of doc4"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// parse makes one object of each "apiVersion kind name", of source doc<index>.
func parse(t *testing.T, specs ...string) []manifest.Object {
	t.Helper()
	var objects []manifest.Object
	for i, spec := range specs {
		f := strings.Fields(spec)
		doc := "{apiVersion: " + f[0] + ", kind: " + f[1] + ", metadata: {name: \"" + f[2] + "\"}}"
		parsed, err := manifest.Parse("doc"+strconv.Itoa(i), []byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, parsed...)
	}
	return objects
}
