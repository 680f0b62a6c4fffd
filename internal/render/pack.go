package render

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/values"
	"github.com/strata-go/strata/pack"
)

// packLayer renders a layer that is a pack: its charts, then its manifests,
// each in the order of pack.json.
func (b *builder) packLayer(ctx context.Context) error {
	b.pack = b.Layer.Pack.Name
	if b.Content == nil {
		return b.fail("", errNoContent)
	}
	p, err := pack.Open(b.Content)
	if err == nil {
		err = p.Complete()
	}
	if err != nil {
		return b.fail("", err)
	}
	r, err := b.packRenderer(p)
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range p.Charts {
		errs = append(errs, r.chart(ctx, file))
	}
	for _, file := range p.Manifests {
		errs = append(errs, r.manifest(ctx, file))
	}
	return errors.Join(errs...)
}

// packRenderer prepares the rendering of p.
func (b *builder) packRenderer(p *pack.Pack) (packRenderer, error) {
	config, err := b.packValues(p)
	if err != nil {
		return packRenderer{}, err
	}
	// Settings and manifests are not laid over anything: there a null means
	// that the key is gone.
	settings, err := pack.ReadSettings(values.Merge(nil, config))
	if err != nil {
		return packRenderer{}, b.fail("", err)
	}
	b.namespace = cmp.Or(b.Layer.Namespace, settings.Namespace, DefaultNamespace)
	b.out.requireOf(cmp.Or(b.Layer.Namespace, settings.Namespace), settings)
	b.out.Readiness = settings.Readiness
	return packRenderer{b, p, config, settings}, nil
}

// packValues returns the values of the layer laid over those of the pack, in
// which the presets of the layer are enabled.
func (b *builder) packValues(p *pack.Pack) (map[string]any, error) {
	own, err := b.withPresets(p)
	if err != nil {
		return nil, b.fail("", err)
	}
	bound, err := b.bind(own)
	if err != nil {
		return nil, b.fail("values.yaml", err)
	}
	base, err := values.Parse("values.yaml", bound)
	if err != nil {
		return nil, b.fail("", err)
	}
	over, err := values.Parse("values", b.Values)
	if err != nil {
		return nil, b.fail("", err)
	}
	// A null must get as far as the chart, to remove a default of the chart.
	return values.MergeNulls(base, over), nil
}

func (b *builder) withPresets(p *pack.Pack) ([]byte, error) {
	if len(b.Layer.Presets) == 0 {
		return p.Values, nil
	}
	presets, err := p.Presets()
	if err != nil {
		return nil, err
	}
	return pack.EnablePresets(p.Values, presets, b.Layer.Presets)
}

func (b *builder) bind(doc []byte) ([]byte, error) {
	if b.Bind == nil {
		return doc, nil
	}
	return b.Bind(doc)
}

// A packRenderer renders the parts of one pack.
type packRenderer struct {
	*builder
	pack     *pack.Pack
	values   map[string]any
	settings pack.Settings
}

func (r packRenderer) chart(ctx context.Context, file string) error {
	c, err := r.load(file)
	if err != nil {
		return r.fail(file, err)
	}
	config, _, err := r.block("charts", c.Name())
	if err != nil {
		return r.fail("", err)
	}
	return r.builder.chart(ctx, c, chartOptions{file: file, release: r.release(c), values: config})
}

func (r packRenderer) load(file string) (*helm.Chart, error) {
	tgz, err := fs.ReadFile(r.pack.FS(), file)
	if err != nil {
		return nil, err
	}
	return helm.LoadArchive(path.Base(file), tgz)
}

// release returns the name of the Helm release of a chart.
func (r packRenderer) release(c *helm.Chart) string {
	return r.settings.ReleaseName(r.pack.Name, c.Name())
}

// manifest renders a manifest: as a template if the values have a block for
// it, and otherwise as it is, as it may hold templates of somebody else.
func (r packRenderer) manifest(ctx context.Context, file string) error {
	text, err := fs.ReadFile(r.pack.FS(), file)
	if err != nil {
		return r.fail(file, err)
	}
	if text, err = r.bind(text); err != nil {
		return r.fail(file, err)
	}
	config, isTemplate, err := r.block("manifests", strings.TrimSuffix(path.Base(file), path.Ext(file)))
	if err != nil {
		return r.fail("", err)
	}
	if isTemplate {
		text = bytes.TrimPrefix(text, []byte("\uFEFF"))
		t := helm.Template{Name: file, Text: string(text), Values: values.Merge(nil, config), Past: r.Past, Lookup: r.Lookup, Limits: r.Limits}
		rendered, past, err := t.Execute(ctx)
		if err != nil {
			return r.fail("", err)
		}
		r.out.Past.Add(past)
		text = []byte(rendered)
	}
	return r.builder.manifest(file, text)
}

// block returns the values of one chart or manifest, and whether there are any.
// A null is an empty block.
func (r packRenderer) block(kind, name string) (config map[string]any, found bool, err error) {
	blocks, ok := r.values[kind].(map[string]any)
	if !ok && r.values[kind] != nil {
		return nil, false, fmt.Errorf("values: %s: must be a map", kind)
	}
	v, found := blocks[name]
	config, ok = v.(map[string]any)
	if !ok && v != nil {
		return nil, found, fmt.Errorf("values: %s.%s: must be a map", kind, name)
	}
	return config, found, nil
}
