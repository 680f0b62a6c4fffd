package inventory

import (
	"github.com/opencontainers/go-digest"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/internal/kube"
)

// An Object is an object that the layer owns.
type Object struct {
	kube.Ref
	// Resource is the plural name that the API serves the kind under.
	Resource string `json:"resource"`
	// UID is empty while the object was not applied.
	UID types.UID `json:"uid,omitempty"`
	// Applied is the digest of the object as it was last applied, and Fields
	// that of our entry in its managed fields after that: see [kube.OwnFields].
	Applied digest.Digest `json:"applied,omitempty"`
	Fields  digest.Digest `json:"fields,omitempty"`
	// Batch orders the objects within the layer.
	Batch int `json:"batch,omitempty"`
	// Ignore are JSON pointers of fields that others may change.
	Ignore []string `json:"ignore,omitempty"`
	// Keep says that the object stays when it is no longer wanted.
	Keep bool `json:"keep,omitempty"`
	// Dropped says that the object is no longer wanted, and not yet removed.
	Dropped bool `json:"dropped,omitempty"`
	// Created says that the object was not there before us.
	Created bool `json:"created,omitempty"`
	// Drift is what is known of changes that others made, or nil. It is never
	// changed in place.
	Drift *Drift `json:"drift,omitempty"`
}

// Served returns how the API serves the object.
func (o Object) Served() kube.Resource {
	return kube.Resource{GroupVersionResource: o.GVK().GroupVersion().WithResource(o.Resource), Namespaced: o.Namespace != ""}
}
