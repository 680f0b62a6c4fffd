package reconciletest

import (
	"fmt"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	batchapply "k8s.io/client-go/applyconfigurations/batch/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// deadline is how long a test waits for something that takes a second or so.
const deadline = time.Minute

// needsControlPlane skips a test that boots one, where only short tests should run.
func needsControlPlane(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the control plane: make controlplane")
	}
}

func bootForTest(t *testing.T) *rest.Config {
	t.Helper()
	needsControlPlane(t)
	return ControlPlane(t)
}

// start is ControlPlane for tests that end the cluster themselves.
func start(t *testing.T) *Cluster {
	t.Helper()
	cluster, err := StartControlPlane(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Close() }) // the test has looked at the error
	return cluster
}

// env is a namespace to test in.
type env struct {
	kubernetes.Interface
	t         *testing.T
	config    *rest.Config
	namespace string
}

func newEnv(t *testing.T, cfg *rest.Config) *env {
	t.Helper()
	client := clientFor(t, cfg)
	e := &env{Interface: client, t: t, config: cfg, namespace: newNamespace(t, client)}
	e.eventually("the namespace has a service account", func() (bool, any, error) {
		_, err := e.CoreV1().ServiceAccounts(e.namespace).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil, err, nil
	})
	return e
}

func newNamespace(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	ns, err := client.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return ns.Name
}

func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// apply applies one of the objects below.
func (e *env) apply(object any) {
	e.t.Helper()
	opts := metav1.ApplyOptions{FieldManager: "test"}
	var err error
	switch o := object.(type) {
	case *appsapply.DeploymentApplyConfiguration:
		_, err = e.AppsV1().Deployments(e.namespace).Apply(e.t.Context(), o, opts)
	case *appsapply.StatefulSetApplyConfiguration:
		_, err = e.AppsV1().StatefulSets(e.namespace).Apply(e.t.Context(), o, opts)
	case *appsapply.DaemonSetApplyConfiguration:
		_, err = e.AppsV1().DaemonSets(e.namespace).Apply(e.t.Context(), o, opts)
	case *batchapply.JobApplyConfiguration:
		_, err = e.BatchV1().Jobs(e.namespace).Apply(e.t.Context(), o, opts)
	case *coreapply.ServiceApplyConfiguration:
		_, err = e.CoreV1().Services(e.namespace).Apply(e.t.Context(), o, opts)
	default:
		err = fmt.Errorf("applying %T is not provided for", object)
	}
	e.must(err)
}

// eventually waits until check says so; it shows what check saw last if not.
func (e *env) eventually(what string, check func() (done bool, saw any, err error)) {
	e.t.Helper()
	end := time.Now().Add(deadline)
	for {
		done, saw, err := check()
		e.must(err)
		if done {
			return
		}
		if time.Now().After(end) {
			e.t.Fatalf("waiting until %s: it is %+v", what, saw)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (e *env) awaitJob(name string, kind batchv1.JobConditionType) {
	e.t.Helper()
	e.eventually("the job is "+string(kind), func() (bool, any, error) {
		j, err := e.BatchV1().Jobs(e.namespace).Get(e.t.Context(), name, metav1.GetOptions{})
		for _, c := range j.Status.Conditions {
			if c.Type == kind && c.Status == corev1.ConditionTrue {
				return true, nil, err
			}
		}
		return false, j.Status, err
	})
}

// awaitPod waits until a pod of the namespace is as wanted, and returns it.
func (e *env) awaitPod(what string, wanted func(*corev1.Pod) bool) *corev1.Pod {
	e.t.Helper()
	var found *corev1.Pod
	e.eventually("a pod is there and "+what, func() (bool, any, error) {
		pods, err := e.CoreV1().Pods(e.namespace).List(e.t.Context(), metav1.ListOptions{})
		for i := range pods.Items {
			if wanted(&pods.Items[i]) {
				found = &pods.Items[i]
				return true, nil, err
			}
		}
		return false, pods.Items, err
	})
	return found
}

func condition(p *corev1.Pod, kind corev1.PodConditionType) corev1.ConditionStatus {
	for _, c := range p.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return ""
}
