package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/nearest"
)

const (
	presetsFile    = "presets.yaml"
	maxPresetsFile = 1 << 20

	// enabledPresets begins the comment in which values say which presets are
	// in them: "# spectrocloud.com/enabled-presets: Group:name,Other:name".
	enabledPresets = "# spectrocloud.com/enabled-presets:"
)

// A Preset is a change of the values that a pack offers.
type Preset struct {
	Name        string // unique in its group
	DisplayName string
	Group       string   // of which one preset at most is enabled
	Remove      []string // dotted paths that are removed from the values, before
	Add         string   // a YAML document, which is merged into them
	Line        int      // in presets.yaml; 0 if it does not come from there
}

// Presets reads presets.yaml. A pack without one has none. Errors are those of
// [ReadPresets].
func (p *Pack) Presets() ([]Preset, error) {
	text, err := read(p.files, presetsFile, maxPresetsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &Error{File: presetsFile, Err: err}
	}
	return ReadPresets(text)
}

// ReadPresets parses a presets.yaml. All problems are reported at once, each
// as an [*Error], joined.
func ReadPresets(doc []byte) ([]Preset, error) {
	var root struct{ Presets []yaml.Node }
	if err := yaml.NewDecoder(bytes.NewReader(doc)).Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		return nil, yamlError(presetsFile, err)
	}
	var presets []Preset
	var errs []error
	for i, n := range root.Presets {
		report := func(field string, err error) {
			errs = append(errs, &Error{presetsFile, n.Line, n.Column, fmt.Sprintf("presets[%d]%s", i, field), err})
		}
		var written struct {
			Name, Group string
			DisplayName string `yaml:"displayName"`
			Remove      []string
			Add         string
		}
		if err := n.Decode(&written); err != nil {
			report("", yamlError(presetsFile, err).Err)
			continue
		}
		p := Preset{written.Name, written.DisplayName, written.Group, written.Remove, written.Add, n.Line}
		if p.Name == "" {
			report(".name", errors.New("required, but missing"))
		}
		if strings.ContainsAny(p.Group+p.Name, ",:\n") {
			report("", errors.New(`neither name nor group may hold ":" or ","`))
		}
		if slices.ContainsFunc(presets, func(other Preset) bool { return other.Name == p.Name && other.Group == p.Group }) {
			report(".name", fmt.Errorf("group %q has two presets called %q", p.Group, p.Name))
		}
		if _, err := parseValues(presetsFile, p.Add); err != nil {
			e, _ := errors.AsType[*Error](err)
			report(".add", fmt.Errorf("line %d of it: %w", e.Line, e.Err))
		}
		presets = append(presets, p)
	}
	return presets, errors.Join(errs...)
}

// EnablePresets returns a values document with presets enabled: by group, the
// name of one each. They are applied in the order in which presets are given.
// What a preset removes goes before what it adds comes; comments and the order
// of keys stay. The document then says which presets are in it, besides those
// of other groups that it said before.
//
// A preset that there is not is an [*Error].
func EnablePresets(doc []byte, presets []Preset, enabled map[string]string) ([]byte, error) {
	if err := known(presets, enabled); err != nil || len(enabled) == 0 {
		return doc, err
	}
	all := EnabledPresets(doc)
	for _, p := range presets {
		if name, ok := enabled[p.Group]; !ok || name != p.Name {
			continue
		}
		removed, err := removeValues(doc, p.Remove)
		if err != nil {
			return nil, err
		}
		if doc, err = MergeValues(removed, []byte(p.Add)); err != nil {
			return nil, err
		}
		all[p.Group] = p.Name
	}
	return mark(doc, all), nil
}

// known reports those of enabled that are not among presets.
func known(presets []Preset, enabled map[string]string) error {
	var errs []error
	for _, group := range slices.Sorted(maps.Keys(enabled)) {
		var groups, names []string
		for _, p := range presets {
			groups = append(groups, p.Group)
			if p.Group == group {
				names = append(names, p.Name)
			}
		}
		name := enabled[group]
		switch {
		case names == nil:
			errs = append(errs, &Error{File: presetsFile, Err: fmt.Errorf("there is no preset group %q%s", group, nearest.Hint(group, groups))})
		case !slices.Contains(names, name):
			errs = append(errs, &Error{File: presetsFile,
				Err: fmt.Errorf("preset group %q has no preset %q: want one of %s", group, name, strings.Join(names, ", "))})
		}
	}
	return errors.Join(errs...)
}

// EnabledPresets returns the presets that a values document says are in it, by
// group. It never returns nil.
func EnabledPresets(doc []byte) map[string]string {
	enabled := map[string]string{}
	line, _, _ := markLine(string(doc))
	for entry := range strings.SplitSeq(strings.TrimPrefix(line, enabledPresets), ",") {
		if group, name, ok := strings.Cut(entry, ":"); ok {
			enabled[strings.TrimSpace(group)] = strings.TrimSpace(name)
		}
	}
	return enabled
}

// markLine finds the comment in the lines before the first key.
func markLine(doc string) (line string, from, to int) {
	for text := range strings.Lines(doc) {
		to = from + len(text)
		trimmed := strings.TrimSpace(text)
		switch {
		case strings.HasPrefix(trimmed, enabledPresets):
			return trimmed, from, to
		case trimmed != "" && trimmed[0] != '#' && trimmed != "---":
			return "", 0, 0
		}
		from = to
	}
	return "", 0, 0
}

// mark writes the comment, at the top if there was none.
func mark(doc []byte, enabled map[string]string) []byte {
	var entries []string
	for _, group := range slices.Sorted(maps.Keys(enabled)) {
		entries = append(entries, group+":"+enabled[group])
	}
	_, from, to := markLine(string(doc))
	line := enabledPresets + " " + strings.Join(entries, ",") + "\n"
	return slices.Concat(doc[:from], []byte(line), doc[to:])
}
