package reconcile

import (
	"context"
	"io/fs"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/readiness"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
)

// render fills in what the layer consists of. was is what the inventory says of
// it, or nil.
func (s *session) render(ctx context.Context, l *layerWork, was *inventory.Layer) error {
	if cached, ok := s.rendered[l.Name]; ok && cached.inputs == l.inputs {
		l.output = cached.output
	} else {
		output, err := s.renderAnew(ctx, l, was)
		if err != nil {
			return err
		}
		l.output = output
		s.rendered[l.Name] = rendered{l.inputs, output}
	}
	for _, ns := range l.output.Namespaces {
		l.namespaces = append(l.namespaces, inventory.Namespace{Name: ns.Name, Labels: ns.Labels, Annotations: ns.Annotations})
	}
	return s.checkReleases(ctx, l, was)
}

func (s *session) renderAnew(ctx context.Context, l *layerWork, was *inventory.Layer) (*render.Output, error) {
	for _, c := range l.Readiness {
		if _, err := readiness.NewChecker(c); err != nil {
			return nil, err
		}
	}
	var content fs.FS
	if !l.Pin.Zero() {
		var err error
		if content, err = s.fetcher().Fetch(ctx, l.Pin); err != nil {
			return nil, err
		}
	}
	pinned, err := l.WithContent(func(pin layer.Pin) (fs.FS, error) {
		if pin == l.Pin {
			return content, nil
		}
		return s.fetcher().Fetch(ctx, pin)
	})
	if err != nil {
		return nil, err
	}
	version, err := s.client.ServerVersion(ctx)
	if err != nil {
		return nil, err
	}
	apis, err := s.client.APIVersions(ctx)
	if err != nil {
		return nil, err
	}
	revisions := map[string]int{}
	if was != nil {
		for _, r := range was.Releases {
			revisions[r.Name] = r.Revision
		}
	}
	return render.Layer(ctx, render.Input{
		Layer: pinned.Layer, Values: []byte(pinned.Values), Bind: pinned.Bind, Content: content,
		Capabilities: helm.Capabilities{KubeVersion: version, APIVersions: apis}, Releases: revisions,
	})
}
