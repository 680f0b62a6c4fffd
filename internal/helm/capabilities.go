package helm

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/crd"
	"github.com/strata-go/strata/internal/manifest"
	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// DefaultKubeVersion is the version of Kubernetes that templates see when the
// cluster's is not known. (Helm's own default, v1.20, is refused by charts.)
const DefaultKubeVersion = "v1.37.0"

// Capabilities are what templates may know of the cluster.
type Capabilities struct {
	// KubeVersion is the cluster's version, as it reports it ("v1.33.1"). If
	// empty, [DefaultKubeVersion].
	KubeVersion string
	// APIVersions are what the cluster serves, as [APIVersions] returns it. If
	// empty, the versions of Kubernetes' own kinds.
	APIVersions []string
	// Bring returns what the cluster serves in addition once it was given these
	// definitions. If nil, what they say.
	Bring func(definitions []manifest.Object) []string
}

// With returns what templates may know of the cluster once it was given these
// definitions.
func (c Capabilities) With(definitions []manifest.Object) Capabilities {
	if len(definitions) == 0 {
		return c
	}
	bring := c.Bring
	if bring == nil {
		bring = served
	}
	if len(c.APIVersions) == 0 {
		c.APIVersions = chartutil.DefaultVersionSet
	}
	c.APIVersions = slices.Concat(c.APIVersions, bring(definitions))
	return c
}

// served returns what definitions say that a cluster serves by them.
func served(definitions []manifest.Object) []string {
	var kinds []schema.GroupVersionKind
	for _, o := range definitions {
		kinds = append(kinds, crd.Read(o.Unstructured).Kinds()...)
	}
	return APIVersions(slices.Values(kinds))
}

// APIVersions returns kinds as templates see them: both as "apps/v1" and as
// "apps/v1/Deployment", sorted.
func APIVersions(kinds iter.Seq[schema.GroupVersionKind]) []string {
	set := map[string]bool{}
	for kind := range kinds {
		gv := kind.GroupVersion().String()
		set[gv], set[gv+"/"+kind.Kind] = true, true
	}
	return slices.Sorted(maps.Keys(set))
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
