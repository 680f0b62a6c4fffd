package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/strata-go/strata/layer"
)

// maxIncluded is how much all files together may hold that a profile names.
const maxIncluded = 64 << 20

// include turns the files that manifests layers name into inline manifests.
// Paths are relative to dir.
func (p *Profile) include(fsys fs.FS, dir string) error {
	var errs []error
	room := maxIncluded
	named := false
	for i := range p.Layers {
		m := p.Layers[i].Manifests
		if m == nil || len(m.Files) == 0 {
			continue
		}
		named = true
		inline := slices.Clone(m.Inline)
		for j, pattern := range m.Files {
			found, err := included(fsys, dir, pattern, &room)
			if err != nil {
				errs = append(errs, p.errorf(ErrInvalid, fmt.Sprintf("spec.layers[%d].manifests.files[%d]", i, j), "%v", err))
			}
			inline = append(inline, found...)
		}
		p.Layers[i].Manifests = &layer.Manifests{Inline: inline}
	}
	if len(errs) > 0 || !named {
		return errors.Join(errs...)
	}
	return p.Validate()
}

// included returns a manifest for each file that pattern means: a file, the YAML
// and JSON files of a directory, or those that match. They are sorted by path.
func included(fsys fs.FS, dir, pattern string, room *int) ([]layer.Manifest, error) {
	if !fs.ValidPath(path.Clean(pattern)) || strings.Contains(pattern, `\`) {
		return nil, fmt.Errorf("%q leads out of the folder of the profile; name files in it or below, with slashes", pattern)
	}
	folder, err := fs.Sub(fsys, dir)
	if err != nil {
		return nil, err
	}
	names, err := matchFiles(folder, path.Clean(pattern))
	if err != nil {
		return nil, fmt.Errorf("%q: %w", pattern, err)
	}
	var manifests []layer.Manifest
	for _, name := range names {
		data, err := readBounded(folder, name, name)
		if err != nil {
			return nil, err
		}
		if *room -= len(data); *room < 0 {
			return nil, fmt.Errorf("%q: the files of a profile are more than %d bytes together", pattern, maxIncluded)
		}
		manifests = append(manifests, layer.Manifest{Name: labelOf(strings.TrimSuffix(name, path.Ext(name))), Content: string(data)})
	}
	return manifests, nil
}

// matchFiles returns the files that a pattern means, at least one.
func matchFiles(fsys fs.FS, pattern string) ([]string, error) {
	info, err := fs.Stat(fsys, pattern)
	if err == nil && !info.IsDir() {
		return []string{pattern}, nil
	}
	found := func(string) bool { return true }
	if err == nil {
		pattern = path.Join(pattern, "*")
		found = func(name string) bool { return slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name)) }
	}
	all, err := fs.Glob(fsys, pattern)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range all {
		if info, err := fs.Stat(fsys, name); found(name) && (err != nil || !info.IsDir()) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, errors.New("there is no such file")
	}
	slices.Sort(names)
	return names, nil
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// labelOf makes a DNS label of a text; of its end, if it is longer.
func labelOf(text string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(text), "-"), "-")
	return strings.Trim(name[max(0, len(name)-63):], "-")
}
