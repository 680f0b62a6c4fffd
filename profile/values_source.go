package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
)

const (
	// maxChart bounds a chart, unpacked, and maxCharts how deep charts may stand
	// in charts.
	maxChart  = 256 << 20
	maxCharts = 16
	// maxText bounds one file that is read of a chart.
	maxText = 16 << 20
)

// files is what the content of a layer says of its values.
type files struct {
	documents []valueDocument // of the pack and its presets
	charts    []valueDocument // defaults of its charts; read when they are asked for
	schema    pack.Schema
	pack      *pack.Pack
	root      fs.FS // nil if there is no content

	chartsRead bool
}

// sourceDocuments returns the documents that come with the source of the layer.
func (s scope) sourceDocuments(d depth) ([]valueDocument, error) {
	f, err := s.files()
	if err != nil {
		return nil, err
	}
	if d == withoutCharts || f.root == nil {
		return f.documents, nil
	}
	if !f.chartsRead {
		if f.charts, err = f.readCharts(s.layers[s.layer].Layer); err != nil {
			return nil, fmt.Errorf("layer %q: %w", s.layers[s.layer].Name, err)
		}
		f.chartsRead = true
		s.packs.keep(s.layer, f)
	}
	return append(slices.Clip(f.charts), f.documents...), nil
}

func (p *packs) keep(layer int, f files) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files[layer] = f
}

// files reads the content of the layer once.
func (s scope) files() (files, error) {
	if s.packs == nil {
		return files{}, nil
	}
	s.packs.mu.Lock()
	f, ok := s.packs.files[s.layer]
	s.packs.mu.Unlock()
	if ok {
		return f, nil
	}
	root, err := s.open()
	if err != nil {
		return files{}, err
	}
	f.root = root
	if l := s.layers[s.layer]; root != nil && l.Format() == layer.FormatPack {
		if err := f.readPack(l.Layer); err != nil {
			return files{}, fmt.Errorf("layer %q: %w", l.Name, err)
		}
	}
	s.packs.keep(s.layer, f)
	return f, nil
}

// errNoContent says that a Content returned neither files nor an error.
var errNoContent = errors.New("its content is missing")

func (s scope) open() (fs.FS, error) {
	pin := s.pins[s.layer]
	if s.packs == nil || pin.Zero() {
		return nil, nil //nolint:nilnil // there is none, or it is not known
	}
	fsys, err := s.packs.content(pin)
	if err == nil && fsys == nil {
		err = errNoContent
	}
	if err != nil {
		return nil, fmt.Errorf("layer %q: %w", s.layers[s.layer].Name, err)
	}
	return fsys, nil
}

// readPack reads the values, the presets and the schema of a pack.
func (f *files) readPack(l layer.Layer) error {
	p, err := pack.Open(f.root)
	if err != nil {
		return err
	}
	f.pack = p
	own, err := newDocument(Origin{Kind: FromPack, Name: p.Name, File: "values.yaml"}, "", p.Values)
	if err != nil {
		return err
	}
	f.documents = append(f.documents, own)
	presets, err := p.Presets()
	if err != nil {
		return err
	}
	if _, err := pack.EnablePresets(nil, presets, l.Presets); err != nil {
		return err // a preset that there is not
	}
	for _, preset := range presets {
		if l.Presets[preset.Group] != preset.Name || preset.Name == "" {
			continue
		}
		d, err := newDocument(Origin{Kind: FromPreset, Name: preset.Group + ":" + preset.Name, File: "presets.yaml"}, "", []byte(preset.Add))
		if err != nil {
			return err
		}
		d.removes = preset.Remove
		f.documents = append(f.documents, d)
	}
	f.schema, _ = p.Schema() // whoever checks the pack reports a schema that cannot be read
	return nil
}

// readCharts reads the defaults of the charts of a layer.
func (f *files) readCharts(l layer.Layer) ([]valueDocument, error) {
	if l.Format() == layer.FormatHelm {
		return chartDocuments(f.root, "", "", 0)
	}
	if f.pack == nil {
		return nil, nil
	}
	var all []valueDocument
	var errs []error
	for _, file := range f.pack.Charts {
		tgz, err := readLimited(f.pack.FS(), file, maxChart)
		if err == nil {
			var docs []valueDocument
			docs, err = archiveDocuments(tgz, file+":", "charts", 0)
			all = append(all, docs...)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
		}
	}
	return all, errors.Join(errs...)
}

func archiveDocuments(tgz []byte, place, prefix string, depth int) ([]valueDocument, error) {
	unpacked, err := archive.ReadTarGz(bytes.NewReader(tgz), archive.Limits{Total: maxChart})
	if err != nil {
		return nil, err
	}
	return chartDocuments(unpacked, place, prefix, depth)
}

// chartDocuments returns the defaults of a chart and, before them, those of its
// subcharts, for which it may have others. The name of the chart is added to
// the prefix, unless it is empty.
func chartDocuments(fsys fs.FS, place, prefix string, depth int) ([]valueDocument, error) {
	if depth > maxCharts {
		return nil, fmt.Errorf("charts stand more than %d deep in each other", maxCharts)
	}
	root, err := archive.Root(fsys, "Chart.yaml")
	if err != nil {
		return nil, err
	}
	var chart struct {
		Name         string
		Dependencies []struct{ Name, Alias string }
	}
	text, err := readLimited(root, "Chart.yaml", maxText)
	if err == nil {
		err = yaml.Unmarshal(text, &chart)
	}
	if err != nil {
		return nil, fmt.Errorf("reading Chart.yaml: %w", err)
	}
	at := chart.Name
	switch {
	case prefix == "" && depth == 0:
		at = ""
	case prefix != "":
		at = prefix + "." + chart.Name
	}
	aliases := map[string][]string{}
	for _, d := range chart.Dependencies {
		if d.Alias != "" {
			aliases[d.Name] = append(aliases[d.Name], d.Alias)
		}
	}
	docs, err := subchartDocuments(root, place, at, depth)
	if err != nil {
		return nil, err
	}
	docs = underAliases(docs, at, aliases)
	defaults, err := readLimited(root, "values.yaml", maxText)
	if errors.Is(err, fs.ErrNotExist) {
		return docs, nil
	}
	if err != nil {
		return nil, err
	}
	own, err := newDocument(Origin{Kind: FromChart, Name: chart.Name, File: place + "values.yaml"}, at, defaults)
	return append(docs, own), err
}

func subchartDocuments(root fs.FS, place, prefix string, depth int) ([]valueDocument, error) {
	entries, err := fs.ReadDir(root, "charts")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []valueDocument
	for _, e := range entries {
		name := path.Join("charts", e.Name())
		var docs []valueDocument
		switch {
		case strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "_"):
			continue // as Helm does
		case e.IsDir():
			sub, err := fs.Sub(root, name)
			if err != nil {
				return nil, err
			}
			docs, err = chartDocuments(sub, place+name+"/", prefix, depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		case strings.HasSuffix(e.Name(), ".tgz"):
			tgz, err := readLimited(root, name, maxChart)
			if err != nil {
				return nil, err
			}
			if docs, err = archiveDocuments(tgz, place+name+":", prefix, depth+1); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		all = append(all, docs...)
	}
	return all, nil
}

// underAliases puts the documents of subcharts where the chart has them under
// other names.
func underAliases(docs []valueDocument, prefix string, aliases map[string][]string) []valueDocument {
	var all []valueDocument
	for _, d := range docs {
		inner, _ := below(d.prefix, prefix)
		name, rest, deeper := strings.Cut(inner, ".")
		if aliases[name] == nil {
			all = append(all, d)
		}
		for _, alias := range aliases[name] {
			moved := d
			moved.prefix = strings.TrimPrefix(prefix+"."+alias, ".")
			if deeper {
				moved.prefix += "." + rest
			}
			all = append(all, moved)
		}
	}
	return all
}

// readLimited reads a file of at most limit bytes.
func readLimited(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s: is larger than %d MiB", name, limit>>20)
	}
	return data, err
}
