package reconcile

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
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
	// Cluster is what people call the cluster, in all targets on it the same. It
	// tells clusters apart in events, metrics and the like, and those that have one
	// address, as behind tunnels. If empty, the address of the API server.
	Cluster string
	// Name tells apart the installations on one cluster: a DNS label. If empty,
	// [DefaultName].
	Name string
	// Namespace is where the inventory is kept, unless the Reconciler has a Store
	// of its own. It is created if it is missing. If empty, [DefaultNamespace].
	Namespace string
}

// Selector returns a label selector that matches every object that the
// installation applied, of whatever kind.
func (t Target) Selector() string { return inventory.PartOf + "=" + t.partOf() }

// ID returns what names t.
func (t Target) ID() TargetID {
	id := TargetID{Cluster: t.Cluster, Installation: t.name()}
	if id.Cluster == "" && t.Config != nil {
		id.Cluster = address(t.Config.Host)
	}
	if t.namespace() != DefaultNamespace {
		id.Installation = t.namespace() + "/" + id.Installation
	}
	return id
}

// address returns the URL of an API server without what may be secret in it.
func address(host string) string {
	if !strings.Contains(host, "://") {
		host = "//" + host
	}
	u, err := url.Parse(host)
	if err != nil {
		return ""
	}
	return u.Host + strings.TrimSuffix(u.Path, "/")
}

// A TargetID names a [Target], in events, spans, metrics, records of the log and
// a [Status]. It is comparable, and holds nothing secret.
type TargetID struct {
	// Cluster is that of the Target or, if it has none, the address of its API
	// server without scheme and user.
	Cluster string `json:"cluster"`
	// Installation is the name of the Target, after its namespace and a slash if
	// that is not [DefaultNamespace].
	Installation string `json:"installation"`
}

// String returns "cluster/installation", or the cluster alone if the
// installation is [DefaultName].
func (id TargetID) String() string {
	switch {
	case id.Cluster == "":
		return id.Installation
	case id.Installation == DefaultName:
		return id.Cluster
	default:
		return id.Cluster + "/" + id.Installation
	}
}

// check finds what cannot be the target of anything.
func (t Target) check() error {
	var errs []error
	if t.Config == nil {
		errs = append(errs, errors.New("target: Config is nil; set it to the rest.Config of the cluster"))
	}
	for _, field := range [][2]string{{"Name", t.name()}, {"Namespace", t.namespace()}} {
		if len(validation.IsDNS1123Label(field[1])) > 0 {
			errs = append(errs, fmt.Errorf("target: %s is %q; want a DNS label: lower-case letters, digits and hyphens, at most 63", field[0], field[1]))
		}
	}
	return errors.Join(errs...)
}

func (t Target) partOf() string { return inventory.ID(t.namespace(), t.name()) }

func (t Target) name() string      { return cmp.Or(t.Name, DefaultName) }
func (t Target) namespace() string { return cmp.Or(t.Namespace, DefaultNamespace) }
