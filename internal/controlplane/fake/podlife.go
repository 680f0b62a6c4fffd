package fake

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// life is where a pod stands.
type life struct {
	unreported bool // the kubelet has not seen the pod yet
	phase      corev1.PodPhase
	ready      bool
	waiting    *corev1.ContainerStateWaiting // why containers have not started
	again      time.Duration                 // when to look again; zero is never
	crash      string                        // the container that crashes and waits
	restarted  string                        // the container that crashed and runs again
}

// decide says where a pod stands that was started so long ago.
func decide(pod *corev1.Pod, age time.Duration) life {
	f, err := faultsOf(pod.Annotations)
	switch {
	case err != nil:
		return waiting("CreateContainerConfigError", err.Error())
	case f.pending:
		return life{unreported: true}
	case f.imagePull:
		return waiting("ImagePullBackOff", "Back-off pulling image: asked for by the annotation "+imagePullAnnotation)
	case f.crash != "":
		return crashing(pod, f.crash)
	case finishes(pod) && age >= f.finishAfter && f.fail:
		return life{phase: corev1.PodFailed}
	case finishes(pod) && age >= f.finishAfter:
		return life{phase: corev1.PodSucceeded}
	}
	running := life{phase: corev1.PodRunning, restarted: f.restarted, ready: !f.fail && age >= f.readyAfter && gatesOpen(pod)}
	if !f.fail && age < f.readyAfter {
		running.again = f.readyAfter - age
	}
	if left := f.finishAfter - age; finishes(pod) && (running.again == 0 || left < running.again) {
		running.again = left
	}
	return running
}

func waiting(reason, message string) life {
	return life{phase: corev1.PodPending, waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// crashing returns the life of a pod with a container that crashes. While it is
// one of those that come first, the others have not started.
func crashing(pod *corev1.Pod, container string) life {
	first := slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == container })
	if first {
		l := waiting("PodInitializing", "")
		l.crash = container
		return l
	}
	return life{phase: corev1.PodRunning, crash: container}
}

// finishes reports whether the containers of a pod are meant to end by themselves.
func finishes(pod *corev1.Pod) bool {
	return pod.Spec.RestartPolicy != corev1.RestartPolicyAlways
}

// isFinished reports whether they have.
func isFinished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// gatesOpen reports whether the owners of the readiness gates have let the pod
// become ready. Nobody here owns one, as in a cluster without their controllers.
func gatesOpen(pod *corev1.Pod) bool {
	open := map[corev1.PodConditionType]bool{}
	for _, c := range pod.Status.Conditions {
		open[c.Type] = c.Status == corev1.ConditionTrue
	}
	for _, gate := range pod.Spec.ReadinessGates {
		if !open[gate.ConditionType] {
			return false
		}
	}
	return true
}
