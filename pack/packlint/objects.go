package packlint

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/pack"
)

// maxReleaseName is how long Helm lets the name of a release be.
const maxReleaseName = 53

// objects checks what the parts of the pack gave.
func (r *Report) objects(parts []render.Part) {
	seen := map[manifest.Key]placedObject{}
	found := &images{used: map[string]place{}}
	for _, part := range parts {
		r.failure(part)
		for _, text := range part.Output.Warnings {
			r.add(pack.SeverityWarning, place{file: part.File}, "%s", text)
		}
		for _, o := range part.Output.Objects {
			at := place{inside(part.File, o.Source), o.Line}
			r.duplicate(seen, placedObject{o, at})
			if !o.FromCRDs {
				found.collect(o.Object, at)
			}
		}
		for _, release := range part.Output.Releases {
			for _, h := range release.Hooks {
				found.collect(h.Object, place{inside(part.File, h.Object.Source), h.Object.Line})
			}
		}
	}
	r.images(found, parts)
}

// A place is where a problem is.
type place struct {
	file string
	line int
}

func (r *Report) add(severity pack.Severity, at place, format string, args ...any) {
	r.Problems = append(r.Problems, pack.Problem{
		Severity: severity, File: at.file, Line: at.line, Message: fmt.Sprintf(format, args...),
	})
}

// failure adds the error of a part, unless the check without rendering has
// found the cause.
func (r *Report) failure(p render.Part) {
	if p.Err != nil && !errors.Is(p.Err, fs.ErrNotExist) && len(p.Release) <= maxReleaseName && !errors.Is(p.Err, errNotRendered) {
		r.Problems = append(r.Problems, problems(p.Err)...)
	}
}

// A placedObject is an object and where it was written.
type placedObject struct {
	render.Object
	place
}

// duplicate reports an object that is written more than once. That of the crds
// folders of two charts is none: Helm makes those if they are missing.
func (r *Report) duplicate(seen map[manifest.Key]placedObject, o placedObject) {
	key := o.Key()
	// Which kinds have namespaces is not known offline. Where one is not
	// written, either the default one is meant, or it does not count.
	key.Namespace = cmp.Or(key.Namespace, o.DefaultNamespace)
	first, found := seen[key]
	switch {
	case !found:
		seen[key] = o
	case !first.FromCRDs || !o.FromCRDs:
		r.add(pack.SeverityError, o.place, "%s is written twice: it is in %s:%d too", o.Key(), first.file, first.line)
	}
}

// A list of images, with what they are looked for in.
type images struct {
	used  map[string]place // by containers
	texts strings.Builder  // every text of every object, a line each
}

// collect adds the images and texts of an object.
func (i *images) collect(o manifest.Object, at place) {
	for _, image := range o.Images() {
		if _, known := i.used[image]; !known {
			i.used[image] = at
		}
	}
	i.read(o.Object)
}

// read adds the texts in v.
func (i *images) read(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			i.read(item)
		}
	case []any:
		for _, item := range v {
			i.read(item)
		}
	case string:
		i.texts.WriteString(v)
		i.texts.WriteByte('\n')
	}
}
