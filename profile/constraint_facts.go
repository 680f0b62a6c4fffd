package profile

import (
	"bytes"
	"fmt"
	"io/fs"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
)

// CheckConstraints reads what the layers consist of and reports all constraints
// that are not met, each a [*ConstraintError], joined: see the function of that
// name. before is the lock of what the cluster has now, nil if that is nothing;
// pools are its nodes, if they are known.
//
// Content that is nil is not known, and not checked; nor is that of before if it
// is not to be had any more. Other errors of content are wrapped.
func (d *Desired) CheckConstraints(content Content, before *Lock, pools []NodePool) error {
	facts := Facts{Layers: d.Facts(), Pools: pools}
	if before != nil {
		facts.Before = before.Facts()
		for i, l := range before.Layers {
			if folder, err := content(l.Pin); err == nil && folder != nil && l.Format == layer.FormatPack {
				_ = facts.Before[i].pack(folder) // as far as it can be read
			}
		}
	}
	byName := map[string]int{}
	for i, l := range facts.Layers {
		byName[l.Layer] = i
	}
	for _, l := range d.Layers() {
		if l.Pack == nil && l.Helm == nil {
			continue
		}
		if err := facts.Layers[byName[l.Name]].fill(l, content); err != nil {
			return fmt.Errorf("layer %q: %w", l.Name, err)
		}
	}
	return CheckConstraints(facts)
}

// fill adds what the content of a layer says.
func (f *LayerFacts) fill(l PinnedLayer, content Content) error {
	folder, err := content(l.Pin)
	if err != nil || folder == nil {
		return err
	}
	bound, err := l.WithContent(content)
	if err != nil {
		return err
	}
	if f.Values, err = bound.MergedValues(); err != nil {
		return err
	}
	if l.Helm != nil {
		return f.chart(folder)
	}
	return f.pack(folder)
}

func (f *LayerFacts) pack(folder fs.FS) error {
	p, err := pack.Open(folder)
	if err != nil {
		return err
	}
	f.Clouds = p.CloudTypes
	for _, d := range p.Constraints.Dependencies {
		f.Dependencies = append(f.Dependencies, Dependency{Pack: d.Pack, Kind: d.Kind, Type: string(d.Type), MinVersion: d.MinVersion, MaxVersion: d.MaxVersion})
	}
	for _, r := range p.Constraints.Resources {
		need := Resource{Type: r.Type, MinLimit: r.MinLimit}
		for _, c := range r.Components {
			need.Components = append(need.Components, Component(c))
		}
		f.Resources = append(f.Resources, need)
	}
	for _, name := range p.Charts {
		tgz, err := fs.ReadFile(p.FS(), name)
		if err != nil {
			return err
		}
		files, err := archive.ReadTarGz(bytes.NewReader(tgz), archive.Limits{})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := f.chart(files); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// chart adds the versions of Kubernetes that a chart supports.
func (f *LayerFacts) chart(files fs.FS) error {
	root, err := archive.Root(files, "Chart.yaml")
	if err != nil {
		return err
	}
	text, err := readLimited(root, "Chart.yaml", maxText)
	if err != nil {
		return err
	}
	var chart struct {
		KubeVersion string `yaml:"kubeVersion"`
	}
	if err := yaml.Unmarshal(text, &chart); err != nil {
		return fmt.Errorf("reading Chart.yaml: %w", err)
	}
	if chart.KubeVersion != "" {
		f.KubeVersions = append(f.KubeVersions, chart.KubeVersion)
	}
	return nil
}
