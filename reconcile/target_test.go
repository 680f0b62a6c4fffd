package reconcile_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

func TestTargetID(t *testing.T) {
	t.Parallel()
	at := func(host string) *rest.Config { return &rest.Config{Host: host} }
	for _, tt := range []struct {
		target reconcile.Target
		id     reconcile.TargetID
		text   string
	}{
		{reconcile.Target{Config: at("https://me:secret@10.0.0.1:6443/?token=secret"), Cluster: "eu"}, reconcile.TargetID{Cluster: "eu", Installation: "default"}, "eu"},
		{reconcile.Target{Config: at("https://me:secret@10.0.0.1:6443/k8s/c-1/?token=secret")}, reconcile.TargetID{Cluster: "10.0.0.1:6443/k8s/c-1", Installation: "default"}, "10.0.0.1:6443/k8s/c-1"},
		{reconcile.Target{Config: at("localhost:8080"), Name: "apps"}, reconcile.TargetID{Cluster: "localhost:8080", Installation: "apps"}, "localhost:8080/apps"},
		{reconcile.Target{Cluster: "eu", Name: "apps", Namespace: "team"}, reconcile.TargetID{Cluster: "eu", Installation: "team/apps"}, "eu/team/apps"},
		{reconcile.Target{}, reconcile.TargetID{Installation: "default"}, "default"},
		{reconcile.Target{Config: at("https://me:secret@%zz")}, reconcile.TargetID{Installation: "default"}, "default"},
	} {
		if id := tt.target.ID(); id != tt.id || id.String() != tt.text {
			t.Errorf("%q is %+v %q, want %+v %q", tt.target.Cluster, id, id, tt.id, tt.text)
		}
	}
}

// A target that cannot be is found before anything is asked or written.
func TestTargetIsChecked(t *testing.T) {
	t.Parallel()
	var cluster reconciletest.Simulation
	var faults reconciletest.Faults
	config := cluster.Config()
	config.Wrap(faults.Wrap)
	for _, target := range []reconcile.Target{{}, {Config: config, Name: "Team One"}, {Config: config, Namespace: "a/b"}} {
		_, err := reconcile.Reconcile(t.Context(), target, configMapsOf(t, 1))
		if !errors.Is(err, reconcile.ErrTerminal) || !strings.Contains(err.Error(), "target: ") {
			t.Errorf("the error of %+v is %v", target, err)
		}
	}
	if asked := faults.Take(); len(asked) > 0 {
		t.Errorf("the cluster was asked: %v", asked)
	}
}

// One Reconciler serves many clusters: events, statuses and the log tell whose
// they are.
func TestManyTargets(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[reconcile.TargetID][]string{}
	var log bytes.Buffer
	r := &reconcile.Reconciler{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		OnEvent: func(e reconcile.Event) {
			mu.Lock()
			defer mu.Unlock()
			seen[e.Target] = append(seen[e.Target], e.Layer)
		},
	}
	d := configMapsOf(t, 1)
	var wg sync.WaitGroup
	for _, name := range []string{"eu", "us"} {
		wg.Go(func() {
			var cluster reconciletest.Simulation
			target := reconcile.Target{Config: cluster.Config(), Cluster: name}
			if _, err := r.Converge(t.Context(), target, d); err != nil {
				t.Error(err)
			}
			if s, err := r.Status(t.Context(), target); err != nil || s.Target != target.ID() {
				t.Errorf("the status of %s is of %+v, %v", name, s, err)
			}
		})
	}
	wg.Wait()
	for _, name := range []string{"eu", "us"} {
		if all := seen[reconcile.TargetID{Cluster: name, Installation: "default"}]; len(all) < 2 || !strings.Contains(log.String(), "cluster="+name+" installation=default") {
			t.Errorf("%s has the events %q, and the log is %s", name, all, &log)
		}
	}
}
