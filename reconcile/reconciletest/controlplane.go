package reconciletest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// ControlPlane boots a control plane for one test, which takes some seconds, and
// ends it when the test ends. It returns the credentials of an administrator,
// with the limits on requests that client-go has by default.
//
// A test without the binary fails: see the package comment on how to build it. Tests
// that should pass without it call [testing.Short] first and skip.
func ControlPlane(t testing.TB) *rest.Config {
	t.Helper()
	cluster, err := StartControlPlane(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	return cluster.Config
}

// Cluster is a running control plane.
type Cluster struct {
	// Config and Kubeconfig are two forms of the same credentials, of an
	// administrator in the group system:masters.
	Config     *rest.Config
	Kubeconfig []byte

	// Version is the version of Kubernetes, for example "v1.36.3".
	Version string

	process *process
	dir     string
}

// StartControlPlane boots a control plane and returns when it can be used. The
// caller must Close it; the end of the calling process, of any kind, ends it too.
//
// ctx bounds the start only. What the control plane says until it can be used, a
// few lines of text, is written to progress unless that is nil, and is in the
// error when the start fails. The error is [ErrNotBuilt] when there is no binary.
func StartControlPlane(ctx context.Context, progress io.Writer) (*Cluster, error) {
	path, err := binary()
	if err != nil {
		return nil, err
	}
	p, err := startProcess(progress, path)
	if err != nil {
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	said, err := p.await(ctx)
	if err != nil {
		_ = p.stop() // err says more than that it had to be stopped
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	cluster := &Cluster{Kubeconfig: []byte(said.Kubeconfig), Version: said.Version, process: p, dir: said.Dir}
	cluster.Config, err = clientcmd.RESTConfigFromKubeConfig(cluster.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig of the control plane: %w", errors.Join(err, cluster.Close()))
	}
	return cluster, nil
}

// Kill ends the control plane at once, with SIGKILL, as a machine that loses its
// power would. Its objects are kept until Restart or Close.
func (c *Cluster) Kill() error {
	if err := c.process.kill(); err != nil {
		return fmt.Errorf("killing the control plane: %w", err)
	}
	return nil
}

// Restart boots a control plane that was killed, with the same address,
// credentials and objects, and returns when it can be used. ctx bounds the start
// only.
func (c *Cluster) Restart(ctx context.Context) error {
	path, err := binary()
	if err != nil {
		return err
	}
	if c.process, err = startProcess(nil, path, "-again", c.dir); err != nil {
		return fmt.Errorf("starting the control plane again: %w", err)
	}
	if _, err := c.process.await(ctx); err != nil {
		_ = c.process.stop() // err says more than that it had to be stopped
		return fmt.Errorf("starting the control plane again: %w", err)
	}
	return nil
}

// Close ends the control plane and removes what it has written. It returns an
// error if the control plane had ended before, by itself: whatever was read from
// it can then not be relied on. It may be called more than once.
func (c *Cluster) Close() error {
	err := c.process.stop()
	// The process has removed its directory, unless it was killed.
	if removing := os.RemoveAll(c.dir); removing != nil {
		err = errors.Join(err, fmt.Errorf("removing the files of the control plane: %w", removing))
	}
	return err
}
