package inventory

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/kube"
)

// A Place is where the record of an installation is kept. Places are comparable.
type Place struct{ Namespace, Name string }

// Find returns the places of all records that are kept in Secrets of a
// namespace, or of all if it is empty, sorted.
func Find(ctx context.Context, client *kube.Client, namespace string) ([]Place, error) {
	list, err := client.ListMetadata(ctx, secrets, namespace, parentID)
	if err != nil {
		return nil, err
	}
	var places []Place
	for _, o := range list {
		name, ours := strings.CutPrefix(o.Name, secretName(""))
		if ours && o.Labels[parentID] == ID(o.Namespace, name) && strings.HasPrefix(o.Annotations[tooling], kube.Manager+"/") {
			places = append(places, Place{o.Namespace, name})
		}
	}
	slices.SortFunc(places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return places, nil
}
