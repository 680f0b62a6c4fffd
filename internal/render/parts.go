package render

import (
	"context"

	"github.com/strata-go/strata/pack"
)

// A Part is what one chart or one manifest of a pack renders to.
type Part struct {
	File    string // path in the pack
	Chart   string // the name in Chart.yaml; "" of a manifest, or if it cannot be read
	Release string // the name of the Helm release; "" as for Chart
	// Namespace is where namespaced objects go that name none.
	Namespace string
	Output    *Output // never nil; empty if Err is set
	Err       error   // joined, each an [*Error]
}

// Parts renders each chart and each manifest of p by itself, in the order of
// [Layer], and goes on after one that cannot be rendered. p is the pack in
// in.Content, or as much of it as could be read.
//
// The settings are those of the pack with the values of in. The error says that nothing could be rendered, because of the values or
// because ctx is done.
func Parts(ctx context.Context, in Input, p *pack.Pack) ([]Part, pack.Settings, error) {
	b := &builder{Input: in, pack: p.Name, out: &Output{}}
	r, err := b.packRenderer(p)
	if err != nil {
		return nil, pack.Settings{}, err
	}
	var parts []Part
	for _, file := range p.Charts {
		part := Part{File: file}
		if c, err := r.load(file); err == nil {
			part.Chart, part.Release = c.Name(), r.release(c)
		}
		parts = append(parts, r.part(part, func() error { return r.chart(ctx, file) }))
	}
	for _, file := range p.Manifests {
		parts = append(parts, r.part(Part{File: file}, func() error { return r.manifest(ctx, file) }))
	}
	return parts, r.settings, ctx.Err()
}

// part completes p with what render adds to an empty output.
func (r packRenderer) part(p Part, render func() error) Part {
	// The releases stay, because their names may not be taken twice.
	before := r.out.Releases
	r.out = &Output{Releases: before}
	p.Namespace = r.namespace
	if p.Err = render(); p.Err != nil {
		r.out = &Output{Releases: before}
	}
	out := *r.out
	out.Releases = out.Releases[len(before):]
	p.Output = &out
	return p
}
