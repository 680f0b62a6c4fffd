package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
	"github.com/strata-go/strata/registry/registrytest"
)

// name is that of the installation, and of the cluster in macros.
const name = "quickstart"

// setUp makes ready what everything else works with.
func (l *life) setUp(ctx context.Context) error {
	config, err := l.connect(ctx)
	if err != nil {
		return err
	}
	if l.kubectl, err = newKubectl(config); err != nil {
		return err
	}
	if l.server, err = registrytest.Start(); err != nil {
		return err
	}
	l.registry = l.server.Client()
	l.token = rand.Text()
	l.target = reconcile.Target{Config: config, Name: name}
	l.reconciler = &reconcile.Reconciler{Fetcher: l.registry, OnEvent: l.progress}

	pushed, err := push(ctx, l.registry, l.server.URL)
	if err != nil {
		return err
	}
	l.printf("A registry in this process, %s, with", l.server.URL)
	for _, pin := range pushed {
		l.printf("  %-4s  %s %s", pin.Format, pin.Name, pin.Resolved)
	}
	return nil
}

// connect returns the configuration of the cluster to use.
func (l *life) connect(ctx context.Context) (*rest.Config, error) {
	if l.kubeconfig != "" {
		return l.load()
	}
	began := time.Now()
	cluster, err := reconciletest.StartControlPlane(ctx, nil)
	if err != nil {
		return nil, err
	}
	l.cluster = cluster
	l.printf("A control plane, Kubernetes %s on %s, up in %s", cluster.Version, cluster.Config.Host, seconds(time.Since(began)))
	return cluster.Config, nil
}

// load reads the kubeconfig of the user's cluster.
func (l *life) load() (*rest.Config, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: l.kubeconfig},
		&clientcmd.ConfigOverrides{CurrentContext: l.context},
	).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", l.kubeconfig, err)
	}
	atEnd := "deletes it at the end"
	if l.keep {
		atEnd = "leaves it there (-keep)"
	}
	l.print(fmt.Sprintf(`Your cluster, %s. This program
- installs %q on it: in the namespaces quickstart and quickstart-monitoring,
  with storage classes quickstart-* and a record of it in %s;
- changes some of that by hand, repairs it, upgrades it;
- %s.
It touches nothing else.
`, config.Host, name, reconcile.DefaultNamespace, atEnd))
	return config, nil
}

// close ends what setUp started.
func (l *life) close() error {
	var errs []error
	if l.server != nil {
		errs = append(errs, l.server.Close())
	}
	if l.cluster != nil {
		errs = append(errs, l.cluster.Close())
	}
	return errors.Join(errs...)
}
