package helm

import (
	"cmp"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/manifest"
	"helm.sh/helm/v3/pkg/releaseutil"
)

// A document is one document of what a template gave.
type document struct {
	template string
	text     string
	objects  []manifest.Object // none in a document of comments
	hook     *Hook             // nil if it is part of the release
}

// documents cuts rendered files into documents, in the order in which Helm
// installs them: by kind, then by file. It reads each document only once, as
// that is the dear part; Helm's own sorting reads them for the kind alone.
//
// It reports all documents that are no objects, joined. The warnings name
// hooks that are left out, as Helm does with events it does not know.
func documents(files map[string]string) (docs []document, warnings []string, err error) {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(path.Base(name), "_") || strings.TrimSpace(files[name]) == "" {
			continue
		}
		found, warned, err := split(name, files[name])
		docs = append(docs, found...)
		warnings = append(warnings, warned...)
		errs = append(errs, err)
	}
	slices.SortStableFunc(docs, byKind())
	return docs, warnings, errors.Join(errs...)
}

func split(name, text string) (docs []document, warnings []string, err error) {
	var errs []error
	line, rest := 1, text
	for _, part := range splitManifests(text) {
		before, after, _ := strings.Cut(rest, part)
		line += strings.Count(before, "\n")
		d, err := newDocument(name, line, part)
		if _, ok := errors.AsType[*unknownEventError](err); ok {
			warnings = append(warnings, err.Error())
		} else {
			docs = append(docs, d)
			errs = append(errs, err)
		}
		line, rest = line+strings.Count(part, "\n"), after
	}
	return docs, warnings, errors.Join(errs...)
}

// splitManifests cuts a text where Helm does. That is not where YAML ends a
// document: templates may give "---apiVersion", and Helm takes that for a
// marker. Helm's own function is a fifth of the cost of a rendering.
func splitManifests(text string) []string {
	const marker, space = "---", "\t\n\f\r "
	var parts []string
	add := func(part string) {
		if part != "" {
			parts = append(parts, strings.TrimSpace(part))
		}
	}
	rest := strings.TrimSpace(text)
	if after, found := strings.CutPrefix(rest, marker); found {
		rest = strings.TrimLeft(after, space)
	}
	for {
		part, after, found := strings.Cut(rest, "\n"+marker)
		if !found {
			add(rest)
			return parts
		}
		add(strings.TrimRight(part, space))
		rest = strings.TrimLeft(after, space)
	}
}

func newDocument(name string, line int, text string) (document, error) {
	d := document{template: name, text: text}
	var err error
	// A block scalar at the end of a document ends with a line break in a release,
	// where Helm ends each document with one, and in a hook it does not.
	if d.objects, err = manifest.ParseAt(name, line, []byte(text+"\n")); err != nil {
		return d, err
	}
	if len(d.objects) != 1 { // Helm looks at the annotations of a List, and not of its items
		return d, nil
	}
	if d.hook, err = newHook(d.objects[0], text); err != nil || d.hook == nil {
		return d, err
	}
	if d.objects, err = manifest.ParseAt(name, line, []byte(text)); err == nil {
		d.hook.Object = d.objects[0]
	}
	return d, err
}

func (d document) kind() string {
	if len(d.objects) == 0 {
		return ""
	}
	return d.objects[0].GetKind()
}

// byKind orders documents as Helm does: kinds that it does not know come last,
// by name.
func byKind() func(a, b document) int {
	order := make(map[string]int, len(releaseutil.InstallOrder))
	for i, kind := range releaseutil.InstallOrder {
		order[kind] = i
	}
	rank := func(d document) (int, string) {
		if i, ok := order[d.kind()]; ok {
			return i, ""
		}
		return len(order), d.kind()
	}
	return func(a, b document) int {
		i, kindA := rank(a)
		j, kindB := rank(b)
		return cmp.Or(cmp.Compare(i, j), strings.Compare(kindA, kindB))
	}
}
