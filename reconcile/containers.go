package reconcile

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A container is one of a pod, as its status has it.
type container struct {
	name      string
	first     bool // it runs before the others
	running   bool
	ended     bool
	failed    bool // it ended with an error
	restarted bool // it ended with an error before
}

func (c container) title(before bool) string {
	what := "container"
	if c.first {
		what = "init container"
	}
	if before {
		return fmt.Sprintf("%s %q, before it was restarted:", what, c.name)
	}
	return fmt.Sprintf("%s %q:", what, c.name)
}

// containersOf returns the containers of a pod in the order in which they start.
func containersOf(pod *unstructured.Unstructured) []container {
	var all []container
	for _, list := range []string{"initContainers", "containers"} {
		// Where the status is called after them, it lacks what was never seen.
		statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", list[:len(list)-1]+"Statuses")
		specs, _, _ := unstructured.NestedSlice(pod.Object, "spec", list)
		for _, spec := range specs {
			fields, _ := spec.(map[string]any)
			name, _ := fields["name"].(string)
			c := container{name: name, first: list == "initContainers"}
			for _, s := range statuses {
				if status, _ := s.(map[string]any); status["name"] == name {
					c.read(status)
				}
			}
			all = append(all, c)
		}
	}
	return all
}

// read fills in what a status says.
func (c *container) read(status map[string]any) {
	failure := func(state string) bool {
		code, _, _ := unstructured.NestedInt64(status, state, "terminated", "exitCode")
		return code != 0
	}
	_, c.running, _ = unstructured.NestedMap(status, "state", "running")
	_, c.ended, _ = unstructured.NestedMap(status, "state", "terminated")
	c.failed = failure("state")
	c.restarted = failure("lastState")
}

// speakers returns the containers whose logs say why a pod failed: those that
// did. Where none did, those that have not ended are what others wait for.
func speakers(all []container) []container {
	const most = 3
	choose := func(is func(container) bool) []container {
		var some []container
		for _, c := range all {
			if is(c) && len(some) < most {
				some = append(some, c)
			}
		}
		return some
	}
	if some := choose(func(c container) bool { return c.failed || c.restarted && !c.ended }); len(some) > 0 {
		return some
	}
	if some := choose(func(c container) bool { return c.running }); len(some) > 0 {
		return some
	}
	some := choose(func(c container) bool { return !c.first })
	return some[:min(1, len(some))]
}
