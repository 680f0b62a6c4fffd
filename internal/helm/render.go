package helm

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/manifest"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
)

// A Request says for which release a chart is rendered.
type Request struct {
	ReleaseName string
	Namespace   string
	// Values are laid over the chart's own. They are not changed.
	Values map[string]any
	// Revision is that of the release after this rendering is applied. If zero, 1.
	Revision  int
	IsUpgrade bool
	// Capabilities are without the crds folder of the chart: what that brings is
	// added.
	Capabilities Capabilities
	// Past is what the impure functions of templates gave before, and give again.
	Past Past
	// Lookup finds objects for templates. If nil, it finds none, and nothing of
	// it is kept.
	Lookup LookupFunc
	// Limits bound the templates.
	Limits Limits
	// StrictSchemas makes a [*RemoteSchemaError] of what is a warning otherwise.
	StrictSchemas bool
}

// Rendered is what a chart gives for one request. The same chart and the same
// request give the same result, if the request has the Past of the result.
type Rendered struct {
	// Objects are the release, without hooks, in Helm's order of kinds. They
	// name a namespace only where the template does.
	Objects []manifest.Object
	// CRDs are the objects in the crds folders of the chart and of its enabled
	// subcharts. They are no part of the release.
	CRDs []manifest.Object
	// Hooks are in Helm's order of kinds, from which they run by event and weight.
	Hooks []Hook
	// Tests are the hooks that only Helm's test command runs.
	Tests []Hook
	// Notes are what NOTES.txt says, or "".
	Notes string
	// Manifest is the text of Objects, as Helm keeps it in a release record.
	Manifest string
	// Past is what the impure functions gave in this rendering.
	Past Past
	// Queries are what the chart looks at of the capabilities.
	Queries Queries
	// Warnings say what was left out or left unchecked.
	Warnings []string
}

// Render renders the chart. Errors are of type [*ChartError] and wrap a
// [*KubeVersionError], [*SchemaError], [*TemplateError] or
// [*manifest.DocumentError], whose lines are those of the text that a template
// gives.
//
// Templates get nothing but what is in the chart and the request, and are ended
// with ctx and by [Limits]: the cause is then the error of ctx, or a
// [*LimitError]. A panic becomes an error.
func (c *Chart) Render(ctx context.Context, req Request) (r *Rendered, err error) {
	defer func() {
		if p := recover(); p != nil {
			r, err = nil, c.wrap(fmt.Errorf("rendering panics: %v", p))
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tree := instance(c.root)
	p, err := prepare(tree, req)
	if err != nil {
		return nil, c.wrap(err)
	}
	run := newRun(ctx, sourcesOf(tree, p.scope), req)
	files, err := run.render()
	if err != nil {
		return nil, c.wrap(newTemplateError(err))
	}
	r, err = collect(c.Name(), files)
	if err != nil {
		return nil, c.wrap(err)
	}
	r.Past, r.Queries = run.kept, run.asked
	r.Queries.KubeVersion = r.Queries.KubeVersion || tree.Metadata.KubeVersion != ""
	r.CRDs, r.Warnings = p.crds, append(p.warnings, r.Warnings...)
	return r, nil
}

// A prepared chart is ready to be rendered.
type prepared struct {
	scope    chartutil.Values  // what the templates see
	crds     []manifest.Object // in crds folders
	warnings []string
}

// prepare checks that tree may be rendered, and removes the dependencies that the
// values disable.
func prepare(tree *chart.Chart, req Request) (p prepared, err error) {
	caps, err := req.Capabilities.helm()
	if err != nil {
		return p, err
	}
	if err := installable(tree, req, caps); err != nil {
		return p, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(tree, req.Values); err != nil {
		return p, fmt.Errorf("processing dependencies: %w", err)
	}
	if p.crds, err = folders(tree); err != nil {
		return p, fmt.Errorf("reading its crds folder: %w", err)
	}
	if caps, err = req.Capabilities.With(p.crds).helm(); err != nil {
		return p, err
	}
	options := chartutil.ReleaseOptions{
		Name:      req.ReleaseName,
		Namespace: req.Namespace,
		Revision:  max(req.Revision, 1),
		IsInstall: !req.IsUpgrade,
		IsUpgrade: req.IsUpgrade,
	}
	// Helm's own check of schemas is left out: it would read URLs and files.
	p.scope, err = chartutil.ToRenderValuesWithSchemaValidation(tree, req.Values, options, caps, true)
	if err != nil {
		return p, fmt.Errorf("merging values: %w", err)
	}
	unchecked, err := checkSchemas(tree, p.scope["Values"].(chartutil.Values))
	p.warnings = lacking(tree)
	for _, u := range unchecked {
		if req.StrictSchemas {
			err = errors.Join(err, u)
		}
		p.warnings = append(p.warnings, u.Error())
	}
	return p, err
}

func installable(tree *chart.Chart, req Request, caps *chartutil.Capabilities) error {
	if err := chartutil.ValidateReleaseName(req.ReleaseName); err != nil {
		return fmt.Errorf("release name %q: must be a DNS name of 1 to 53 characters", req.ReleaseName)
	}
	if strings.EqualFold(tree.Metadata.Type, "library") {
		return errors.New("is a library: only other charts can use it")
	}
	constraint, version := tree.Metadata.KubeVersion, caps.KubeVersion.Version
	if constraint != "" && !chartutil.IsCompatibleRange(constraint, version) {
		return &KubeVersionError{constraint, version}
	}
	return nil
}

// lacking warns of enabled dependencies that the chart does not have. Those of
// subcharts may well be in the chart above them.
func lacking(tree *chart.Chart) []string {
	var warnings []string
	for _, d := range tree.Metadata.Dependencies {
		if !slices.ContainsFunc(tree.Dependencies(), func(c *chart.Chart) bool { return c.Name() == d.Name }) {
			warnings = append(warnings, fmt.Sprintf("%s requires %s, which is not in its charts folder", tree.Name(), d.Name))
		}
	}
	return warnings
}

// collect sorts what the templates gave.
func collect(chart string, files map[string]string) (*Rendered, error) {
	r := &Rendered{Notes: takeNotes(chart, files)}
	docs, warnings, err := documents(files)
	if err != nil {
		return nil, fmt.Errorf("reading what its templates give: %w", err)
	}
	r.Warnings = warnings
	var text strings.Builder
	for _, d := range docs {
		switch {
		case d.hook == nil:
			fmt.Fprintf(&text, "---\n# Source: %s\n%s\n", d.template, d.text)
			r.Objects = append(r.Objects, d.objects...)
		case d.hook.onlyTests():
			r.Tests = append(r.Tests, *d.hook)
		default:
			r.Hooks = append(r.Hooks, *d.hook)
		}
	}
	r.Manifest = text.String()
	return r, nil
}

// folders returns the objects in the crds folders of a chart and of its enabled
// subcharts.
func folders(tree *chart.Chart) ([]manifest.Object, error) {
	var all []manifest.Object
	var errs []error
	for _, crd := range tree.CRDObjects() {
		objects, err := manifest.Parse(crd.Filename, crd.File.Data)
		all, errs = append(all, objects...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

// takeNotes removes the notes from files, and returns those of the chart. Notes
// of subcharts are not shown.
func takeNotes(chart string, files map[string]string) string {
	notes := files[path.Join(chart, "templates", "NOTES.txt")]
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	return notes
}
