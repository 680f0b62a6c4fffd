package reconcile_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/reconcile/reconciletest"
)

// shared is the control plane of all tests in this package, which keep apart by
// the names of their targets and namespaces.
var shared *reconciletest.Cluster

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(beChild())
	}
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if testing.Short() {
		return m.Run()
	}
	// Before any test, and its time limit, begins: the first build takes minutes.
	_, err := helmBinary()
	if err != nil {
		fmt.Fprintln(os.Stderr, "building helm:", err)
		return 1
	}
	shared, err = reconciletest.StartControlPlane(context.Background(), nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := shared.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// needsControlPlane skips tests of the short, quick kind.
func needsControlPlane(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the control plane: run without -short")
	}
}

// recorder records the requests of a client, and makes them fail if a test wants.
type recorder struct{ reconciletest.Faults }

// take returns the requests since the last call.
func (r *recorder) take() (all, writes reconciletest.Requests) {
	all = r.Take()
	return all, all.Writes()
}

// recorded returns a configuration whose requests are recorded, and a plain
// client without, to look at the cluster with.
func recorded(t *testing.T) (*rest.Config, *recorder, *kubernetes.Clientset) {
	t.Helper()
	plain := rest.CopyConfig(shared.Config)
	plain.QPS = -1
	clientset, err := kubernetes.NewForConfig(plain)
	if err != nil {
		t.Fatal(err)
	}
	r := new(recorder)
	config := rest.CopyConfig(shared.Config)
	config.Wrap(r.Wrap)
	return config, r, clientset
}
