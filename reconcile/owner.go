package reconcile

import (
	"context"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

// neighbours are the installations whose records are beside that of the session,
// by the ID that is on their objects. They are looked for when first needed.
type neighbours struct {
	once  sync.Once
	names map[string]string
}

// installation says for people which installation has an ID: by its name if
// that can be found, which is a help and no more, so that errors do not count.
func (s *session) installation(ctx context.Context, id string) string {
	s.neighbours.once.Do(func() {
		s.neighbours.names = map[string]string{}
		places, _ := inventory.Find(ctx, s.client, s.target.namespace())
		for _, p := range places {
			s.neighbours.names[inventory.ID(p.Namespace, p.Name)] = p.Name
		}
	})
	if name, ok := s.neighbours.names[id]; ok {
		return `the installation "` + name + `"`
	}
	return "the installation with the ID " + id
}

// owner says who an object that is not ours seems to belong to.
func (s *session) owner(ctx context.Context, live *metav1.PartialObjectMetadata) string {
	if id := live.Labels[inventory.PartOf]; id != "" {
		return s.installation(ctx, id)
	}
	if release := markedFor(live); release.name != "" {
		return "the Helm release " + release.namespace + "/" + release.name
	}
	return "its managers " + quoteAll(kube.Managers(live.ManagedFields))
}
