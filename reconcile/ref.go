package reconcile

import "github.com/strata-go/strata/internal/kube"

// An ObjectRef names an object on a cluster. ObjectRefs are comparable.
type ObjectRef struct {
	Group     string `json:"group,omitempty"`
	Version   string `json:"version"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"` // empty for cluster-scoped objects
	Name      string `json:"name"`
}

// String returns "Kind[.group] [namespace/]name".
func (r ObjectRef) String() string { return kube.Ref(r).String() }
