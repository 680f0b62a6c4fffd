// Command controlplane is a real Kubernetes control plane for tests, in one
// process: etcd, kube-apiserver, kube-controller-manager and kube-scheduler,
// with a node that only pretends to run containers (see package fake).
//
// It listens on loopback only. When it can be used it prints one line of JSON
// on stdout, a [ready] value. It ends when its standard input ends, so that it
// never outlives the program that holds the other end of that pipe, however that
// program ends. SIGTERM, SIGINT and SIGHUP end it too. Everything it writes is
// in one directory, which it removes at the end.
//
// Tests start it with package reconcile/reconciletest of the main module.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

// ready is what the process prints when the control plane can be used.
type ready struct {
	Version    string `json:"version"`    // of Kubernetes, for example v1.36.3
	Kubeconfig string `json:"kubeconfig"` // a whole kubeconfig of an administrator
	Dir        string `json:"dir"`        // state and logs
}

func main() {
	// A set of our own: dependencies add their flags to the common one.
	flags := flag.NewFlagSet("controlplane", flag.ExitOnError)
	timeout := flags.Duration("timeout", 2*time.Minute, "give up when the control plane is not ready by then")
	keep := flags.Bool("keep-dir", false, "leave the directory with the state and the logs behind")
	again := flags.String("again", "", "go on in this directory, which a control plane that was killed has left: same address, credentials and objects")
	_ = flags.Parse(os.Args[1:]) // it exits by itself
	if err := run(*timeout, *keep, *again); err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
	// The components are not asked to shut down: they would wait for each other
	// for seconds to save a state that nobody wants any more.
	os.Exit(0)
}

// run boots the control plane and returns when the process has to end.
func run(timeout time.Duration, keep bool, again string) (err error) {
	end := endRequested()
	// In a pod, components would take the cluster around it for theirs.
	if err := os.Unsetenv("KUBERNETES_SERVICE_HOST"); err != nil {
		return fmt.Errorf("leaving the surrounding cluster: %w", err)
	}
	dir, err := openStateDir(again, keep)
	if err != nil {
		return err
	}
	defer func() { err = dir.remove(err) }()
	if err := logToFile(dir.file(componentLog)); err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	failed := failures()
	booted := make(chan ready, 1)
	go func() {
		r, err := boot(ctx, dir, failed)
		if err != nil {
			failed.report(err)
			return
		}
		booted <- r
	}()

	for {
		select {
		case <-end:
			return nil
		case err := <-failed:
			return fmt.Errorf("%w\n%s", err, dir.lastLogLines(20))
		case r := <-booted:
			if err := dir.save(r); err != nil {
				return err
			}
			if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
				return fmt.Errorf("printing the ready line: %w", err)
			}
		}
	}
}
