package main

import (
	"context"
	"fmt"

	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
)

// runControllers runs kube-controller-manager.
func runControllers(ctx context.Context, args []string) error {
	registry, err := newRegistry()
	if err != nil {
		return err
	}
	opts, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return fmt.Errorf("making options: %w", err)
	}
	opts.ComponentGlobalsRegistry = registry
	known, disabled, aliases := app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases()
	sets := opts.Flags(known, disabled, aliases)
	if err := parseFlags(sets.FlagSets, registry, args); err != nil {
		return err
	}
	opts.ParsedFlags = &sets
	config, err := opts.Config(ctx, known, disabled, aliases)
	if err != nil {
		return fmt.Errorf("making the configuration: %w", err)
	}
	return app.Run(ctx, config.Complete())
}
