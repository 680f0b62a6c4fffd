package main

import (
	"context"
	"fmt"

	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

// runScheduler runs kube-scheduler.
func runScheduler(ctx context.Context, args []string) error {
	registry, err := newRegistry()
	if err != nil {
		return err
	}
	opts := options.NewOptions()
	opts.ComponentGlobalsRegistry = registry
	if err := parseFlags(opts.Flags.FlagSets, registry, args); err != nil {
		return err
	}
	config, scheduler, err := app.Setup(ctx, opts)
	if err != nil {
		return fmt.Errorf("making the configuration: %w", err)
	}
	return app.Run(ctx, config, scheduler)
}
