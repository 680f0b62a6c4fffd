package reconcile

import (
	"cmp"

	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/internal/inventory"
)

// Defaults of a [Target].
const (
	DefaultName      = "default"
	DefaultNamespace = "strata-system"
)

// A Target is one installation on one cluster.
type Target struct {
	// Config connects to the cluster. It is not changed. It has no default:
	// nothing is ever applied to whichever cluster a kubeconfig happens to name.
	// Where it sets no rate limit, only [Reconciler.Concurrency] and the
	// server's own limits hold requests back.
	Config *rest.Config
	// Name tells apart the installations on one cluster: a DNS label. If empty,
	// [DefaultName].
	Name string
	// Namespace is where the inventory is kept, unless the Reconciler has a Store
	// of its own. It is created if it is missing. If empty, [DefaultNamespace].
	Namespace string
}

// Selector returns a label selector that matches every object that the
// installation applied, of whatever kind.
func (t Target) Selector() string { return inventory.PartOf + "=" + t.id() }

// InstallationName returns Name or, if it is empty, [DefaultName].
func (t Target) InstallationName() string { return t.name() }

func (t Target) id() string { return inventory.ID(t.namespace(), t.name()) }

func (t Target) name() string      { return cmp.Or(t.Name, DefaultName) }
func (t Target) namespace() string { return cmp.Or(t.Namespace, DefaultNamespace) }
