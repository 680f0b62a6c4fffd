package reconciletest_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/strata-go/strata/reconcile/reconciletest"
)

func TestSimulationSmoke(t *testing.T) {
	var sim reconciletest.Simulation
	c, err := kubernetes.NewForConfig(sim.Config())
	if err != nil {
		t.Fatal(err)
	}
	_, lists, err := c.Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lists {
		t.Log(l.GroupVersion, len(l.APIResources))
	}
	for i := 0; i < 2; i++ {
		cm, err := c.CoreV1().ConfigMaps("default").Apply(t.Context(), v1.ConfigMap("a", "default").WithData(map[string]string{"a": "b"}), metav1.ApplyOptions{FieldManager: "me"})
		t.Logf("%+v %v", cm, err)
	}
}
