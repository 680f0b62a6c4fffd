package fake

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// workers is how many objects of one kind are worked on at once.
const workers = 4

// syncFunc brings one object to where it should be. It is called again after a
// failure, and after the returned duration if that is not zero.
type syncFunc func(ctx context.Context, name cache.ObjectName) (time.Duration, error)

// startLoop calls sync for each object of the informer whenever it changes, and
// never twice at once for the same object. It waits for the other informers too,
// because sync reads their caches.
func startLoop(ctx context.Context, sync syncFunc, informer cache.SharedIndexInformer, others ...cache.SharedIndexInformer) error {
	queue := workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](20*time.Millisecond, 2*time.Second))
	add := func(obj any) {
		if name, err := cache.DeletionHandlingObjectToName(obj); err == nil {
			queue.Add(name)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    add,
		UpdateFunc: func(_, obj any) { add(obj) },
		DeleteFunc: add,
	})
	if err != nil {
		return fmt.Errorf("watching: %w", err)
	}
	synced := []cache.InformerSynced{informer.HasSynced}
	for _, other := range others {
		synced = append(synced, other.HasSynced)
	}
	for range workers {
		go func() {
			if !cache.WaitForCacheSync(ctx.Done(), synced...) {
				return
			}
			for work(ctx, queue, sync) {
			}
		}()
	}
	context.AfterFunc(ctx, queue.ShutDown)
	return nil
}

// work handles one name of the queue. It returns false when there are no more.
func work(ctx context.Context, queue workqueue.TypedRateLimitingInterface[cache.ObjectName], sync syncFunc) bool {
	name, ended := queue.Get()
	if ended {
		return false
	}
	defer queue.Done(name)
	again, err := sync(ctx, name)
	if err != nil {
		klog.FromContext(ctx).Error(err, "Fake: trying again", "name", name)
		queue.AddRateLimited(name)
		return true
	}
	queue.Forget(name)
	if again > 0 {
		queue.AddAfter(name, again)
	}
	return true
}
