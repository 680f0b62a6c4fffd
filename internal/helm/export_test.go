package helm

import "context"

// Files returns what the templates of a chart give, by file.
func Files(ctx context.Context, c *Chart, req Request) (map[string]string, error) {
	tree := instance(c.root)
	p, err := prepare(tree, req)
	if err != nil {
		return nil, err
	}
	files, err := newRun(ctx, sourcesOf(tree, p.scope), req).render()
	if err != nil {
		return nil, newTemplateError(err)
	}
	return files, nil
}

// ReadTemplateError reads an error of Helm's engine.
func ReadTemplateError(err error) *TemplateError { return readError(err) }

// SplitManifests cuts a text into documents.
func SplitManifests(text string) []string { return splitManifests(text) }
