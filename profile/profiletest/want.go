package profiletest

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/txtar"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// wanted returns the files that the case wants, as they are. Those that cannot
// be made say why, unless the case is being written anew.
func (o *outcome) wanted(a *txtar.Archive, err error, update bool) []txtar.File {
	var got []txtar.File
	for _, f := range a.Files {
		name, ok := strings.CutPrefix(f.Name, wanted)
		if !ok || name == "error" {
			continue
		}
		data, problem := o.file(name)
		if problem != nil && update {
			continue
		} else if problem != nil && err == nil {
			data = problem.Error() + "\n"
		} else if problem != nil {
			continue // the error below says why
		}
		if data != "" && !strings.HasSuffix(data, "\n") {
			data += "\n" // as all files of a case end
		}
		got = append(got, txtar.File{Name: f.Name, Data: data})
	}
	switch {
	case err != nil:
		got = append(got, txtar.File{Name: wanted + "error", Data: strings.TrimRight(err.Error(), "\n") + "\n"})
	case len(got) == 0 && update:
		data, problem := o.file("layers")
		if problem == nil {
			got = append(got, txtar.File{Name: wanted + "layers", Data: data})
		}
	}
	return got
}

var errNotThere = errors.New("the case does not get so far")

// file returns one of the files that a case can want.
func (o *outcome) file(name string) (string, error) {
	folder, file := path.Split(name)
	switch {
	case folder == "values/" || folder == "merged/" || folder == "manifests/":
		return o.layerFile(folder, strings.TrimSuffix(file, ".yaml"))
	case name == "profile.yaml" || strings.HasPrefix(name, "palette."):
		return o.profileFile(name)
	case strings.HasPrefix(name, "compare"):
		return o.difference(name)
	case name == "notes":
		return o.noteLines()
	case name == "form.json" && o.composed != nil:
		data, err := o.composed.VariableSchema()
		return string(data), err
	case name == "uses" && o.composed != nil:
		return useLines(o.composed), nil
	case o.desired == nil:
		return "", errNotThere
	}
	switch name {
	case "layers":
		return layerLines(o.desired), nil
	case "lock":
		data, err := o.desired.Lock().Format()
		return string(data), err
	case "outdated":
		return o.outdated()
	case "explain":
		return o.explain()
	}
	return "", caseError{fmt.Errorf("a case cannot want %q", wanted+name)}
}

// layerLines shows the stack: a line for each layer.
func layerLines(d *profile.Desired) string {
	var b strings.Builder
	for _, l := range d.Layers() {
		fmt.Fprintf(&b, "%s (%s", l.Name, l.Kind.OrDefault())
		if l.InstallOrder != 0 {
			fmt.Fprintf(&b, " %d", l.InstallOrder)
		}
		fmt.Fprintf(&b, ", %s): ", l.Profile)
		if ref := l.Ref(); ref == (layer.Ref{}) {
			b.WriteString("manifests")
		} else {
			fmt.Fprintf(&b, "%s %s %s", ref.Format, ref.Name, l.Pin.Resolved)
		}
		if l.Namespace != "" {
			b.WriteString(" in " + l.Namespace)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// useLines says where each variable is used: a line for each.
func useLines(s *profile.Stack) string {
	var b strings.Builder
	for _, p := range s.Profiles {
		for _, u := range p.Uses() {
			fmt.Fprintf(&b, "%s of %s: %d in %s\n", u.Variable, p.ID(), u.Count, u.Layer)
		}
	}
	return b.String()
}

// layerFile returns the values or the manifests of a layer.
func (o *outcome) layerFile(folder, name string) (string, error) {
	if o.desired == nil {
		return "", errNotThere
	}
	for _, l := range o.layers {
		if l.Name != name {
			continue
		}
		switch folder {
		case "values/":
			return l.Values, nil
		case "merged/":
			merged, err := l.MergedValues()
			if err != nil {
				return "", err
			}
			data, err := yaml.Marshal(merged)
			return string(data), err
		}
		var all []string
		for _, m := range manifestsOf(l) {
			all = append(all, "# "+m.Name+"\n"+m.Content)
		}
		return strings.Join(all, "---\n"), nil
	}
	return "", fmt.Errorf("the stack has no layer %q", name)
}

// profileFile returns the only profile of a case as a file.
func (o *outcome) profileFile(name string) (string, error) {
	if len(o.profiles) != 1 || o.profiles[0] == nil {
		return "", errNotThere
	}
	if name == "profile.yaml" {
		data, err := o.profiles[0].Format()
		return string(data), err
	}
	data, _, err := o.export(strings.TrimPrefix(path.Ext(name), "."))
	return string(data), err
}

func (o *outcome) export(encoding string) ([]byte, []profile.Note, error) {
	options := profile.PaletteOptions{Encoding: encoding}
	if o.desired != nil {
		options.Lock = o.desired.Lock()
	}
	return profile.ExportPalette(o.profiles[0], options)
}

// noteLines returns the notes of the import, or else of the export.
func (o *outcome) noteLines() (string, error) {
	notes := o.notes
	if !o.imported {
		if len(o.profiles) != 1 || o.profiles[0] == nil {
			return "", errNotThere
		}
		var err error
		if _, notes, err = o.export("json"); err != nil {
			return "", err
		}
	}
	var b strings.Builder
	for _, n := range notes {
		b.WriteString(n.String() + "\n")
	}
	return b.String(), nil
}

// difference returns what changed since before/: in the only profile, or, as
// compare-locks, in the locks.
func (o *outcome) difference(name string) (string, error) {
	if o.before == nil {
		return "", caseError{errors.New("there is nothing in before/")}
	}
	var d *profile.Difference
	switch {
	case strings.HasPrefix(name, "compare-locks"):
		if o.desired == nil || o.before.desired == nil {
			return "", errNotThere
		}
		d = profile.CompareLocks(o.before.desired.Lock(), o.desired.Lock())
	case len(o.profiles) != 1 || len(o.before.profiles) != 1 || o.profiles[0] == nil:
		return "", errNotThere
	default:
		d = profile.Compare(o.before.profiles[0], o.profiles[0])
	}
	if path.Ext(name) == ".md" {
		return d.Markdown(), nil
	}
	return d.String(), nil
}

func (o *outcome) outdated() (string, error) {
	newer, err := profile.Outdated(o.ctx, o.Versions, o.desired.Lock())
	var b strings.Builder
	for _, n := range newer {
		fmt.Fprintf(&b, "%s %s", n.Layer, n.Current)
		for _, to := range []struct{ what, version string }{{"patch", n.Patch}, {"minor", n.Minor}, {"major", n.Major}, {"allowed", n.Allowed}} {
			if to.version != "" {
				fmt.Fprintf(&b, ", %s %s", to.what, to.version)
			}
		}
		b.WriteByte('\n')
	}
	return b.String(), err
}

// explain returns what is known of the values that the file explain lists.
func (o *outcome) explain() (string, error) {
	var b strings.Builder
	for _, line := range o.lines {
		name, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		e, err := o.desired.Explain(o.content, name, path)
		if err != nil {
			return "", err
		}
		b.WriteString(e.String())
	}
	return hash.ReplaceAllString(b.String(), "(sensitive)"), nil
}

// hash is what tells sensitive values apart within one process.
var hash = regexp.MustCompile(`\(sensitive [0-9a-f]+\)`)
