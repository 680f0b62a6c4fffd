package main

import (
	"context"
	"fmt"
	"net"

	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// runAPIServer runs kube-apiserver on a listener that is open already, so that
// no other process can take the port between choosing and using it.
func runAPIServer(ctx context.Context, listener net.Listener, args []string) error {
	registry, err := newRegistry()
	if err != nil {
		return err
	}
	opts := options.NewServerRunOptions()
	opts.GenericServerRunOptions.ComponentGlobalsRegistry = registry
	sets := opts.Flags()
	if err := parseFlags(sets.FlagSets, registry, args); err != nil {
		return err
	}
	opts.SecureServing.Listener = listener
	if address, ok := listener.Addr().(*net.TCPAddr); ok {
		opts.SecureServing.BindPort = address.Port
	}
	completed, err := opts.Complete(ctx)
	if err != nil {
		return fmt.Errorf("completing options: %w", err)
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return fmt.Errorf("validating options: %v", errs)
	}
	return app.Run(ctx, completed)
}
