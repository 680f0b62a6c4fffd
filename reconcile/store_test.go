package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

func TestE2ESecretStore(t *testing.T) {
	needsControlPlane(t)
	config, _, _ := recorded(t)
	client, err := kube.New(config)
	if err != nil {
		t.Fatal(err)
	}
	reconciletest.TestStore(t, func(*testing.T) reconcile.Store { return perCall{client} })
}

// perCall gives each caller a store of its own, as sessions do.
type perCall struct{ client *kube.Client }

func (p perCall) store() *inventory.Secrets {
	return &inventory.Secrets{Client: p.client, Namespace: "store-test"}
}

func (p perCall) Load(ctx context.Context, name string) ([]byte, string, error) {
	return p.store().Load(ctx, name)
}

func (p perCall) Save(ctx context.Context, name string, data []byte, version string) (string, error) {
	s := p.store()
	if version != "" {
		if _, _, err := s.Load(ctx, name); err != nil { // as a session does, so that it knows of further parts
			return "", err
		}
	}
	return s.Save(ctx, name, data, version)
}

func (p perCall) Delete(ctx context.Context, name string) error { return p.store().Delete(ctx, name) }

// A stack is reconciled just so with its record elsewhere.
func TestE2EOtherStore(t *testing.T) {
	l := newLife(t, "elsewhere")
	store := new(reconcile.MemoryStore)
	l.engine.Store = store
	d := manifests(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: elsewhere}\n")
	l.converge(d)
	if data, _, err := store.Load(l.ctx, "elsewhere"); err != nil || len(data) == 0 {
		t.Errorf("the store has %d bytes, %v", len(data), err)
	}
	if result, err := l.engine.Reconcile(l.ctx, l.target, d); err != nil || len(result.Steps) > 0 {
		t.Errorf("the second reconcile = %+v, %v; want nothing done", result, err)
	}
	if _, err := l.engine.DeleteAndWait(l.ctx, l.target); err != nil {
		t.Error(err)
	}
}

// While one process changes an installation, another keeps off.
func TestE2EBusy(t *testing.T) {
	l := newLife(t, "busy")
	d := manifests(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: busy}\n")
	inv := new(inventory.Inventory)
	inv.Holder = inventory.Holder{Name: "somebody else", Until: time.Now().Add(time.Hour)}
	store := new(reconcile.MemoryStore)
	l.engine.Store = store
	if err := (inventory.Keeper{Store: store, Name: "busy"}).Save(l.ctx, inv); err != nil {
		t.Fatal(err)
	}
	result, err := l.engine.Reconcile(l.ctx, l.target, d)
	if busy := asError[*reconcile.BusyError](t, err); busy.Holder != "somebody else" || result.RetryAfter < time.Minute || errors.Is(err, reconcile.ErrTerminal) {
		t.Errorf("Reconcile = %+v, %v; want to come back when the other is gone", result, err)
	}
	if _, writes := l.rec.take(); len(writes) > 0 {
		t.Errorf("something was written: %v", writes)
	}
	l.engine.Identity = "too late" // identities are fixed with the first call
	mine := &reconcile.Reconciler{Store: store, Identity: "somebody else"}
	if _, err := mine.Converge(l.ctx, l.target, d); err != nil {
		t.Errorf("the same identity gets %v", err)
	}
	if _, err := l.engine.DeleteAndWait(l.ctx, l.target); err != nil {
		t.Error(err)
	}
}

// Several processes on one target end at the same state, whoever wins.
func TestE2ETogether(t *testing.T) {
	l := newLife(t, "together")
	text := ""
	for i := range 30 {
		text += fmt.Sprintf("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: together-%d}\n", i)
	}
	d := manifests(t, text)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := new(reconcile.Reconciler).Converge(l.ctx, l.target, d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if result, err := l.engine.Reconcile(l.ctx, l.target, d); err != nil || !result.Ready || len(result.Steps) > 0 {
		t.Errorf("after all, Reconcile = %+v, %v; want nothing to do", result, err)
	}
	if _, err := l.engine.DeleteAndWait(l.ctx, l.target); err != nil {
		t.Error(err)
	}
}
