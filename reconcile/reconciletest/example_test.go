package reconciletest_test

import (
	"context"
	"fmt"
	"log"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

const shopProfile = `
apiVersion: strata.dev/v1alpha1
kind: ClusterProfile
metadata: {name: shop}
spec:
  version: 1.0.0
  type: add-on
  layers:
  - name: settings
    namespace: shop
    manifests:
      inline:
      - name: settings
        content: |
          apiVersion: v1
          kind: ConfigMap
          metadata: {name: settings}
          data: {greeting: hello}
`

// A profile is installed on a cluster of this process; then somebody edits what
// it installed, and the server is too busy to have it mended at once.
func ExampleSimulation() {
	ctx := context.Background()
	p, err := profile.Parse([]byte(shopProfile))
	if err != nil {
		log.Fatal(err)
	}
	desired, err := profile.Resolve(ctx, nil, nil, p)
	if err != nil {
		log.Fatal(err)
	}
	var cluster reconciletest.Simulation
	var faults reconciletest.Faults
	config := cluster.Config()
	config.Wrap(faults.Wrap)
	target := reconcile.Target{Config: config}
	var engine reconcile.Reconciler
	result, err := engine.Converge(ctx, target, desired)
	fmt.Println("installed:", result.Ready, err)

	somebody, err := kubernetes.NewForConfig(cluster.Config())
	if err != nil {
		log.Fatal(err)
	}
	maps := somebody.CoreV1().ConfigMaps("shop")
	if _, err := maps.Patch(ctx, "settings", types.MergePatchType, []byte(`{"data": {"greeting": "bye"}}`), metav1.PatchOptions{FieldManager: "somebody"}); err != nil {
		log.Fatal(err)
	}
	faults.Play(reconciletest.Rule{
		Method: "PATCH", Path: "configmaps/settings", When: reconciletest.Request.Write,
		Fault: reconciletest.Answer(apierrors.NewServiceUnavailable("busy")),
	})
	result, err = engine.Converge(ctx, target, desired)
	fmt.Println("mended:", result.Count(reconcile.Repair), err)
	settings, err := maps.Get(ctx, "settings", metav1.GetOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(settings.Data["greeting"])
	// Output:
	// installed: true <nil>
	// mended: 1 <nil>
	// hello
}
