package layer

// A CRDPolicy says what becomes of the custom resource definitions of a layer,
// wherever they come from: templates, manifests, or the folder crds of a chart.
type CRDPolicy string

// The policies.
const (
	// CRDCreate makes those that are missing, and leaves the others as they are,
	// as Helm does with the folder crds.
	CRDCreate CRDPolicy = "create"
	// CRDUpgrade also brings those that are there to what the layer has, unless
	// that breaks objects or clients.
	CRDUpgrade CRDPolicy = "upgrade"
	// CRDNever leaves all of them to somebody else.
	CRDNever CRDPolicy = "never"
)

// Valid reports whether p is a known policy or zero.
func (p CRDPolicy) Valid() bool {
	return p == "" || p == CRDCreate || p == CRDUpgrade || p == CRDNever
}
