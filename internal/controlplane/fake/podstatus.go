package fake

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// statusOf returns the status that a kubelet would report. It depends on nothing
// but its arguments, except for the times of what changes now.
func statusOf(pod *corev1.Pod, now life, started *startedPod) *corev1.PodStatus {
	at := metav1.NewTime(started.at).Rfc3339Copy() // as it comes back from the API
	status := pod.Status.DeepCopy()
	status.ObservedGeneration = pod.Generation
	status.Phase = now.phase
	status.StartTime = &at
	status.HostIP, status.HostIPs = nodeIP, []corev1.HostIP{{IP: nodeIP}}
	status.PodIP, status.PodIPs = started.ip, []corev1.PodIP{{IP: started.ip}}

	reason := ""
	switch {
	case now.phase == corev1.PodSucceeded:
		reason = "PodCompleted"
	case now.phase == corev1.PodFailed:
		reason = "PodFailed"
	case !now.ready:
		reason = "ContainersNotReady"
	}
	finished := now.phase == corev1.PodSucceeded || now.phase == corev1.PodFailed
	set := conditionSetter(status, pod.Generation)
	set(corev1.PodReadyToStartContainers, !finished, "")
	set(corev1.PodInitialized, true, "")
	set(corev1.ContainersReady, now.ready, reason)
	set(corev1.PodReady, now.ready, reason)

	status.InitContainerStatuses = nil
	for _, c := range pod.Spec.InitContainers {
		state := now
		if ptr.Deref(c.RestartPolicy, "") != corev1.ContainerRestartPolicyAlways {
			state = life{phase: corev1.PodSucceeded, ready: true} // it has done its work
		}
		state.crash, state.restarted = now.crash, now.restarted
		status.InitContainerStatuses = append(status.InitContainerStatuses, containerStatus(c, state, at))
	}
	status.ContainerStatuses = nil
	for _, c := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, containerStatus(c, now, at))
	}
	return status
}

// conditionSetter returns a function that sets a condition of the status. A
// condition that stays as it is keeps the time of its last change.
func conditionSetter(status *corev1.PodStatus, generation int64) func(corev1.PodConditionType, bool, string) {
	return func(kind corev1.PodConditionType, is bool, reason string) {
		value := corev1.ConditionFalse
		if is {
			value = corev1.ConditionTrue
		}
		condition := corev1.PodCondition{
			Type: kind, Status: value, Reason: reason,
			ObservedGeneration: generation, LastTransitionTime: metav1.Now().Rfc3339Copy(),
		}
		for i, old := range status.Conditions {
			if old.Type != kind {
				continue
			}
			if old.Status == value {
				condition.LastTransitionTime = old.LastTransitionTime
			}
			status.Conditions[i] = condition
			return
		}
		status.Conditions = append(status.Conditions, condition)
	}
}

// containerStatus returns the status of one container of a pod.
func containerStatus(c corev1.Container, now life, started metav1.Time) corev1.ContainerStatus {
	s := corev1.ContainerStatus{
		Name:    c.Name,
		Image:   c.Image,
		Ready:   now.ready,
		Started: new(now.phase == corev1.PodRunning),
	}
	if c.Name == now.crash || c.Name == now.restarted {
		s.RestartCount = 1
		s.LastTerminationState.Terminated = failed(started, "asked for by an annotation")
	}
	switch {
	case c.Name == now.crash:
		s.Ready, s.Started = false, new(false)
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 5m0s restarting failed container"}
		return s
	case now.waiting != nil:
		s.State.Waiting = now.waiting
		return s
	case now.phase == corev1.PodRunning:
		s.State.Running = &corev1.ContainerStateRunning{StartedAt: started}
	case now.phase == corev1.PodFailed:
		s.State.Terminated = failed(started, "asked for by the annotation "+failAnnotation)
	default:
		s.State.Terminated = &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: started, FinishedAt: started}
	}
	s.ImageID = c.Image
	s.ContainerID = "fake://" + c.Name
	return s
}

func failed(at metav1.Time, message string) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 1, Message: message, StartedAt: at, FinishedAt: at}
}
