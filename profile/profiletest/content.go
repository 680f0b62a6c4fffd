package profiletest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing/fstest"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/txtar"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// A registry has the versions of a case, and what is in its folder registry/.
type registry struct {
	Versions
	files fs.FS
}

// folder returns the folder of an artifact.
func (r registry) folder(pin layer.Pin) (fs.FS, bool) {
	name := "registry/" + pin.Name + "@" + pin.Resolved
	if _, err := fs.Stat(r.files, name); err != nil {
		return nil, false
	}
	sub, err := fs.Sub(r.files, name)
	return sub, err == nil
}

// Fetch returns a profile.
func (r registry) Fetch(_ context.Context, pin layer.Pin) (fs.FS, error) {
	if folder, ok := r.folder(pin); ok {
		return folder, nil
	}
	return nil, caseError{fmt.Errorf("there is no registry/%s@%s/profile.yaml", pin.Name, pin.Resolved)}
}

// content returns a pack or chart. One that is not there has nothing in it.
func (r registry) content(pin layer.Pin) (fs.FS, error) {
	if folder, ok := r.folder(pin); ok {
		return folder, nil
	}
	if pin.Format == layer.FormatPack {
		return fstest.MapFS{"pack.json": {Data: fmt.Appendf(nil, `{"name": %q, "displayName": "x", "version": %q, "layer": "addon"}`, pin.Name, pin.Resolved)}}, nil
	}
	return fstest.MapFS{"Chart.yaml": {Data: fmt.Appendf(nil, "name: %s\nversion: %s\n", pin.Name, pin.Resolved)}}, nil
}

// withContent gives the layers what packs say, and checks them, as far as a case
// has content or asks for it.
func (s *stage) withContent() error {
	s.layers = s.desired.Layers()
	var errs []error
	for i, l := range s.layers {
		if _, ok := s.folder(l.Pin); !ok && !refersToPacks(l) {
			continue
		}
		var err error
		if s.layers[i], err = l.WithContent(s.content); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// refersToPacks reports whether macros of packs were left in a layer.
func refersToPacks(l profile.PinnedLayer) bool {
	texts := []string{l.Values}
	for _, m := range manifestsOf(l) {
		texts = append(texts, m.Content)
	}
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, ".spectro.pack.") })
}

func manifestsOf(l profile.PinnedLayer) []layer.Manifest {
	if l.Manifests == nil {
		return l.AttachedManifests
	}
	return slices.Concat(l.Manifests.Inline, l.AttachedManifests)
}

// check checks the constraints of a stack, and that published versions did not
// change.
func (o *outcome) check(a *txtar.Archive) error {
	if o.before != nil {
		for _, published := range o.before.profiles {
			for _, now := range o.profiles {
				if err := profile.CheckImmutable(published, now); err != nil {
					return err
				}
			}
		}
	}
	nodes, err := pools(a)
	if err != nil {
		return err
	}
	var before *profile.Lock
	if o.before != nil && o.before.desired != nil {
		before = o.before.desired.Lock()
	}
	// What a case does not have is not checked.
	known := func(pin layer.Pin) (fs.FS, error) {
		for _, s := range []*stage{&o.stage, o.before} {
			if s == nil {
				continue
			}
			if folder, ok := s.folder(pin); ok {
				return folder, nil
			}
		}
		return nil, nil
	}
	return o.desired.CheckConstraints(known, before, nodes)
}

// pools reads the file nodes.
func pools(a *txtar.Archive) ([]profile.NodePool, error) {
	text, _ := a.Get("nodes")
	var listed []struct {
		Name         string
		ControlPlane bool `yaml:"controlPlane"`
		Nodes        int
		CPU          float64 // in thousandths
		Memory       float64 // MiB
		Disk         float64 // GB
		Kubernetes   string
	}
	if err := yaml.Unmarshal([]byte(text), &listed); err != nil {
		return nil, caseError{fmt.Errorf("nodes: %w", err)}
	}
	var all []profile.NodePool
	for _, p := range listed {
		all = append(all, profile.NodePool{Name: p.Name, ControlPlane: p.ControlPlane, Nodes: p.Nodes, MilliCPU: p.CPU, MiB: p.Memory, DiskGB: p.Disk, Kubernetes: p.Kubernetes})
	}
	return all, nil
}
