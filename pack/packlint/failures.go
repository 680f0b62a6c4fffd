package packlint

import (
	"errors"
	"path"
	"strings"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/joined"
	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/internal/values"
	"github.com/strata-go/strata/pack"
)

// fail adds an error of the rendering of the pack as a whole, unless the check
// without rendering has found the cause: then it has the better place.
func (r *Report) fail(err error) {
	if r.OK() {
		r.Problems = append(r.Problems, problems(err)...)
	}
}

// problems makes a problem of each error that was joined, however deep.
func problems(err error) []pack.Problem {
	var all []pack.Problem
	for _, err := range joined.Errors(err) {
		like := pack.Problem{Severity: pack.SeverityError}
		if e, ok := errors.AsType[*render.Error](err); ok {
			like.File, err = e.File, e.Err
		}
		for _, cause := range causes(err) {
			p := like
			if e, ok := errors.AsType[*helm.SchemaError](cause); ok {
				all = append(all, ofSchema(p, err, e)...)
				continue
			}
			if p.Message = cause.Error(); len(causes(err)) == 1 {
				p.Message = err.Error()
			}
			all = append(all, placed(p, cause))
		}
	}
	return all
}

// causes returns what is at the bottom of err, or the first that says where.
func causes(err error) []error {
	switch err.(type) { //nolint:errorlint // the outermost that says where is wanted
	case *pack.Error, *macro.Error:
		return []error{err}
	}
	if inner := errors.Unwrap(err); inner != nil {
		return causes(inner)
	}
	if joined := joined.Errors(err); len(joined) > 1 {
		var all []error
		for _, err := range joined {
			all = append(all, causes(err)...)
		}
		return all
	}
	return []error{err}
}

// placed adds what err knows of the place.
func placed(p pack.Problem, err error) pack.Problem {
	if e, ok := errors.AsType[*helm.TemplateError](err); ok && e.Template != "" {
		p.File, p.Line = inside(p.File, e.Template), e.Line
		if e.Column > 0 {
			p.Column = e.Column + 1
		}
		at := *e
		at.Template = ""
		p.Message = at.Error()
	} else if e, ok := errors.AsType[*manifest.DocumentError](err); ok {
		p.File, p.Line, p.Field, p.Message = inside(p.File, e.Source), e.Line, e.Field, e.Problem
	} else if e, ok := errors.AsType[*values.ParseError](err); ok {
		p.File, p.Line, p.Message = e.Name, e.Line, e.Problem
	} else if e, ok := errors.AsType[*pack.Error](err); ok {
		p.File, p.Line, p.Column, p.Field, p.Message = "values.yaml", e.Line, e.Column, e.Field, e.Err.Error()
	}
	return p
}

// inside returns the path of a file that is perhaps in an archive.
func inside(archive, file string) string {
	if path.Ext(archive) != ".tgz" && !strings.HasSuffix(archive, ".tar.gz") {
		return file
	}
	return archive + "/" + file
}

// ofSchema makes a problem of each value that the schema of a chart refuses.
func ofSchema(like pack.Problem, err error, e *helm.SchemaError) []pack.Problem {
	block := ""
	if c, ok := errors.AsType[*helm.ChartError](err); ok {
		block = "charts." + c.Chart
	}
	var all []pack.Problem
	for _, s := range e.Problems {
		p := like
		p.File = inside(like.File, s.Chart+"/values.schema.json")
		_, subcharts, _ := strings.Cut(strings.ReplaceAll(s.Chart, "/charts/", "/"), "/")
		at := strings.Trim(subcharts+s.Path, "/")
		p.Field = strings.TrimSuffix(block+"."+strings.ReplaceAll(at, "/", "."), ".")
		p.Message = s.Problem
		all = append(all, p)
	}
	return all
}
