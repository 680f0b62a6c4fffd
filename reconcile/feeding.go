package reconcile

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/retry"
)

// settling is how long a watch lasts that is not taken for a failed try.
const settling = 10 * time.Second

// keep feeds f with the metadata of one kind until ctx is done. A watch that
// ends goes on where it was; where the server has forgotten that, and where it
// may be another server, the objects are listed anew.
func (f *feed) keep(ctx context.Context, resource kube.Resource) {
	var backoff retry.Backoff
	version := ""
	for ctx.Err() == nil {
		if version == "" {
			list, at, err := f.client.MetadataAt(ctx, resource, "", f.selector())
			if err == nil {
				f.replace(resource, list)
				version = at
			} else if f.log != nil && ctx.Err() == nil {
				f.log.WarnContext(ctx, "cannot watch, and tries again", "resource", resource.GroupResource().String(), "error", err)
			}
		}
		if version != "" {
			begun := time.Now()
			if err := f.follow(ctx, resource, &version); err != nil {
				if f.client.Forget(); apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || apierrors.IsNotFound(err) {
					version = ""
				}
			}
			if time.Since(begun) > settling {
				backoff.Reset()
			}
		}
		_ = backoff.Wait(ctx) // its error is that of ctx
	}
}

// follow watches one kind from a version on, and moves that on.
func (f *feed) follow(ctx context.Context, resource kube.Resource, version *string) error {
	w, err := f.client.WatchMetadata(ctx, resource, kube.Since{Selector: f.selector(), Version: *version})
	if err != nil {
		return err
	}
	defer w.Stop()
	return drain(ctx, w, func(e watch.Event) (bool, error) {
		if e.Type == watch.Error {
			return false, apierrors.FromObject(e.Object)
		}
		o, ok := e.Object.(*metav1.PartialObjectMetadata)
		if !ok {
			return false, nil
		}
		*version = o.ResourceVersion
		if e.Type != watch.Bookmark {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.set(resource, o, e.Type != watch.Deleted)
		}
		return false, nil
	})
}
