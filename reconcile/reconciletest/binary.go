package reconciletest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// kubernetesVersion is the release that internal/controlplane is built from. The
// link that its build script makes is named after it.
const kubernetesVersion = "v1.36.3"

// ErrNotBuilt says that the binary of the control plane is not there.
var ErrNotBuilt = errors.New("the test control plane is not built")

// binary finds the control plane. It follows the same rule as build.sh.
func binary() (string, error) {
	path := os.Getenv("STRATA_CONTROLPLANE")
	if path == "" {
		cache := cmp.Or(os.Getenv("STRATA_CACHE"), os.Getenv("XDG_CACHE_HOME"))
		if cache == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", fmt.Errorf("looking for the cache directory: %w", err)
			}
			cache = filepath.Join(home, ".cache")
		}
		path = filepath.Join(cache, "strata", "controlplane-"+kubernetesVersion)
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: %w\n"+
			"To build it, run this in a checkout of Strata (it takes minutes, once):\n"+
			"\tmake controlplane\n"+
			"or set STRATA_CONTROLPLANE to the path of one that is built", ErrNotBuilt, err)
	}
	return path, nil
}
