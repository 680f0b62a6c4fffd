package readiness

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func TestCompute(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, object string
		want         Health
	}{
		{"config map", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}", Ready},
		{"deployment not observed", `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, generation: 2}
spec: {replicas: 1}
status: {observedGeneration: 1, replicas: 1, readyReplicas: 1, availableReplicas: 1, updatedReplicas: 1}`, Progressing},
		{"deployment available", `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, generation: 2}
spec: {replicas: 1}
status:
  observedGeneration: 2
  replicas: 1
  readyReplicas: 1
  availableReplicas: 1
  updatedReplicas: 1
  conditions: [{type: Available, status: "True"}]`, Ready},
		{"deployment past its deadline", `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, generation: 2}
spec: {replicas: 1, progressDeadlineSeconds: 10}
status:
  observedGeneration: 2
  conditions: [{type: Progressing, status: "False", reason: ProgressDeadlineExceeded}]`, Failed},
		{"job running", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nstatus: {startTime: x, active: 1}", Progressing},
		{"job complete", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nstatus: {startTime: x, conditions: [{type: Complete, status: 'True'}]}", Ready},
		{"job failed", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nstatus: {startTime: x, conditions: [{type: Failed, status: 'True'}]}", Failed},
		{"CRD not established", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}", Progressing},
		{"CRD established", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nstatus: {conditions: [{type: Established, status: 'True'}]}", Ready},
		{"custom resource that says nothing", "apiVersion: x.io/v1\nkind: X\nmetadata: {name: a}", Ready},
		{"custom resource not ready", "apiVersion: x.io/v1\nkind: X\nmetadata: {name: a}\nstatus: {conditions: [{type: Ready, status: 'False'}]}", Progressing},
		{"being deleted", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, deletionTimestamp: '2026-01-01T00:00:00Z'}", Progressing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var o unstructured.Unstructured
			data, err := yaml.YAMLToJSON([]byte(tt.object))
			if err != nil {
				t.Fatal(err)
			}
			// Not into a map: the API machinery wants whole numbers as int64.
			if err := o.UnmarshalJSON(data); err != nil {
				t.Fatal(err)
			}
			if got := Compute(&o); got.Health != tt.want {
				t.Errorf("Compute = %+v, want %s", got, tt.want)
			}
		})
	}
}

// What is said to be ready without being read must be ready when it is read.
func TestInertIsReady(t *testing.T) {
	t.Parallel()
	for kind := range inert {
		o := &unstructured.Unstructured{}
		o.SetGroupVersionKind(kind.WithVersion("v1"))
		o.SetName("a")
		if got := Compute(o); got.Health != Ready {
			t.Errorf("%s: Compute = %+v, want %s", kind, got, Ready)
		}
	}
}
