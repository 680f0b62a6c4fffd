package helm

import (
	"context"
	"fmt"
	"path"

	"github.com/strata-go/strata/internal/values"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

// A Template is a single file with Helm's template language that is no part
// of a chart. It sees .Values, and nothing of a release or a cluster.
type Template struct {
	Name   string // path of the file, of which the last part may not begin with "_"
	Text   string
	Values map[string]any
}

// Execute returns what the template gives. It cannot be interrupted. Errors
// are of type [*TemplateError].
func (t Template) Execute(ctx context.Context) (text string, err error) {
	defer func() {
		if p := recover(); p != nil {
			text, err = "", &TemplateError{Template: t.Name, Message: fmt.Sprint("rendering panics: ", p)}
		}
	}()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	// The engine wants a chart; one without a name leaves paths as they are.
	name := path.Clean(t.Name)
	c := &chart.Chart{
		Metadata:  &chart.Metadata{},
		Templates: []*chart.File{{Name: name, Data: []byte(t.Text)}},
	}
	// The copy is for templates that call "set".
	scope := chartutil.Values{"Values": chartutil.Values(values.Merge(t.Values, nil))}
	files, err := new(engine.Engine).Render(c, scope)
	if err != nil {
		return "", newTemplateError(err)
	}
	text, ok := files[name]
	if !ok {
		return "", &TemplateError{Template: t.Name, Message: `its name begins with "_", as that of a helper: rename it`}
	}
	return text, nil
}
