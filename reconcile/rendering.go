package reconcile

import (
	"cmp"
	"context"
	"io/fs"
	"maps"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/readiness"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// TemplateLimits bound what the templates of one chart may use. What real
// charts need is less than a tenth of the defaults.
type TemplateLimits struct {
	// Steps bounds the work: calls of functions and turns of loops, of which dear
	// ones count as many. A step is about a microsecond. If zero, 10 million.
	Steps int64
	// Memory bounds the bytes of all texts and lists that templates make, kept or
	// not. No single one may have more than an eighth of it. If zero, 256 MiB.
	Memory int64
}

// rendered is what a layer was rendered to, and from what.
type rendered struct {
	base      digest.Digest
	inputs    digest.Digest
	revisions map[string]int // of the releases, before
	output    *render.Output
}

// base returns the digest of what a layer is made from, without what its
// templates look at of the cluster.
func (s *session) base(l profile.PinnedLayer) digest.Digest {
	return digest.FromString(l.Digest().String() + string(cmp.Or(l.CRDs, s.CRDs)) + string(s.Drift) + s.identities())
}

// renderChanged renders the layer if there may be something to do for it.
func (o outlook) renderChanged(ctx context.Context) error {
	l, was := o.layer, o.was
	if settled(was, l.inputs, o.live, time.Now()) && !o.disturbed(was) && (!was.Ready.IsZero() || l.Manifests != nil) {
		l.namespaces = was.Namespaces
		return nil
	}
	if is, ok := o.rendered[l.Name]; !ok || is.inputs != l.inputs || o.looksAnew(is.output) {
		if err := o.render(ctx, revisionsOf(was)); err != nil {
			return err
		}
	}
	is := o.rendered[l.Name]
	l.output, l.inputs = is.output, is.inputs
	if err := o.compareReleases(ctx, l, was); err != nil {
		return err
	}
	// Which releases there are is known only now, and so is that other tools
	// changed them. Templates see the number of the revision.
	if revisions := l.corrected(is.revisions); !maps.Equal(revisions, is.revisions) {
		if err := o.render(ctx, revisions); err != nil {
			return err
		}
		if err := o.compareReleases(ctx, l, was); err != nil {
			return err
		}
	}
	if err := o.recall(ctx); err != nil {
		return err
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

// render renders the layer, whose releases have the given revisions, and keeps
// the output.
func (o outlook) render(ctx context.Context, revisions map[string]int) error {
	l := o.layer
	in, err := o.source(ctx)
	if err != nil {
		return err
	}
	in.Releases, in.Past, in.Lookup, in.Limits = revisions, o.past(l, o.was), o.lookup, helm.Limits(o.Templates)
	if err := o.renderFor(ctx, in, recordedDefinitions(o.was)); err != nil {
		return err
	}
	// Which definitions are its own is known only now.
	own, err := o.own(ctx, l.output)
	if err != nil {
		return err
	}
	seen := l.inputs
	if l.inputs, err = o.inputs(ctx, l.output.Queries, own); err != nil {
		return err
	}
	if l.inputs != seen {
		if err := o.renderFor(ctx, in, own); err != nil {
			return err
		}
	}
	for _, secret := range l.output.Past.Secrets() {
		o.made.Add(secret)
	}
	o.rendered[l.Name] = rendered{l.base, l.inputs, revisions, l.output}
	return nil
}

// renderFor renders the layer as one that has some definitions, by name.
func (o outlook) renderFor(ctx context.Context, in render.Input, own []string) (err error) {
	if in.Capabilities, err = o.capabilities(ctx, own); err != nil {
		return err
	}
	output, err := render.Layer(ctx, in)
	if err != nil {
		return err
	}
	if err := o.postRender(o.layer.Name, output); err != nil {
		return err
	}
	o.layer.output = output
	o.layer.inputs, err = o.inputs(ctx, output.Queries, own)
	return err
}

// source returns what the layer is rendered from: its content, and what is bound
// in it.
func (o outlook) source(ctx context.Context) (in render.Input, err error) {
	l := o.layer
	for _, c := range l.Readiness {
		if _, err := readiness.NewChecker(c); err != nil {
			return in, err
		}
	}
	if !l.Pin.Zero() {
		if in.Content, err = o.fetcher().Fetch(ctx, l.Pin); err != nil {
			return in, err
		}
	}
	pinned, err := l.WithContent(func(pin layer.Pin) (fs.FS, error) {
		if pin == l.Pin {
			return in.Content, nil
		}
		return o.fetcher().Fetch(ctx, pin)
	})
	in.Layer, in.Values, in.Bind = pinned.Layer, []byte(pinned.Values), pinned.Bind
	return in, err
}
