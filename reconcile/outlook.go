package reconcile

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/crd"
	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/render"
)

// An outlook is the cluster as the templates of a layer see it: as it is now,
// changed by what the plan does with the layers below. So a stack is rendered as
// if its layers were installed one after the other.
type outlook struct {
	*session
	plan  *Plan
	layer *layerWork
	was   *inventory.Layer // what the inventory says of the layer, or nil
	below []*layerWork     // the layers that have their turn before this one
	live  observed
}

// outlook returns what a layer of p sees when it has its turn.
func (s *session) outlook(p *Plan, l *layerWork, live observed) outlook {
	first := slices.IndexFunc(p.layers, func(other *layerWork) bool { return other.stage() == l.stage() })
	return outlook{s, p, l, p.before.Layer(l.Name), p.layers[:first], live}
}

// afterwards returns what the layer would see once the plan is carried out.
func (o outlook) afterwards() outlook {
	o.below = slices.DeleteFunc(slices.Clone(o.plan.layers), func(l *layerWork) bool { return l == o.layer })
	return o
}

// inputs returns the digest of everything that the layer is made from: also of
// what the cluster answers to its templates. own is as in [outlook.kinds].
func (o outlook) inputs(ctx context.Context, asked helm.Queries, own []string) (digest.Digest, error) {
	answers, err := o.answers(ctx, asked, own)
	return digest.FromString(o.layer.base.String() + "\n" + strings.Join(answers, "\n")), err
}

// answers returns what the cluster answers to templates. Only for what is not of
// Kubernetes' own groups it is asked, once for a session.
func (o outlook) answers(ctx context.Context, asked helm.Queries, own []string) ([]string, error) {
	version, err := o.client.ServerVersion(ctx)
	if err != nil {
		return nil, err
	}
	caps := helm.Capabilities{KubeVersion: version}
	if asked.Kinds() {
		served, err := o.kinds(ctx, own)
		if err != nil {
			return nil, err
		}
		caps.APIVersions = served.apiVersions()
	}
	return asked.Answers(caps), nil
}

// lastQueries returns what the templates of the layer looked at when they were
// last rendered.
func (o outlook) lastQueries() helm.Queries {
	if is, ok := o.rendered[o.layer.Name]; ok && is.base == o.layer.base {
		return is.output.Queries
	}
	if o.was != nil {
		return o.was.Queries
	}
	return helm.Queries{}
}

// capabilities returns what the templates may know of the cluster. own is as in
// [outlook.kinds].
func (o outlook) capabilities(ctx context.Context, own []string) (caps helm.Capabilities, err error) {
	if caps.KubeVersion, err = o.client.ServerVersion(ctx); err != nil {
		return caps, err
	}
	served, err := o.kinds(ctx, own)
	if err != nil {
		return caps, err
	}
	now, err := o.now(ctx)
	caps.APIVersions = served.apiVersions()
	caps.Bring = func(definitions []manifest.Object) []string { return o.brought(now, definitions).apiVersions() }
	return caps, err
}

// now returns what the cluster serves.
func (o outlook) now(ctx context.Context) (kinds, error) { return o.client.Kinds(ctx) }

// kinds returns what the cluster will serve to the layer. What the plan deletes is
// not in it, though it is there to the end: the layer is rendered for when all is
// done. And the layer's own definitions are not: charts see those of them that
// come before their templates, see [outlook.brought], and the others neither
// before nor after they are there. So the layer is rendered to the same each time.
func (o outlook) kinds(ctx context.Context, own []string) (kinds, error) {
	k, err := o.now(ctx)
	if err != nil {
		return nil, err
	}
	out, in := slices.Concat(own, o.going(o.plan, o.live)), kinds{}
	for _, l := range o.below {
		for _, d := range definitionsIn(o.output(l)) {
			if k.becomes(d, o.definitionPolicy(l.Layer)) {
				out = append(out, d.Name)
				maps.Copy(in, definedBy(d))
			}
		}
	}
	k.drop(out)
	maps.Copy(k, in)
	return k, nil
}

// brought returns what the cluster, which serves the kinds of now, serves by
// definitions of the layer itself.
func (o outlook) brought(now kinds, definitions []manifest.Object) kinds {
	k := kinds{}
	for _, object := range definitions {
		d := crd.Read(object.Unstructured)
		if now.becomes(d, o.definitionPolicy(o.layer.Layer)) {
			maps.Copy(k, definedBy(d))
		} else {
			maps.Copy(k, now.of(d.Name))
		}
	}
	return k
}

// own returns the names of the layer's definitions: those that the inventory will
// have once out is applied.
func (o outlook) own(ctx context.Context, out *render.Output) ([]string, error) {
	now, err := o.now(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range definitionsIn(out) {
		if now.becomes(d, o.definitionPolicy(o.layer.Layer)) || slices.Contains(recordedDefinitions(o.was), d.Name) {
			names = append(names, d.Name)
		}
	}
	return names, nil
}

// recordedDefinitions returns the names of the definitions of a layer, or of nil.
func recordedDefinitions(was *inventory.Layer) []string {
	if was == nil {
		return nil
	}
	var names []string
	for _, o := range was.Wanted() {
		if isDefinition(o) {
			names = append(names, o.Name)
		}
	}
	return names
}

// outdated returns which APIs the layer asks for that come or go only when the plan
// is carried out: then it is to be rendered again.
func (o outlook) outdated(ctx context.Context) ([]string, error) {
	asked := o.lastQueries()
	if !asked.Kinds() {
		return nil, nil
	}
	own := recordedDefinitions(o.was)
	if o.layer.output != nil {
		var err error
		if own, err = o.own(ctx, o.layer.output); err != nil {
			return nil, err
		}
	}
	now, err := o.answers(ctx, asked, own)
	if err != nil {
		return nil, err
	}
	then, err := o.afterwards().answers(ctx, asked, own)
	both := slices.Concat(now, then)
	return slices.DeleteFunc(both, func(api string) bool { return slices.Contains(now, api) && slices.Contains(then, api) }), err
}

// output returns what a layer is rendered to, if this session has rendered it.
func (s *session) output(l *layerWork) *render.Output {
	if is, ok := s.rendered[l.Name]; ok && l.output == nil && is.inputs == l.inputs {
		return is.output
	}
	return l.output
}
