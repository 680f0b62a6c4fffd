package fake

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

// kubelet reports the pods of the node as running, ends deleted ones at once, and
// gives their logs.
type kubelet struct {
	client kubernetes.Interface
	pods   corelisters.PodLister

	mu       sync.Mutex
	assigned uint32                           // pod addresses so far
	started  map[cache.ObjectName]*startedPod // those that exist
}

// startedPod is what the kubelet keeps about a pod. The time in a pod's status
// has whole seconds only, which is too coarse to count from.
type startedPod struct {
	uid types.UID
	ip  string
	at  time.Time
}

func newKubelet(client kubernetes.Interface, factory informers.SharedInformerFactory) *kubelet {
	return &kubelet{client: client, pods: factory.Core().V1().Pods().Lister(), started: map[cache.ObjectName]*startedPod{}}
}

func (k *kubelet) sync(ctx context.Context, name cache.ObjectName) (time.Duration, error) {
	pod, err := k.pods.Pods(name.Namespace).Get(name.Name)
	if apierrors.IsNotFound(err) {
		k.forget(name)
		return 0, nil
	}
	if err != nil || pod.Spec.NodeName != nodeName {
		return 0, err
	}
	if pod.DeletionTimestamp != nil {
		return 0, ignoreGone(k.end(ctx, pod))
	}
	if isFinished(pod) {
		return 0, nil
	}
	started := k.start(name, pod)
	now := decide(pod, time.Since(started.at))
	if now.unreported {
		return 0, nil
	}
	return now.again, ignoreGone(k.report(ctx, pod, statusOf(pod, now, started)))
}

// start returns what is kept about the pod, and begins to keep it if need be.
func (k *kubelet) start(name cache.ObjectName, pod *corev1.Pod) *startedPod {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p := k.started[name]; p != nil && p.uid == pod.UID {
		return p
	}
	k.assigned++
	p := &startedPod{uid: pod.UID, at: time.Now(), ip: fmt.Sprintf("10.244.%d.%d", k.assigned>>8&0xff, k.assigned&0xff)}
	if pod.Spec.HostNetwork {
		p.ip = nodeIP
	}
	k.started[name] = p
	return p
}

func (k *kubelet) forget(name cache.ObjectName) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.started, name)
}

// end removes a pod that is being deleted, without its grace period.
func (k *kubelet) end(ctx context.Context, pod *corev1.Pod) error {
	if ptr.Deref(pod.DeletionGracePeriodSeconds, 0) == 0 {
		return nil // done before; a finalizer holds it
	}
	if len(pod.Finalizers) > 0 && !isFinished(pod) {
		// The job controller waits for its pods to be seen as ended.
		status := pod.Status.DeepCopy()
		status.Phase = corev1.PodFailed
		if err := k.report(ctx, pod, status); err != nil {
			return err
		}
	}
	return k.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: ptr.To[int64](0),
		Preconditions:      &metav1.Preconditions{UID: &pod.UID},
	})
}

// report writes the status if it differs from what is known. It patches, as
// others write to the same status: the scheduler, and owners of readiness gates.
func (k *kubelet) report(ctx context.Context, pod *corev1.Pod, status *corev1.PodStatus) error {
	if equality.Semantic.DeepEqual(&pod.Status, status) {
		return nil
	}
	before, err := json.Marshal(corev1.Pod{Status: pod.Status})
	if err != nil {
		return fmt.Errorf("encoding the status of a pod: %w", err)
	}
	after, err := json.Marshal(corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: pod.UID}, Status: *status})
	if err != nil {
		return fmt.Errorf("encoding the status of a pod: %w", err)
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Pod{})
	if err != nil {
		return fmt.Errorf("comparing the status of a pod: %w", err)
	}
	_, err = k.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// ignoreGone drops the errors that mean that the object is gone or is another
// one by now: the informer will say so.
func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}
