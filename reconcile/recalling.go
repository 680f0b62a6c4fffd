package reconcile

import (
	"context"
	"maps"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/manifest"
)

// recall has templates give for a release that is taken over what they gave when
// Helm installed it, so that passwords stay what they are. Helm keeps only what
// became of them, the manifest. One value may be needed to find another that was
// made of it, so this goes on until nothing more is found.
func (o outlook) recall(ctx context.Context) error {
	l := o.layer
	for {
		found, err := o.recalled(ctx)
		if err != nil || len(found.Values) == 0 {
			return err
		}
		l.recalled.Add(found)
		if err := o.render(ctx, o.rendered[l.Name].revisions); err != nil {
			return err
		}
		if err := o.compareReleases(ctx, l, o.was); err != nil {
			return err
		}
	}
}

// recalled returns what templates gave Helm and did not give now.
func (o outlook) recalled(ctx context.Context) (found helm.Past, err error) {
	now := o.layer.output.Past
	if len(now.Values) == 0 {
		return found, nil
	}
	for _, r := range o.layer.releases {
		if r.standing != foreign {
			continue
		}
		earlier, err := o.deployed(ctx, r)
		if err != nil {
			return found, recording(r, err)
		}
		made, err := manifest.Parse(r.Name, []byte(r.Manifest))
		if err != nil {
			return found, recording(r, err)
		}
		found.Add(now.Recall(made, earlier))
	}
	maps.DeleteFunc(found.Values, func(call string, v helm.Result) bool {
		return v == now.Values[call] || v == o.layer.recalled.Values[call] // which is given no more if it is about to expire
	})
	return found, nil
}
