package helm

import (
	"cmp"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/chartutil"
)

// DefaultKubeVersion is the version of Kubernetes that templates see when the
// cluster's is not known. (Helm's own default, v1.20, is refused by charts.)
const DefaultKubeVersion = "v1.37.0"

// Capabilities are what templates may know of the cluster.
type Capabilities struct {
	// KubeVersion is the cluster's version, as it reports it ("v1.33.1"). If
	// empty, [DefaultKubeVersion].
	KubeVersion string
	// APIVersions are what the cluster serves, both as "apps/v1" and as
	// "apps/v1/Deployment". If empty, the versions of Kubernetes' own kinds.
	APIVersions []string
}

func (c Capabilities) helm() (*chartutil.Capabilities, error) {
	version := "v" + strings.TrimPrefix(cmp.Or(c.KubeVersion, DefaultKubeVersion), "v")
	parsed, err := chartutil.ParseKubeVersion(version)
	if err != nil {
		return nil, fmt.Errorf("reading Kubernetes version %q: %w", version, err)
	}
	caps := chartutil.DefaultCapabilities.Copy()
	caps.KubeVersion = *parsed
	// As the cluster has it, with what its vendor added.
	caps.KubeVersion.Version = version
	if len(c.APIVersions) > 0 {
		caps.APIVersions = c.APIVersions
	}
	return caps, nil
}
