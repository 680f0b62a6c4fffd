package profile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/nearest"
)

// AllClouds is the cloud type of add-on profiles, and of packs, that fit every
// cloud.
const AllClouds = "all"

// Cloud types with a meaning of their own.
const (
	genericCloud = "generic" // of profiles that name none
	customClouds = "custom"  // in packs: every cloud that is not well known
)

// CloudTypes returns the well-known cloud types, as Palette has them. Any other
// DNS label is the type of a custom cloud, unless it is so near to a known one
// that it must be a typing error.
func CloudTypes() []string {
	return []string{AllClouds, "aks", "apache-cloudstack", "aws", "azure", "baremetal", "edge", "edge-native", "eks", "gcp", genericCloud, "gke", "maas", "nested", "virtual", "vsphere"}
}

// Cloud returns the cloud type of p, or what stands for it if it has none.
func (p *Profile) Cloud() string {
	if p.CloudType == "" && p.Type == AddOn {
		return AllClouds
	}
	return cmp.Or(p.CloudType, genericCloud)
}

func (v *validator) cloud() {
	known := CloudTypes()
	switch c := v.CloudType; {
	case c == "":
	case c == AllClouds && v.Type != AddOn:
		v.problem(ErrInvalid, "spec.cloudType", "is %q, which only an add-on profile may say; name the cloud", c)
	case slices.Contains(known, c):
	case !dnsLabel.MatchString(c):
		v.problem(ErrInvalid, "spec.cloudType", "is %q; want one of %s, or the name of a custom cloud, a DNS label", c, strings.Join(known, ", "))
	case len(c) > 3 && nearest.Name(c, known) != "":
		v.problem(ErrInvalid, "spec.cloudType", "%q is not known%s", c, nearest.Hint(c, known))
	}
}

// offered reports whether a pack for some clouds, all if it names none, can be
// used in one.
func offered(clouds []string, cloud string) bool {
	if len(clouds) == 0 || cloud == AllClouds || slices.Contains(clouds, AllClouds) || slices.Contains(clouds, cloud) {
		return true
	}
	return slices.Contains(clouds, customClouds) && !slices.Contains(CloudTypes(), cloud)
}
