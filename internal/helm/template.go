package helm

import (
	"context"
	"path"

	"github.com/strata-go/strata/internal/values"
	"helm.sh/helm/v3/pkg/chartutil"
)

// A Template is a single file with Helm's template language that is no part
// of a chart. It sees .Values, and nothing of a release or a cluster.
type Template struct {
	Name   string // path of the file, of which the last part may not begin with "_"
	Text   string
	Values map[string]any
	// Past, Lookup and Limits are as in [Request].
	Past   Past
	Lookup LookupFunc
	Limits Limits
}

// Execute returns what the template gives. Errors are of type [*TemplateError].
func (t Template) Execute(ctx context.Context) (text string, kept Past, err error) {
	name := path.Clean(t.Name)
	// The copy is for templates that call "set".
	scope := map[string]any{"Values": chartutil.Values(values.Merge(t.Values, nil))}
	r := newRun(ctx, map[string]source{name: {text: t.Text, scope: scope, basePath: "templates"}}, Request{Past: t.Past, Lookup: t.Lookup, Limits: t.Limits})
	files, err := r.render()
	if err != nil {
		return "", Past{}, newTemplateError(err)
	}
	text, ok := files[name]
	if !ok {
		return "", Past{}, &TemplateError{Template: t.Name, Message: `its name begins with "_", as that of a helper: rename it`}
	}
	return text, r.kept, nil
}
