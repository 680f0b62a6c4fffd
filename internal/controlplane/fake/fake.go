// Package fake stands in for the parts of a cluster that a control plane expects
// around it and that need machines: a node whose kubelet only reports that
// containers run, load balancers that only have an address, and volumes that
// hold nothing. It also deletes namespaces, with Kubernetes' own code, but
// without the sleeps of the controller that does it in production, and helps the
// API server to delete definitions of custom resources.
//
// What a pod, a service or a claim has to suffer is written in its annotations:
//
//	strata.dev/test-fail: "true"         its containers never become ready; where they should finish, they fail
//	strata.dev/test-pending: "true"      it never starts, gets no address, or is never bound
//	strata.dev/test-image-pull: "fail"   its containers wait with ImagePullBackOff
//	strata.dev/test-ready-after: "2s"    its containers become ready that long after the start
//	strata.dev/test-finish-after: "2s"   where they should finish, they do so that long after the start
//	strata.dev/test-crash: "main"        that container ends with an error again and again, and waits to be restarted
//	strata.dev/test-restarted: "main"    that container ended with an error once, and runs since
//	strata.dev/test-log: "text"          what its containers say in their logs
//	strata.dev/test-log-main: "text"     what the container main says
//	strata.dev/test-log-before: "text"   what the container that ended with an error said before
package fake

import (
	"context"
	"crypto/tls"
	"fmt"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// Start registers the node and starts everything else, until ctx is done. The
// certificate is that of the kubelet, and must name the address 127.0.0.1.
func Start(ctx context.Context, cfg *rest.Config, certificate tls.Certificate) error {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1 // the fakes must never be what a test waits for
	cfg.UserAgent = "strata-test-fakes"
	metadataClient, err := metadata.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("making a metadata client: %w", err)
	}
	dynamicClient, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("making a dynamic client: %w", err)
	}
	cfg.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	k := newKubelet(client, factory)
	port, err := k.serveLogs(ctx, certificate)
	if err != nil {
		return err
	}
	if err := registerNode(ctx, client, port); err != nil {
		return err
	}
	for _, start := range []func() error{
		func() error { return startLoop(ctx, k.sync, factory.Core().V1().Pods().Informer()) },
		func() error { return startLoadBalancers(ctx, client, factory) },
		func() error { return startVolumes(ctx, client, factory) },
		func() error { return startDefinitions(ctx, dynamicClient) },
		func() error { return startNamespaces(ctx, client, metadataClient, factory) },
	} {
		if err := start(); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	return nil
}
