// Command status keeps a small stack on a cluster, and shows on a web page how
// it is: its layers, their health, drift, and what happens while it happens.
//
//	go run ./status
//
// Then open the address that it prints, and change something by hand, as with
//
//	kubectl -n status-example patch configmap settings --type merge -p '{"data":{"colour":"red"}}'
//
// It brings its own control plane. With -kubeconfig it uses a cluster of yours
// instead, and with -delete it removes everything again at its end.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
	"github.com/strata-go/strata/reconcile/statuspage"
)

//go:embed stack.yaml
var stack []byte

func main() {
	kubeconfig := flag.String("kubeconfig", "", "use the cluster of this `file`, not one of our own")
	listen := flag.String("listen", "127.0.0.1:8080", "serve the page at this `address`")
	remove := flag.Bool("delete", false, "delete the stack at the end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err == nil {
		err = withCluster(ctx, *kubeconfig, func(config *rest.Config) error { return run(ctx, config, listener, *remove, os.Stdout) })
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "status:", err)
		os.Exit(1) //nolint:gocritic // stop only gives the signal back
	}
}

// withCluster runs do with a cluster: the user's, or one that ends with it.
func withCluster(ctx context.Context, kubeconfig string, do func(*rest.Config) error) error {
	if kubeconfig != "" {
		config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
		if err != nil {
			return err
		}
		return do(config)
	}
	cluster, err := reconciletest.StartControlPlane(ctx, os.Stderr)
	if err != nil {
		return err
	}
	return errors.Join(do(cluster.Config), cluster.Close())
}

// run serves the page, and keeps the cluster at the stack until ctx is done.
func run(ctx context.Context, config *rest.Config, listener net.Listener, remove bool, out io.Writer) error {
	p, err := profile.Parse(stack)
	if err != nil {
		return err
	}
	desired, err := profile.Resolve(ctx, nil, nil, p)
	if err != nil {
		return err
	}
	target := reconcile.Target{Config: config, Cluster: "example", Name: "shop"}
	page := new(statuspage.Handler)
	page.Show(target)
	r := &reconcile.Reconciler{OnEvent: page.OnEvent}
	server := &http.Server{
		Handler: page, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx }, // ends the streams of events, too
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(out, "http://%s shows how it goes; Ctrl-C ends it\n", listener.Addr())

	err = r.Watch(ctx, target, desired)
	if remove {
		later, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_, deleted := r.DeleteAndWait(later, target)
		err = errors.Join(err, deleted)
	}
	closed := server.Close()
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		closed = errors.Join(closed, ended)
	}
	return errors.Join(err, closed)
}
