package pack

import (
	"io/fs"

	"github.com/strata-go/strata/layer"
)

// A Pack is an opened pack. Only [Open] makes one. It must not be modified;
// then it is safe for concurrent use.
type Pack struct {
	Name        string // a part of an OCI repository name, such as "cni-calico"
	DisplayName string
	Version     string // often not quite a semantic version: "24.04", "v1.12.0"
	Layer       string // as pack.json has it: "os", "kernel", "k8s", "cni", "csi" or "addon"
	Kind        layer.Kind

	CloudTypes   []string          // "all", "aws", "edge-native", ...
	AddonType    string            // "monitoring", "ingress", ...; free text
	AddonSubType string            // free text
	Group        string            // of versions, such as "LTS"; empty for none
	EndOfLife    string            // yyyy-MM-dd; empty if not known
	Annotations  map[string]string // free; the catalogue's own are "source", "system_state", ...

	Charts       []string // paths of chart archives, in the order of installation
	Manifests    []string // paths of manifests ("kubeManifests"), in the order of installation
	AnsibleRoles []string // of operating systems; names, not checked

	Constraints Constraints

	// Values is values.yaml as it is, comments included; empty if there is none.
	Values []byte

	files   fs.FS
	missing []error // see Complete
}

// FS returns the files of the pack. The paths in p are relative to its root.
func (p *Pack) FS() fs.FS { return p.files }

// Constraints are what a pack needs of the stack and of the machines.
type Constraints struct {
	Dependencies []Dependency
	Resources    []Resource
}

// A DependencyType says what a [Dependency] asks for.
type DependencyType string

// The dependency types. Bounds are inclusive.
const (
	Required     DependencyType = "required"     // the other pack must be in the stack, within the bounds
	Optional     DependencyType = "optional"     // if the other pack is in the stack, it must be within the bounds
	NotSupported DependencyType = "notSupported" // the other pack must not be in the stack within the bounds
	Upgrade      DependencyType = "upgrade"      // bounds the versions that this pack may be changed to
)

// A Dependency relates a pack to another one.
type Dependency struct {
	Pack       string
	Kind       layer.Kind     // of the layer of the other pack
	Type       DependencyType // empty in some old packs, which do not say
	MinVersion string         // if empty, no lower bound
	MaxVersion string         // if empty, no upper bound
}

// A Resource is a need for machines.
type Resource struct {
	Type       string      // "cpu", "memory" or "diskSize"
	MinLimit   float64     // millicores, MiB or GB
	Components []Component // if there are any, MinLimit does not count
}

// A Component is a part of a pack with a need that its values state.
type Component struct {
	RequestPath  string // dotted path in the values to the request of one replica
	ReplicasPath string // dotted path in the values to the number of replicas
	Schedule     string // the nodes: "all", "master", "control-plane" or "worker"
}
