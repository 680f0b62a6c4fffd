package reconciletest_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/strata-go/strata/reconcile/reconciletest"
)

func clientOf(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func makeMap(t *testing.T, c kubernetes.Interface, name string) {
	t.Helper()
	if _, err := c.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"made": "here"}}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// client-go's own cache follows the simulation, also after its history is gone.
func TestInformer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sim reconciletest.Simulation
		c := clientOf(t, sim.Config())
		factory := informers.NewSharedInformerFactoryWithOptions(c, 0, informers.WithNamespace("default"))
		maps := factory.Core().V1().ConfigMaps()
		synced := maps.Informer().HasSynced
		ctx, cancel := context.WithCancel(t.Context())
		defer factory.Shutdown()
		defer cancel()
		factory.Start(ctx.Done())
		if !cache.WaitForCacheSync(ctx.Done(), synced) {
			t.Fatal("it is not synchronised")
		}
		for i := range 3 {
			makeMap(t, c, fmt.Sprintf("m%d", i))
			sim.Forget()
			time.Sleep(time.Minute) // it lists again when its back-off is over
			if _, err := maps.Lister().ConfigMaps("default").Get(fmt.Sprintf("m%d", i)); err != nil {
				t.Errorf("map %d: %v", i, err)
			}
		}
	})
}

func TestPages(t *testing.T) {
	t.Parallel()
	var sim reconciletest.Simulation
	c := clientOf(t, sim.Config())
	for i := range 5 {
		makeMap(t, c, fmt.Sprintf("m%d", i))
	}
	maps := c.CoreV1().ConfigMaps("default")
	first, err := maps.List(t.Context(), metav1.ListOptions{Limit: 2, LabelSelector: "made"})
	if err != nil || len(first.Items) != 2 || first.Continue == "" {
		t.Fatalf("the first page is %v, %v", first, err)
	}
	makeMap(t, c, "later")
	next := metav1.ListOptions{Limit: 9, LabelSelector: "made", Continue: first.Continue}
	rest, err := maps.List(t.Context(), next)
	if err != nil || len(rest.Items) != 3 || rest.Continue != "" || rest.ResourceVersion != first.ResourceVersion {
		t.Errorf("the rest is %v, %v; want the three of the version of the first page", rest, err)
	}
	sim.Forget()
	if _, err := maps.List(t.Context(), next); !apierrors.IsResourceExpired(err) {
		t.Errorf("the rest, after the history is gone: %v, want it expired", err)
	}
	w, err := maps.Watch(t.Context(), metav1.ListOptions{ResourceVersion: first.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	if e := <-w.ResultChan(); !apierrors.IsResourceExpired(apierrors.FromObject(e.Object)) {
		t.Errorf("a watch from before begins with %v, want it expired", e)
	}
}

// Programs that need a socket have it from httptest.
func TestSocket(t *testing.T) {
	t.Parallel()
	var sim reconciletest.Simulation
	server := httptest.NewServer(&sim)
	defer server.Close()
	c := clientOf(t, &rest.Config{Host: server.URL})
	w, err := c.CoreV1().ConfigMaps("default").Watch(t.Context(), metav1.ListOptions{LabelSelector: "made"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	makeMap(t, c, "a")
	if e := <-w.ResultChan(); e.Type != "ADDED" {
		t.Errorf("the watch sees %v", e)
	}
	maps := c.CoreV1().ConfigMaps("default")
	if err := maps.Delete(t.Context(), "a", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: new(types.UID("other"))}}); !apierrors.IsConflict(err) {
		t.Errorf("deleting another object of the name: %v, want a conflict", err)
	}
	if err := maps.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	version, err := c.ServerVersion()
	if err != nil || version.GitVersion != "v1.36.3" {
		t.Errorf("the version is %v, %v", version, err)
	}
}
