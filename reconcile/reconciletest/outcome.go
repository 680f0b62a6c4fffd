package reconciletest

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

type state int

const (
	ready state = iota
	waiting
	failed
)

// An outcome is what became of an object, and of a failed one why.
type outcome struct {
	state
	reason string
}

// is returns the status of a condition that holds if yes does.
func is(yes bool) string {
	if yes {
		return "True"
	}
	return "False"
}

type fields = map[string]any

func conditions(all ...fields) []any {
	list := make([]any, len(all))
	for i, c := range all {
		list[i] = c
	}
	return list
}

func holds(kind, status, reason string) fields {
	return fields{"type": kind, "status": status, "reason": reason, "message": reason}
}

// outcomes returns what makes the status of a kind, as its controller would
// write it.
func outcomes(kind schema.GroupKind) (func(*unstructured.Unstructured, outcome) fields, bool) {
	switch kind {
	case schema.GroupKind{Group: "apps", Kind: "Deployment"}:
		return deploymentOutcome, true
	case schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}, schema.GroupKind{Kind: "ReplicationController"}:
		return replicasOutcome, true
	case schema.GroupKind{Group: "apps", Kind: "DaemonSet"}:
		return daemonSetOutcome, true
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
		return jobOutcome, true
	case schema.GroupKind{Kind: "Pod"}:
		return podOutcome, true
	case schema.GroupKind{Kind: "PersistentVolumeClaim"}:
		return claimOutcome, true
	case schema.GroupKind{Kind: "Service"}:
		return serviceOutcome, true
	case schema.GroupKind{Group: "policy", Kind: "PodDisruptionBudget"}:
		return budgetOutcome, true
	case schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:
		return definitionOutcome, true
	}
	return nil, false
}

func replicasOf(o *unstructured.Unstructured) int64 {
	n, ok, err := unstructured.NestedInt64(o.Object, "spec", "replicas")
	if !ok || err != nil {
		return 1
	}
	return n
}

func deploymentOutcome(o *unstructured.Unstructured, out outcome) fields {
	status := replicasOutcome(o, out)
	progressing := holds("Progressing", "True", "NewReplicaSetAvailable")
	switch {
	case out.state == waiting:
		progressing = holds("Progressing", "True", "ReplicaSetUpdated")
	case out.reason == "ProgressDeadlineExceeded":
		progressing = holds("Progressing", "False", out.reason)
	}
	all := []fields{progressing, holds("Available", is(out.state == ready), "MinimumReplicasAvailable")}
	if out.reason == "FailedCreate" {
		all = append(all, holds("ReplicaFailure", "True", out.reason))
	}
	status["conditions"] = conditions(all...)
	if n := replicasOf(o); out.state != ready && n > 0 {
		status["unavailableReplicas"] = n
	}
	delete(status, "currentReplicas")
	delete(status, "currentRevision")
	delete(status, "updateRevision")
	return status
}

// replicasOutcome is that of a StatefulSet. Others drop what they do not have.
func replicasOutcome(o *unstructured.Unstructured, out outcome) fields {
	n := replicasOf(o)
	status := fields{
		"observedGeneration": o.GetGeneration(), "replicas": n, "updatedReplicas": n, "currentReplicas": n, "fullyLabeledReplicas": n,
		"currentRevision": "simulated", "updateRevision": "simulated",
	}
	if out.state == ready {
		status["readyReplicas"], status["availableReplicas"] = n, n
	}
	if out.reason == "FailedCreate" {
		status["replicas"], status["updatedReplicas"], status["currentReplicas"] = int64(0), int64(0), int64(0)
		status["conditions"] = conditions(holds("ReplicaFailure", "True", out.reason))
	}
	return status
}

func daemonSetOutcome(o *unstructured.Unstructured, out outcome) fields {
	status := fields{
		"observedGeneration": o.GetGeneration(), "desiredNumberScheduled": int64(1), "currentNumberScheduled": int64(1),
		"updatedNumberScheduled": int64(1), "numberMisscheduled": int64(0), "numberReady": int64(0), "numberUnavailable": int64(1),
	}
	if out.state == ready {
		status["numberReady"], status["numberAvailable"] = int64(1), int64(1)
		delete(status, "numberUnavailable")
	}
	return status
}

func jobOutcome(_ *unstructured.Unstructured, out outcome) fields {
	status := fields{"startTime": now()}
	switch out.state {
	case ready:
		status["succeeded"], status["completionTime"] = int64(1), now()
		status["conditions"] = conditions(holds("Complete", "True", "CompletionsReached"))
	case waiting:
		status["active"] = int64(1)
	case failed:
		status["failed"] = int64(1)
		status["conditions"] = conditions(holds("Failed", "True", out.reason))
	}
	return status
}

func podOutcome(o *unstructured.Unstructured, out outcome) fields {
	phase := "Running"
	if out.state != ready {
		phase = "Pending"
	}
	status := fields{"phase": phase, "conditions": conditions(holds("Ready", is(out.state == ready), ""), holds("PodScheduled", "True", ""))}
	if out.state == failed {
		status["containerStatuses"] = waitingContainers(o, out.reason)
	}
	return status
}

// waitingContainers are the containers of a pod, or of a template, that wait.
func waitingContainers(pod *unstructured.Unstructured, reason string) []any {
	containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
	var all []any
	for _, c := range containers {
		if c, ok := c.(fields); ok {
			all = append(all, fields{"name": c["name"], "image": c["image"], "imageID": "", "ready": false, "restartCount": int64(0), "state": fields{"waiting": fields{"reason": reason, "message": reason}}})
		}
	}
	return all
}

func claimOutcome(o *unstructured.Unstructured, out outcome) fields {
	if out.state != ready {
		return fields{"phase": "Pending"}
	}
	status := fields{"phase": "Bound"}
	for from, to := range map[string][]string{"accessModes": {"spec", "accessModes"}, "capacity": {"spec", "resources", "requests"}} {
		if v, ok, err := unstructured.NestedFieldCopy(o.Object, to...); ok && err == nil {
			status[from] = v
		}
	}
	return status
}

func serviceOutcome(o *unstructured.Unstructured, out outcome) fields {
	balancer := fields{}
	if kind, _, _ := unstructured.NestedString(o.Object, "spec", "type"); kind == "LoadBalancer" && out.state == ready {
		balancer["ingress"] = []any{fields{"ip": "198.18.0.1", "ipMode": "VIP"}}
	}
	return fields{"loadBalancer": balancer}
}

func budgetOutcome(o *unstructured.Unstructured, out outcome) fields {
	status := fields{"disruptionsAllowed": int64(0), "currentHealthy": int64(0), "desiredHealthy": int64(0), "expectedPods": int64(0)}
	if out.state == ready {
		status["observedGeneration"] = o.GetGeneration()
	}
	return status
}

func definitionOutcome(o *unstructured.Unstructured, out outcome) fields {
	names, _, _ := unstructured.NestedMap(o.Object, "spec", "names")
	versions, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions")
	var stored []any
	for _, v := range versions {
		if v, ok := v.(fields); ok && v["storage"] == true {
			stored = append(stored, v["name"])
		}
	}
	accepted, established := holds("NamesAccepted", "True", "NoConflicts"), holds("Established", is(out.state == ready), "InitialNamesAccepted")
	if out.state == waiting {
		established["reason"] = "Installing"
	}
	accepted["message"], established["message"] = "no conflicts found", "the initial names have been accepted"
	if out.state == failed {
		accepted = holds("NamesAccepted", "False", out.reason)
	}
	return fields{"acceptedNames": names, "storedVersions": stored, "conditions": conditions(accepted, established)}
}

func customOutcome(o *unstructured.Unstructured, out outcome) fields {
	status := fields{"observedGeneration": o.GetGeneration(), "conditions": conditions(holds("Ready", is(out.state == ready), "Simulated"))}
	if out.state == failed {
		status["conditions"] = conditions(holds("Ready", "False", out.reason), holds("Stalled", "True", out.reason))
	}
	return status
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

// keepTimes gives conditions the time of their last change, and keeps other
// times that the object has, so that a status that says the same is the same.
func keepTimes(o *unstructured.Unstructured, next fields) {
	for _, name := range []string{"startTime", "completionTime"} {
		if at, ok, err := unstructured.NestedString(o.Object, "status", name); ok && err == nil && next[name] != nil {
			next[name] = at
		}
	}
	was := map[any]fields{}
	before, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range before {
		if c, ok := c.(fields); ok {
			was[c["type"]] = c
		}
	}
	all, _ := next["conditions"].([]any)
	for _, c := range all {
		c, ok := c.(fields)
		if !ok {
			continue
		}
		c["lastTransitionTime"] = now()
		if old := was[c["type"]]; old != nil && old["status"] == c["status"] && old["lastTransitionTime"] != nil {
			c["lastTransitionTime"] = old["lastTransitionTime"]
		}
	}
}
