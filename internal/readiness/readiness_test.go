package readiness

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/layer"
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
		{"deployment over quota", `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, generation: 1}
spec: {replicas: 1}
status:
  observedGeneration: 1
  conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, message: exceeded quota}]`, Failed},
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
			if got := Compute(object(t, tt.object)); got.Health != tt.want {
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

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	// Not into a map: the API machinery wants whole numbers as int64.
	o := new(unstructured.Unstructured)
	if err := o.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		`{}`: "",
		`{containerStatuses: [{name: main, state: {running: {}}}]}`:                                                      "",
		`{containerStatuses: [{name: main, state: {waiting: {reason: ContainerCreating}}}]}`:                             "",
		`{containerStatuses: [{name: main, state: {waiting: {reason: ErrImagePull}}}]}`:                                  "", // it is tried again
		`{containerStatuses: [{name: main, state: {waiting: {reason: ImagePullBackOff, message: not found}}}]}`:          "container main of pod p: ImagePullBackOff: not found",
		`{initContainerStatuses: [{name: init, state: {waiting: {reason: CreateContainerConfigError, message: no x}}}]}`: "container init of pod p: CreateContainerConfigError: no x",
	} {
		pod := object(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nstatus: "+status)
		if got := Diagnose(pod); got != want {
			t.Errorf("%s: Diagnose = %q, want %q", status, got, want)
		}
	}
}

func TestChecker(t *testing.T) {
	t.Parallel()
	o := object(t, "apiVersion: x.io/v1\nkind: X\nmetadata: {name: a}\nstatus: {phase: Up, count: 3, conditions: [{type: Ready, status: 'True'}, {list: [[1, 2]]}]}")
	for _, tt := range []struct {
		check layer.Check
		want  Health
	}{
		{layer.Check{}, Ready},
		{layer.Check{Fields: []layer.Expectation{{Path: "status.phase", Value: "Up"}, {Path: "status.conditions[0].status", Value: "True"}}}, Ready},
		{layer.Check{Fields: []layer.Expectation{{Path: "status.conditions[1].list[0][1]", Value: "2"}}}, Ready},
		{layer.Check{Fields: []layer.Expectation{{Path: "status.phase", Value: "Down"}}}, Progressing},
		{layer.Check{Fields: []layer.Expectation{{Path: "status.conditions[7].status", Value: "True"}}}, Progressing},
		{layer.Check{Fields: []layer.Expectation{{Path: "status.phase.more", Value: "x"}}}, Progressing},
		{layer.Check{Expression: "self.status.count >= 3 && self.status.phase == 'Up'"}, Ready},
		{layer.Check{Expression: "self.status.count > 3"}, Progressing},
		{layer.Check{Expression: "self.status.missing == 1"}, Progressing},
	} {
		c, err := NewChecker(tt.check)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.State(o); got.Health != tt.want {
			t.Errorf("%+v: State = %+v, want %s", tt.check, got, tt.want)
		}
	}
	for _, expression := range []string{"self.", "1 + 1", "unknown == 1"} {
		if _, err := NewChecker(layer.Check{Name: "bad", Expression: expression}); err == nil {
			t.Errorf("the expression %q has no error", expression)
		}
	}
}
