package reconciletest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

const (
	webYAML = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
`
	typesYAML = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: gadgets, kind: Gadget}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: example.com/v1
kind: Gadget
metadata: {name: first, namespace: shop}
spec: {size: 1}
`
	jobYAML = `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "a:1"}]}}}
`
)

// shop is an installation on a simulation.
type shop struct {
	*testing.T
	reconciletest.Simulation
	reconciletest.Faults
	reconcile.Reconciler
	target reconcile.Target
	plain  *kubernetes.Clientset
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{T: t}
	config := s.Config()
	config.Wrap(s.Wrap)
	s.target = reconcile.Target{Config: config}
	var err error
	if s.plain, err = kubernetes.NewForConfig(s.Config()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shop) stack(layers ...string) *profile.Desired {
	s.Helper()
	p := &profile.Profile{Name: "shop", Version: "1.0.0", Type: profile.AddOn}
	for i := 0; i < len(layers); i += 2 {
		inline := &layer.Manifests{Inline: []layer.Manifest{{Name: "objects", Content: layers[i+1]}}}
		p.Layers = append(p.Layers, layer.Layer{Name: layers[i], Namespace: "shop", InstallOrder: i, Source: layer.Source{Manifests: inline}})
	}
	d, err := profile.Resolve(s.Context(), nil, nil, p)
	if err != nil {
		s.Fatal(err)
	}
	return d
}

func (s *shop) converge(d *profile.Desired) *reconcile.Result {
	s.Helper()
	result, err := s.Converge(s.Context(), s.target, d)
	if err != nil {
		s.Fatal(err)
	}
	return result
}

// The life of an installation, as the engine's own tests have it on the real
// control plane.
func TestLife(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	d := s.stack("types", typesYAML, "web", webYAML, "job", jobYAML)
	s.converge(d)

	s.Take()
	result, err := s.Reconcile(t.Context(), s.target, d)
	if err != nil || !result.Ready || len(s.Take().Writes()) != 0 {
		t.Errorf("the second reconcile is %+v, %v; want nothing written", result, err)
	}

	web := s.plain.AppsV1().Deployments("shop")
	if _, err := web.Patch(t.Context(), "web", types.MergePatchType, []byte(`{"spec": {"replicas": 5}}`), metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
	plan, err := s.Plan(t.Context(), s.target, d)
	if err != nil || plan.Count(reconcile.Repair) != 1 || !strings.Contains(plan.String(), ".spec.replicas: 5 -> 2") {
		t.Errorf("the plan is %v, %v; want the replicas repaired", plan, err)
	}
	s.converge(d)
	if live, err := web.Get(t.Context(), "web", metav1.GetOptions{}); err != nil || *live.Spec.Replicas != 2 || live.Status.ReadyReplicas != 2 {
		t.Errorf("there are %v replicas, %v; want 2 again", live.Status, err)
	}

	if _, err := web.Patch(t.Context(), "web", types.ApplyPatchType, []byte(`{"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 7}}`), metav1.PatchOptions{FieldManager: "autoscaler", Force: new(true)}); err != nil {
		t.Fatal(err)
	}
	_, err = s.Reconcile(t.Context(), s.target, d)
	if conflict, ok := errors.AsType[*reconcile.ConflictError](err); !ok || conflict.Fields[0].Manager != "autoscaler" {
		t.Errorf("the error is %v, want a conflict with the autoscaler", err)
	}
}

func TestPruneAndDelete(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.converge(s.stack("types", typesYAML, "web", webYAML, "job", jobYAML))
	result := s.converge(s.stack("types", typesYAML, "web", webYAML))
	if _, err := s.plain.BatchV1().Jobs("shop").Get(t.Context(), "migrate", metav1.GetOptions{}); !apierrors.IsNotFound(err) || result.Count(reconcile.Delete) != 1 {
		t.Errorf("the job of the layer that went: %v; %d pruned", err, result.Count(reconcile.Delete))
	}
	s.Prune.CustomResourceDefinitions = true
	if _, err := s.DeleteAndWait(t.Context(), s.target); err != nil {
		t.Fatal(err)
	}
	spaces, err := s.plain.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(spaces.Items) != 4 {
		t.Errorf("there are %d namespaces, %v; want the four that were there before", len(spaces.Items), err)
	}
}

// The clock of a bubble is that of the cluster and of the engine.
func TestVirtualClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.Behave(reconciletest.Behavior{Kind: "Deployment", After: 10 * time.Minute})
		busy := reconciletest.Answer(apierrors.NewTooManyRequests("busy", 60))
		s.Play(reconciletest.Rule{Method: "PATCH", Path: "deployments/web", Fault: busy})
		began := time.Now()
		s.converge(s.stack("web", webYAML))
		if took := time.Since(began); took < 11*time.Minute || took > 12*time.Minute {
			t.Errorf("it took %s, want a minute for the server and ten for the deployment", took)
		}
	})
}

// A process that dies in the middle is succeeded by another half a minute later.
func TestLeaseOfTheDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		d := s.stack("web", webYAML)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.Play(reconciletest.Rule{Method: "PATCH", Path: "deployments/web", When: reconciletest.Request.Write, Times: reconciletest.Always, Fault: reconciletest.Die(cancel)})
		if _, err := s.Converge(ctx, s.target, d); !errors.Is(err, context.Canceled) {
			t.Fatalf("the first process ends with %v, want it dead", err)
		}
		s.Play()
		began := time.Now()
		var other reconcile.Reconciler
		for {
			result, err := other.Converge(t.Context(), s.target, d)
			if err == nil {
				break
			}
			if _, busy := errors.AsType[*reconcile.BusyError](err); !busy {
				t.Fatal(err)
			}
			time.Sleep(result.RetryAfter)
		}
		if took := time.Since(began); took < 25*time.Second || took > time.Minute {
			t.Errorf("the other went on after %s, want half a minute", took)
		}
	})
}

func TestBehaviors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		behavior reconciletest.Behavior
		want     string // in the error
	}{
		"image":    {reconciletest.Behavior{Kind: "Deployment", Fail: "ImagePullBackOff"}, "container web of pod web-simulated: ImagePullBackOff"},
		"quota":    {reconciletest.Behavior{Kind: "Deployment", Fail: "FailedCreate"}, "FailedCreate"},
		"deadline": {reconciletest.Behavior{Name: "web", Fail: "ProgressDeadlineExceeded"}, "Deployment.apps shop/web failed"},
		"job":      {reconciletest.Behavior{Kind: "Job", Fail: "BackoffLimitExceeded"}, "Job.batch shop/migrate failed"},
		"custom":   {reconciletest.Behavior{Kind: "Gadget", Fail: "NoParts"}, "Gadget.example.com shop/first failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.Behave(tt.behavior)
			d := s.stack("types", typesYAML, "web", webYAML, "job", jobYAML)
			_, err := s.Converge(t.Context(), s.target, d)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, reconcile.ErrTerminal) {
				t.Fatalf("the error is %v, want %q", err, tt.want)
			}
			s.Behave()
			s.converge(d)
		})
	}
}

// What never becomes ready does when the test says so.
func TestReadyWhenTheTestSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.Behave(reconciletest.Behavior{Kind: "CustomResourceDefinition", Never: true})
		ended := make(chan error)
		go func() {
			_, err := s.Converge(t.Context(), s.target, s.stack("types", typesYAML))
			ended <- err
		}()
		time.Sleep(time.Hour)
		select {
		case err := <-ended:
			t.Fatalf("it ended with %v, want it to wait", err)
		default:
		}
		s.Behave()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A watch that is cut off is opened again, although others go on.
func TestWatchIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.Behave(reconciletest.Behavior{Kind: "Deployment", After: time.Minute})
		s.Play(reconciletest.Rule{Path: "deployments", When: reconciletest.Request.Watch, Fault: reconciletest.Cut(0)})
		began := time.Now()
		s.converge(s.stack("web", webYAML))
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("it took %s, want no more than a minute", took)
		}
	})
}

// The engine goes on through whatever breaks, request after request.
func TestFaultsAreSurvived(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs some hundred times")
	}
	for name, fault := range map[string]reconciletest.Fault{
		"after":    reconciletest.ResetAfter,
		"before":   reconciletest.ResetBefore,
		"time-out": reconciletest.TimeOut,
		"busy":     reconciletest.Answer(apierrors.NewTooManyRequests("busy", 1)),
		"broken":   reconciletest.Answer(apierrors.NewInternalError(errors.New("broken"))),
		"cut":      reconciletest.Cut(1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for n, met := 3, true; met; n++ { // the first are those that ask whether there is a cluster at all
					s := newShop(t)
					s.Behave(reconciletest.Behavior{Kind: "Deployment", After: time.Minute})
					s.Play(reconciletest.Rule{Skip: n, Fault: fault})
					s.converge(s.stack("web", webYAML))
					met = false
					for _, r := range s.Take() {
						met = met || r.Faulty
					}
				}
			})
		})
	}
}

// A pod that cannot start counts once its Deployment has begun with its revision,
// though nothing happens to the pod any more.
func TestPodOfNewRevision(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.Behave(reconciletest.Behavior{Kind: "Deployment", Never: true})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		d := s.stack("web", webYAML)
		if _, err := s.Reconcile(ctx, s.target, d); err != nil {
			t.Fatal(err)
		}
		s.failingPod("2")
		const revision = `{"metadata": {"annotations": {"deployment.kubernetes.io/revision": "REVISION"}}}`
		set := func(to string) {
			patch := strings.Replace(revision, "REVISION", to, 1)
			if _, err := s.plain.AppsV1().Deployments("shop").Patch(t.Context(), "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
				t.Error(err)
			}
		}
		set("1")
		time.AfterFunc(time.Minute, func() { set("2") })
		_, err := s.Converge(ctx, s.target, d)
		if e, ok := errors.AsType[*reconcile.FailedError](err); !ok || e.Object.Name != "web" {
			t.Errorf("the error is %v, want that the image cannot be pulled", err)
		}
	})
}

// failingPod makes a pod of the Deployment that waits for its image, and its
// ReplicaSet of a revision.
func (s *shop) failingPod(revision string) {
	s.Helper()
	web, err := s.plain.AppsV1().Deployments("shop").Get(s.Context(), "web", metav1.GetOptions{})
	if err != nil {
		s.Fatal(err)
	}
	of := func(kind string, o metav1.Object) metav1.ObjectMeta {
		return metav1.ObjectMeta{
			Name: "web-1", Labels: map[string]string{"app": "web"}, Annotations: map[string]string{"deployment.kubernetes.io/revision": revision},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: o.GetName(), UID: o.GetUID(), Controller: new(true)}},
		}
	}
	replicas := &appsv1.ReplicaSet{ObjectMeta: of("Deployment", web), Spec: appsv1.ReplicaSetSpec{Selector: web.Spec.Selector, Template: web.Spec.Template}}
	if replicas, err = s.plain.AppsV1().ReplicaSets("shop").Create(s.Context(), replicas, metav1.CreateOptions{}); err != nil {
		s.Fatal(err)
	}
	pod := &corev1.Pod{ObjectMeta: of("ReplicaSet", replicas), Spec: web.Spec.Template.Spec}
	if pod, err = s.plain.CoreV1().Pods("shop").Create(s.Context(), pod, metav1.CreateOptions{}); err != nil {
		s.Fatal(err)
	}
	pod.Status.Phase = corev1.PodPending
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"}}}}
	if _, err := s.plain.CoreV1().Pods("shop").UpdateStatus(s.Context(), pod, metav1.UpdateOptions{}); err != nil {
		s.Fatal(err)
	}
}
