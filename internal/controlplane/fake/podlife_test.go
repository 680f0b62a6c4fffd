package fake

import (
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	service = corev1.RestartPolicyAlways
	task    = corev1.RestartPolicyNever
)

func podWith(policy corev1.RestartPolicy, annotations ...string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "1", Generation: 3, Annotations: map[string]string{}},
		Spec: corev1.PodSpec{
			RestartPolicy:  policy,
			InitContainers: []corev1.Container{{Name: "init"}},
			Containers:     []corev1.Container{{Name: "main"}},
		},
	}
	for i := 0; i < len(annotations); i += 2 {
		pod.Annotations["strata.dev/test-"+annotations[i]] = annotations[i+1]
	}
	return pod
}

func TestDecide(t *testing.T) {
	running := life{phase: corev1.PodRunning}
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		age  time.Duration
		want life
	}{
		"service":                            {podWith(service), 0, life{phase: corev1.PodRunning, ready: true}},
		"task":                               {podWith(task), 0, life{phase: corev1.PodSucceeded}},
		"service fails":                      {podWith(service, "fail", "true"), time.Hour, running},
		"task fails":                         {podWith(task, "fail", "true"), 0, life{phase: corev1.PodFailed}},
		"fault is switched off":              {podWith(task, "fail", "false"), 0, life{phase: corev1.PodSucceeded}},
		"pending":                            {podWith(service, "pending", "true"), time.Hour, life{unreported: true}},
		"not yet ready":                      {podWith(service, "ready-after", "2s"), time.Second, life{phase: corev1.PodRunning, again: time.Second}},
		"ready by now":                       {podWith(service, "ready-after", "2s"), 2 * time.Second, life{phase: corev1.PodRunning, ready: true}},
		"not yet finished":                   {podWith(task, "finish-after", "2s"), time.Second, life{phase: corev1.PodRunning, ready: true, again: time.Second}},
		"finished by now":                    {podWith(task, "finish-after", "2s"), 2 * time.Second, life{phase: corev1.PodSucceeded}},
		"fails in the end":                   {podWith(task, "finish-after", "2s", "fail", "true"), 2 * time.Second, life{phase: corev1.PodFailed}},
		"fails, but not yet":                 {podWith(task, "finish-after", "2s", "fail", "true"), 0, life{phase: corev1.PodRunning, again: 2 * time.Second}},
		"ready, then finishes":               {podWith(task, "ready-after", "1s", "finish-after", "3s"), 0, life{phase: corev1.PodRunning, again: time.Second}},
		"crashes":                            {podWith(task, "crash", "main"), time.Hour, life{phase: corev1.PodRunning, crash: "main"}},
		"crashes at first":                   {podWith(task, "crash", "init"), 0, life{phase: corev1.PodPending, waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}, crash: "init"}},
		"crashed once":                       {podWith(task, "restarted", "main", "finish-after", "1h"), time.Hour - time.Second, life{phase: corev1.PodRunning, ready: true, again: time.Second, restarted: "main"}},
		"finish does not apply to a service": {podWith(service, "finish-after", "1s"), time.Hour, life{phase: corev1.PodRunning, ready: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := decide(test.pod, test.age); !reflect.DeepEqual(got, test.want) {
				t.Errorf("decide: %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestDecideWaits(t *testing.T) {
	for name, test := range map[string]struct {
		pod             *corev1.Pod
		reason, message string
	}{
		"image pull":   {podWith(task, "image-pull", "fail"), "ImagePullBackOff", "image"},
		"no duration":  {podWith(service, "ready-after", "2"), "CreateContainerConfigError", "test-ready-after"},
		"no such mode": {podWith(service, "image-pull", "slow"), "CreateContainerConfigError", `"slow" is not "fail"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := decide(test.pod, time.Hour)
			if got.phase != corev1.PodPending || got.ready || got.waiting == nil {
				t.Fatalf("decide: %+v, want it waiting", got)
			}
			if got.waiting.Reason != test.reason || !strings.Contains(got.waiting.Message, test.message) {
				t.Errorf("it waits with %s: %s, want %s and %q", got.waiting.Reason, got.waiting.Message, test.reason, test.message)
			}
		})
	}
}

// A status that is reported again must not change, or every report would cause
// the next one.
func TestStatusIsStable(t *testing.T) {
	started := &startedPod{uid: "1", ip: "10.244.0.1", at: time.Now()}
	for name, pod := range map[string]*corev1.Pod{
		"ready":     podWith(service),
		"not ready": podWith(service, "fail", "true"),
		"waiting":   podWith(service, "image-pull", "fail"),
	} {
		t.Run(name, func(t *testing.T) {
			pod.Status = *statusOf(pod, decide(pod, 0), started)
			again := statusOf(pod, decide(pod, 0), started)
			if !equality.Semantic.DeepEqual(&pod.Status, again) {
				t.Errorf("the status changes from %+v to %+v", pod.Status, again)
			}
		})
	}
}

func TestStatusKeepsForeignConditions(t *testing.T) {
	pod := podWith(service)
	pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/open"}}
	pod.Status.Conditions = []corev1.PodCondition{{Type: "example.com/open", Status: corev1.ConditionTrue}}
	status := statusOf(pod, decide(pod, 0), &startedPod{})
	got := map[corev1.PodConditionType]corev1.ConditionStatus{}
	for _, c := range status.Conditions {
		got[c.Type] = c.Status
	}
	if got["example.com/open"] != corev1.ConditionTrue || got[corev1.PodReady] != corev1.ConditionTrue {
		t.Errorf("the conditions are %v, want the gate open and the pod ready", got)
	}
}

func TestPublicAddress(t *testing.T) {
	for clusterIP, want := range map[string]string{
		"10.96.3.7": "198.18.3.7",
		"None":      "198.19.255.254",
	} {
		if got := publicAddress(clusterIP); got != want {
			t.Errorf("publicAddress(%q) = %q, want %q", clusterIP, got, want)
		}
	}
}
