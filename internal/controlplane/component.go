package main

import (
	"fmt"

	"github.com/spf13/pflag"
	"k8s.io/apiserver/pkg/util/compatibility"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	basecompatibility "k8s.io/component-base/compatibility"
)

// newRegistry returns a registry of versions and feature gates for one
// component. Each needs its own here, because the process-wide one can be set
// only by one set of flags.
func newRegistry() (basecompatibility.ComponentGlobalsRegistry, error) {
	gates := utilfeature.DefaultMutableFeatureGate.DeepCopy()
	version := compatibility.DefaultBuildEffectiveVersion()
	version.SetEmulationVersion(gates.EmulationVersion())
	version.SetMinCompatibilityVersion(gates.MinCompatibilityVersion())
	registry := basecompatibility.NewComponentGlobalsRegistry()
	if err := registry.Register(basecompatibility.DefaultKubeComponent, version, gates); err != nil {
		return nil, fmt.Errorf("registering feature gates: %w", err)
	}
	return registry, nil
}

// parseFlags parses the flags of a component as its command would.
func parseFlags(sets map[string]*pflag.FlagSet, registry basecompatibility.ComponentGlobalsRegistry, args []string) error {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, set := range sets {
		all.AddFlagSet(set)
	}
	if err := all.Parse(args); err != nil {
		return fmt.Errorf("parsing flags: %w", err)
	}
	if err := registry.Set(); err != nil {
		return fmt.Errorf("setting feature gates: %w", err)
	}
	return nil
}
