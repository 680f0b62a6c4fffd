package packlint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/joined"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
	"sigs.k8s.io/yaml"
)

// DefaultKubeVersion is the version of Kubernetes that packs are rendered for
// if the options name none.
const DefaultKubeVersion = "1.33.0"

// Options say for what a pack is rendered. The zero Options are usable.
type Options struct {
	// KubeVersion is the version of Kubernetes. If empty, [DefaultKubeVersion].
	KubeVersion string
	// Macros are the values of macros by path, such as "spectro.var.region". Of
	// those that are not here, the ones for the version of Kubernetes have that,
	// and all others the value "x", whatever functions they call.
	Macros map[string]string
	// Values are a YAML document that is laid over the pack's values.
	Values []byte
}

// A Report says what is in a pack, and what is wrong with it.
type Report struct {
	// Pack is as much of the pack as could be read; nil if it has no pack.json
	// that can be parsed.
	Pack *pack.Pack
	// Problems are sorted by place.
	Problems []pack.Problem
	// Charts and Manifests are in the order of installation.
	Charts    []Chart
	Manifests []Manifest

	listed []string // the images that the pack lists
}

// OK reports whether no problem is an error.
func (r *Report) OK() bool {
	return !slices.ContainsFunc(r.Problems, func(p pack.Problem) bool { return p.Severity == pack.SeverityError })
}

// A Chart is what one chart of a pack renders to.
type Chart struct {
	File      string // path in the pack
	Name      string // in Chart.yaml; empty if it cannot be read
	Release   string // the name of the Helm release
	Namespace string // where objects go that name none
	// Objects are those of the release, as "Kind/namespace/name", sorted. They
	// are as "helm template" gives them: the namespace is as it stands in the
	// object, and a List is one object. Neither hooks nor what is in crds
	// folders is among them.
	Objects []string
	Hooks   int // those for tests included
	CRDs    int // objects in the crds folders of the chart and its subcharts
	Err     error
}

// A Manifest is what one manifest of a pack renders to.
type Manifest struct {
	File    string
	Objects []string // as in [Chart], but of a List its items
	Err     error
}

// Check checks the pack in fsys, whose root is the pack directory. It goes on
// after a problem. The error is that of ctx, which is looked at between charts.
func Check(ctx context.Context, fsys fs.FS, o Options) (*Report, error) {
	p, problems := pack.Check(fsys)
	r := &Report{Pack: p, Problems: problems}
	if p == nil {
		return r, ctx.Err()
	}
	o.KubeVersion = cmp.Or(strings.TrimPrefix(o.KubeVersion, "v"), DefaultKubeVersion)
	in := render.Input{
		Layer:        layer.Layer{Name: p.Name, Source: layer.Source{Pack: &layer.Pack{Name: p.Name}}},
		Values:       o.Values,
		Bind:         binder{ctx, o}.bind,
		Content:      p.FS(),
		Capabilities: helm.Capabilities{KubeVersion: o.KubeVersion},
		// As Helm does where there is no network, which is where packs go.
		StrictSchemas: true,
	}
	parts, settings, err := render.Parts(ctx, in, p)
	r.listed = settings.Images
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	if err != nil {
		r.fail(err)
		parts = failed(p, fmt.Errorf("%w: %w", errNotRendered, plain(err)))
	}
	r.parts(parts)
	r.objects(parts)
	pack.SortProblems(r.Problems)
	r.Problems = slices.Compact(r.Problems)
	return r, nil
}

// errNotRendered says that the cause is an error of the pack as a whole.
var errNotRendered = errors.New("not rendered")

// failed returns the parts of p, none of which can be rendered.
func failed(p *pack.Pack, err error) []render.Part {
	var parts []render.Part
	for _, file := range slices.Concat(p.Charts, p.Manifests) {
		parts = append(parts, render.Part{File: file, Output: &render.Output{}, Err: err})
	}
	return parts
}

// parts fills in the charts and the manifests.
func (r *Report) parts(parts []render.Part) {
	for i, part := range parts {
		if i < len(r.Pack.Charts) {
			r.Charts = append(r.Charts, newChart(part))
			continue
		}
		var objects []string
		for _, o := range part.Output.Objects {
			objects = append(objects, name(o.GetKind(), o.GetNamespace(), o.GetName()))
		}
		slices.Sort(objects)
		r.Manifests = append(r.Manifests, Manifest{part.File, objects, plain(part.Err)})
	}
}

func newChart(part render.Part) Chart {
	c := Chart{File: part.File, Name: part.Chart, Release: part.Release, Namespace: part.Namespace, Err: plain(part.Err)}
	for _, o := range part.Output.Objects {
		if o.FromCRDs {
			c.CRDs++
		}
	}
	for _, release := range part.Output.Releases {
		c.Hooks += len(release.Hooks)
		c.Objects = append(c.Objects, written(release.Manifest)...)
	}
	slices.Sort(c.Objects)
	return c
}

func name(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

// written returns the names of the objects in a release, with Lists as they
// are written.
func written(manifest string) []string {
	var names []string
	for doc := range strings.SplitSeq(manifest, "\n---\n") {
		var o struct {
			Kind     string
			Metadata struct{ Name, Namespace string }
		}
		// It was read before, so that there can be no error.
		if _ = yaml.Unmarshal([]byte(doc), &o); o.Kind != "" {
			names = append(names, name(o.Kind, o.Metadata.Namespace, o.Metadata.Name))
		}
	}
	return names
}

// plain removes from err what says which layer and pack it is about.
func plain(err error) error {
	var errs []error
	for _, err := range joined.Errors(err) {
		if e, ok := errors.AsType[*render.Error](err); ok {
			err = e.Err
		}
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = fmt.Errorf("%s: %w", e.Path, fileError(e.Err))
		}
		errs = append(errs, err)
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// fileError says in the same words what each operating system says in its own.
func fileError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ErrNotExist
	}
	return err
}
