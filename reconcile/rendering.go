package reconcile

import (
	"context"
	"io/fs"
	"maps"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/readiness"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
)

// render fills in what the layer consists of. was is what the inventory says of
// it, or nil.
func (s *session) render(ctx context.Context, l *layerWork, was *inventory.Layer) error {
	is, ok := s.rendered[l.Name]
	if !ok || is.inputs != l.inputs {
		if err := s.renderAnew(ctx, l, was, revisionsOf(was)); err != nil {
			return err
		}
		is = s.rendered[l.Name]
	}
	l.output, l.inputs = is.output, is.inputs
	if err := s.compareReleases(ctx, l, was); err != nil {
		return err
	}
	// Which releases there are is known only now, and so is that other tools
	// changed them. Templates see the number of the revision.
	if revisions := l.corrected(is.revisions); !maps.Equal(revisions, is.revisions) {
		if err := s.renderAnew(ctx, l, was, revisions); err != nil {
			return err
		}
		l.output = s.rendered[l.Name].output
		if err := s.compareReleases(ctx, l, was); err != nil {
			return err
		}
	}
	for _, ns := range l.output.Namespaces {
		l.namespaces = append(l.namespaces, inventory.Namespace{Name: ns.Name, Labels: ns.Labels, Annotations: ns.Annotations})
	}
	return nil
}

// revisionsOf returns the revisions of the releases of a layer, or of nil.
func revisionsOf(was *inventory.Layer) map[string]int {
	revisions := map[string]int{}
	if was != nil {
		for _, r := range was.Releases {
			revisions[r.Name] = r.Revision
		}
	}
	return revisions
}

// renderAnew renders a layer, whose releases have the given revisions, and keeps
// the output.
func (s *session) renderAnew(ctx context.Context, l *layerWork, was *inventory.Layer, revisions map[string]int) error {
	for _, c := range l.Readiness {
		if _, err := readiness.NewChecker(c); err != nil {
			return err
		}
	}
	var content fs.FS
	if !l.Pin.Zero() {
		var err error
		if content, err = s.fetcher().Fetch(ctx, l.Pin); err != nil {
			return err
		}
	}
	pinned, err := l.WithContent(func(pin layer.Pin) (fs.FS, error) {
		if pin == l.Pin {
			return content, nil
		}
		return s.fetcher().Fetch(ctx, pin)
	})
	if err != nil {
		return err
	}
	version, err := s.client.ServerVersion(ctx)
	if err != nil {
		return err
	}
	apis, err := s.client.APIVersions(ctx)
	if err != nil {
		return err
	}
	output, err := render.Layer(ctx, render.Input{
		Layer: pinned.Layer, Values: []byte(pinned.Values), Bind: pinned.Bind, Content: content,
		Capabilities: helm.Capabilities{KubeVersion: version, APIVersions: apis}, Releases: revisions,
		Past: s.past(l, was), Lookup: s.lookup, Limits: helm.Limits(s.Templates),
	})
	if err != nil {
		return err
	}
	if err := s.postRender(l.Name, output); err != nil {
		return err
	}
	for _, secret := range output.Past.Secrets() {
		s.made.Add(secret)
	}
	inputs, err := s.inputs(ctx, l.base, output.Queries)
	if err == nil {
		s.rendered[l.Name] = rendered{l.base, inputs, revisions, output}
	}
	return err
}
