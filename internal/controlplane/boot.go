package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/strata-go/strata/internal/controlplane/fake"
)

// boot starts every component and returns when a test can begin: the API serves,
// the node is ready and the controllers work. ctx bounds the boot only; the
// components run until the process ends, or report why not.
func boot(ctx context.Context, dir *stateDir, failed failureChan) (ready, error) {
	life := context.WithoutCancel(ctx)
	said := progress()
	etcd, err := startEtcd(ctx, dir, failed)
	if err != nil {
		return ready{}, err
	}
	said("etcd started")

	listener, creds, err := credentialsFor(dir)
	if err != nil {
		return ready{}, err
	}
	client, err := kubernetes.NewForConfig(creds.admin)
	if err != nil {
		return ready{}, fmt.Errorf("making a client: %w", err)
	}
	go failed.run("kube-apiserver", func() error { return runAPIServer(life, listener, apiserverFlags(dir, etcd)) })
	if err := awaitAPI(ctx, client); err != nil {
		return ready{}, err
	}
	said("kube-apiserver is ready")

	go failed.run("kube-controller-manager", func() error { return runControllers(life, controllersFlags(dir)) })
	go failed.run("kube-scheduler", func() error { return runScheduler(life, schedulerFlags(dir)) })
	// The fake kubelet is found at the same address, so it has the same name.
	certificate, err := tls.LoadX509KeyPair(dir.file(serverFile+".crt"), dir.file(serverFile+".key"))
	if err != nil {
		return ready{}, fmt.Errorf("reading the kubelet's certificate: %w", err)
	}
	if err := fake.Start(life, creds.admin, certificate); err != nil {
		return ready{}, err
	}
	if err := awaitControllers(ctx, client); err != nil {
		return ready{}, err
	}
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		return ready{}, fmt.Errorf("asking for the version: %w", err)
	}
	said("controllers and scheduler are ready")
	return ready{Version: version.GitVersion, Kubeconfig: string(creds.kubeconfig), Dir: dir.path}, nil
}

// credentialsFor chooses a port and makes the credentials for it, or takes both
// from the process that used the directory before.
func credentialsFor(dir *stateDir) (net.Listener, *credentials, error) {
	before, again, err := dir.saved()
	if err != nil {
		return nil, nil, err
	}
	address := "127.0.0.1:0"
	var creds *credentials
	if again {
		if creds, err = credentialsOf([]byte(before.Kubeconfig)); err != nil {
			return nil, nil, err
		}
		address = strings.TrimPrefix(creds.admin.Host, "https://")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("choosing a port: %w", err)
	}
	if !again {
		creds, err = writeCredentials(dir, "https://"+listener.Addr().String())
	}
	return listener, creds, err
}

// progress returns a function that says on stderr how far the boot has come.
func progress() func(what string) {
	begin := time.Now()
	return func(what string) {
		fmt.Fprintf(os.Stderr, "controlplane: %s (%.1fs)\n", what, time.Since(begin).Seconds())
	}
}

// awaitAPI waits until the API server says that it is ready.
func awaitAPI(ctx context.Context, client kubernetes.Interface) error {
	return await(ctx, "kube-apiserver", func(ctx context.Context) error {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	})
}

// awaitControllers waits for a service account that a controller makes. Without
// it, pods of the default namespace would be refused.
func awaitControllers(ctx context.Context, client kubernetes.Interface) error {
	return await(ctx, "kube-controller-manager", func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// await calls check until it succeeds. The error of a wait that was too long has
// the last failure of check in it.
func await(ctx context.Context, who string, check func(context.Context) error) error {
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		last := check(attempt)
		cancel()
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w: %w", who, ctx.Err(), last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
