package reconciletest

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// TestControlPlane boots once; its parts use a namespace each.
func TestControlPlane(t *testing.T) {
	cfg := bootForTest(t)
	if cfg.QPS != 0 || cfg.Burst != 0 || cfg.RateLimiter != nil {
		t.Errorf("QPS %v, Burst %v, RateLimiter %v: want none set", cfg.QPS, cfg.Burst, cfg.RateLimiter)
	}
	version, err := clientFor(t, cfg).Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if version.GitVersion != kubernetesVersion {
		t.Errorf("the version of the server is %s, want %s", version.GitVersion, kubernetesVersion)
	}

	for name, test := range map[string]func(*testing.T, *env){
		"deployment becomes available":     testDeployment,
		"stateful set and volumes":         testStatefulSet,
		"daemon set becomes ready":         testDaemonSet,
		"job completes":                    testJob,
		"job fails":                        testJobFails,
		"deadline ends a job":              testJobDeadline,
		"image cannot be pulled":           testImagePull,
		"pod is never ready":               testNeverReady,
		"pod is ready later":               testReadyAfter,
		"pod never starts":                 testPending,
		"wrong fault is not ignored":       testWrongFault,
		"readiness gate":                   testReadinessGate,
		"load balancer":                    testLoadBalancer,
		"namespace with content goes":      testNamespace,
		"rbac refuses, then allows":        testRBAC,
		"custom resource":                  testCustomResource,
		"server-side apply and a conflict": testApply,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newEnv(t, cfg))
		})
	}
}

func testDeployment(t *testing.T, e *env) {
	e.apply(deployment("web", nil))
	e.eventually("the deployment is available", func() (bool, any, error) {
		d, err := e.AppsV1().Deployments(e.namespace).Get(t.Context(), "web", metav1.GetOptions{})
		return d.Status.AvailableReplicas == 2, d.Status, err
	})
}

func testStatefulSet(t *testing.T, e *env) {
	e.apply(statefulSet("db"))
	e.eventually("the stateful set is ready", func() (bool, any, error) {
		s, err := e.AppsV1().StatefulSets(e.namespace).Get(t.Context(), "db", metav1.GetOptions{})
		return s.Status.ReadyReplicas == 2, s.Status, err
	})
	claims := e.CoreV1().PersistentVolumeClaims(e.namespace)
	claim, err := claims.Get(t.Context(), "data-db-0", metav1.GetOptions{})
	if err != nil || claim.Status.Phase != corev1.ClaimBound {
		t.Fatalf("the claim is %q (%v), want it bound", claim.Status.Phase, err)
	}
	e.must(e.AppsV1().StatefulSets(e.namespace).Delete(t.Context(), "db", metav1.DeleteOptions{}))
	e.must(claims.Delete(t.Context(), claim.Name, metav1.DeleteOptions{}))
	e.eventually("the volume is gone", func() (bool, any, error) {
		v, err := e.CoreV1().PersistentVolumes().Get(t.Context(), claim.Spec.VolumeName, metav1.GetOptions{})
		return apierrors.IsNotFound(err), v.Status, nil
	})
}

func testDaemonSet(t *testing.T, e *env) {
	e.apply(daemonSet("agent"))
	e.eventually("the daemon set is ready", func() (bool, any, error) {
		d, err := e.AppsV1().DaemonSets(e.namespace).Get(t.Context(), "agent", metav1.GetOptions{})
		return d.Status.NumberReady == 1, d.Status, err
	})
}

func testJob(t *testing.T, e *env) {
	e.apply(job("work", nil))
	e.awaitJob("work", batchv1.JobComplete)
}

func testJobFails(t *testing.T, e *env) {
	e.apply(job("work", map[string]string{"strata.dev/test-fail": "true"}))
	e.awaitJob("work", batchv1.JobFailed)
}

func testJobDeadline(t *testing.T, e *env) {
	j := job("work", map[string]string{"strata.dev/test-finish-after": "1h"})
	j.Spec.WithActiveDeadlineSeconds(1)
	e.apply(j)
	e.awaitJob("work", batchv1.JobFailed)
}

func testImagePull(t *testing.T, e *env) {
	e.apply(deployment("web", map[string]string{"strata.dev/test-image-pull": "fail"}))
	e.awaitPod("its image cannot be pulled", func(p *corev1.Pod) bool {
		s := p.Status.ContainerStatuses
		return p.Status.Phase == corev1.PodPending && len(s) == 1 && !s[0].Ready &&
			s[0].State.Waiting != nil && s[0].State.Waiting.Reason == "ImagePullBackOff"
	})
}

func testNeverReady(t *testing.T, e *env) {
	e.apply(deployment("web", map[string]string{"strata.dev/test-fail": "true"}))
	e.awaitPod("it runs and is not ready", func(p *corev1.Pod) bool {
		return p.Status.Phase == corev1.PodRunning && condition(p, corev1.PodReady) == corev1.ConditionFalse
	})
}

func testReadyAfter(t *testing.T, e *env) {
	e.apply(deployment("web", map[string]string{"strata.dev/test-ready-after": "300ms"}))
	e.awaitPod("it is ready", func(p *corev1.Pod) bool { return condition(p, corev1.PodReady) == corev1.ConditionTrue })
}

func testPending(t *testing.T, e *env) {
	e.apply(deployment("web", map[string]string{"strata.dev/test-pending": "true"}))
	e.awaitPod("it has a node and has not started", func(p *corev1.Pod) bool {
		return p.Spec.NodeName != "" && p.Status.StartTime == nil
	})
}

func testWrongFault(t *testing.T, e *env) {
	e.apply(deployment("web", map[string]string{"strata.dev/test-ready-after": "soon"}))
	e.awaitPod("it says what is wrong", func(p *corev1.Pod) bool {
		s := p.Status.ContainerStatuses
		return len(s) == 1 && s[0].State.Waiting != nil && strings.Contains(s[0].State.Waiting.Message, `"soon"`)
	})
}

func testReadinessGate(t *testing.T, e *env) {
	const gate = "example.com/open"
	d := deployment("web", nil)
	d.Spec.Template.Spec.WithReadinessGates(readinessGate(gate))
	e.apply(d)
	pod := e.awaitPod("it runs and is not ready", func(p *corev1.Pod) bool {
		return p.Status.Phase == corev1.PodRunning && condition(p, corev1.PodReady) == corev1.ConditionFalse
	})
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: gate, Status: corev1.ConditionTrue})
	_, err := e.CoreV1().Pods(e.namespace).UpdateStatus(t.Context(), pod, metav1.UpdateOptions{})
	e.must(err)
	e.awaitPod("it is ready", func(p *corev1.Pod) bool { return condition(p, corev1.PodReady) == corev1.ConditionTrue })
}

func testLoadBalancer(t *testing.T, e *env) {
	e.apply(loadBalancer("front"))
	e.eventually("the service has an address", func() (bool, any, error) {
		s, err := e.CoreV1().Services(e.namespace).Get(t.Context(), "front", metav1.GetOptions{})
		in := s.Status.LoadBalancer.Ingress
		return len(in) == 1 && strings.HasPrefix(in[0].IP, "198.18."), s.Status, err
	})
}

func testNamespace(t *testing.T, e *env) {
	e.apply(deployment("web", nil))
	e.apply(statefulSet("db"))
	e.apply(job("work", map[string]string{"strata.dev/test-finish-after": "1h"}))
	e.awaitPod("it is ready", func(p *corev1.Pod) bool { return condition(p, corev1.PodReady) == corev1.ConditionTrue })
	e.must(e.CoreV1().Namespaces().Delete(t.Context(), e.namespace, metav1.DeleteOptions{}))
	e.eventually("the namespace is gone", func() (bool, any, error) {
		ns, err := e.CoreV1().Namespaces().Get(t.Context(), e.namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err), ns.Status, nil
	})
}

func testRBAC(t *testing.T, e *env) {
	token, err := e.CoreV1().ServiceAccounts(e.namespace).CreateToken(t.Context(), "default", tokenRequest(), metav1.CreateOptions{})
	e.must(err)
	cfg := rest.AnonymousClientConfig(e.config)
	cfg.BearerToken = token.Status.Token
	maps := clientFor(t, cfg).CoreV1().ConfigMaps(e.namespace)
	if _, err := maps.List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("listing with the token of a service account: %v, want it forbidden", err)
	}
	_, err = e.RbacV1().RoleBindings(e.namespace).Apply(t.Context(), viewers("default", e.namespace), metav1.ApplyOptions{FieldManager: "test"})
	e.must(err)
	e.eventually("the service account may list", func() (bool, any, error) {
		_, err := maps.List(t.Context(), metav1.ListOptions{})
		return err == nil, err, nil
	})
}

func testCustomResource(t *testing.T, e *env) {
	client, err := dynamic.NewForConfig(e.config)
	e.must(err)
	opts := metav1.ApplyOptions{FieldManager: "test"}
	definition := widgetDefinition()
	_, err = client.Resource(definitionResource).Apply(t.Context(), definition.GetName(), definition, opts)
	e.must(err)
	widgets := client.Resource(widgetResource).Namespace(e.namespace)
	e.eventually("a widget is accepted", func() (bool, any, error) {
		_, err := widgets.Apply(t.Context(), "small", widget("small", 1), opts)
		return err == nil, err, nil
	})
	if _, err := widgets.Apply(t.Context(), "large", widget("large", 100), opts); !apierrors.IsInvalid(err) {
		t.Errorf("a widget that the schema forbids: %v, want it invalid", err)
	}
}

func testApply(t *testing.T, e *env) {
	maps := e.CoreV1().ConfigMaps(e.namespace)
	for _, step := range []struct {
		manager, value string
		conflict       bool
	}{
		{"one", "a", false},
		{"one", "b", false},
		{"two", "c", true},
	} {
		_, err := maps.Apply(t.Context(), configMap("settings", step.value), metav1.ApplyOptions{FieldManager: step.manager})
		if apierrors.IsConflict(err) != step.conflict || (err != nil && !step.conflict) {
			t.Errorf("%s applies %q: %v, want conflict %t", step.manager, step.value, err, step.conflict)
		}
	}
}

// TestTwoAtOnce proves that clusters share nothing, and that the end of one leaves
// the other alone.
func TestTwoAtOnce(t *testing.T) {
	needsControlPlane(t)
	first := start(t)
	second := start(t)
	one, other := clientFor(t, first.Config), clientFor(t, second.Config)
	name := newNamespace(t, one)
	if _, err := other.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the namespace of one cluster in the other: %v, want it not found", err)
	}
	mixed := rest.CopyConfig(first.Config)
	mixed.Host = second.Config.Host
	if _, err := clientFor(t, mixed).Discovery().ServerVersion(); err == nil {
		t.Error("one cluster trusts the certificates of the other")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	newNamespace(t, other)
}

func clientFor(t *testing.T, cfg *rest.Config) kubernetes.Interface {
	t.Helper()
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
