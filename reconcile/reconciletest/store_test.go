package reconciletest_test

import (
	"testing"

	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	reconciletest.TestStore(t, func(*testing.T) reconcile.Store { return new(reconcile.MemoryStore) })
}

func TestFileStore(t *testing.T) {
	t.Parallel()
	reconciletest.TestStore(t, func(t *testing.T) reconcile.Store { return &reconcile.FileStore{Dir: t.TempDir() + "/new"} })
}
