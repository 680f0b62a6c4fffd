package helm

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"helm.sh/helm/v3/pkg/chartutil"
)

// A source is a file with templates, and what they see.
type source struct {
	text     string
	scope    map[string]any
	basePath string
}

// A run renders the templates of one chart, as Helm's engine does, but bounded,
// within a context, and so that it can be repeated.
type run struct {
	usage
	sources map[string]source
	lookup  LookupFunc
	scope   string // tells runs apart that share a Past
	past    Past
	now     time.Time

	kept       Past
	asked      Queries
	plain, own map[string]any // see [run.functions]
	known      map[string]any // all functions, for the parser
	ready      template.FuncMap
	sets       []*template.Template // in use, the outermost first
	site       *site
	within     map[string]int // how often a template is being included
	parsed     map[string]tplText

	largestFiles int64 // see [run.filesSize]
}

// rootName is the name of the template that all others are associated with.
const rootName = "gotpl"

// newRun prepares a rendering.
func newRun(ctx context.Context, sources map[string]source, req Request) *run {
	r := &run{
		usage: newUsage(ctx, req.Limits), sources: sources, lookup: req.Lookup, past: req.Past,
		scope: req.ReleaseName, now: time.Now().UTC().Round(0),
		kept:  Past{Values: map[string]Result{}, Lookups: map[string]json.RawMessage{}},
		ready: template.FuncMap{}, within: map[string]int{}, parsed: map[string]tplText{},
		site: &site{calls: map[string]int{}},
	}
	r.plain, r.own = r.functions()
	r.known = maps.Clone(r.plain)
	maps.Copy(r.known, r.own)
	for _, name := range []string{"include", "tpl"} {
		r.known[name] = true
	}
	return r
}

// render renders all files but those whose name begins with "_".
func (r *run) render() (files map[string]string, err error) {
	defer r.protect(&err)
	set := r.newSet()
	names := inOrder(r.sources)
	for _, name := range names {
		if err := r.parse(set, name, r.sources[name].text); err != nil {
			return nil, err
		}
	}
	files = make(map[string]string, len(names))
	for _, name := range names {
		if strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		s := r.sources[name]
		s.scope["Template"] = chartutil.Values{"Name": name, "BasePath": s.basePath}
		r.site = &site{file: name, calls: map[string]int{}}
		out := output{run: r}
		if err := set.ExecuteTemplate(&out, name, s.scope); err != nil {
			return nil, execError(name, err)
		}
		files[name] = present(out.String())
	}
	var kept Past // without maps that are empty
	kept.Add(r.kept)
	r.kept = kept
	return files, nil
}

// present removes what text/template prints for keys that are missing.
func present(s string) string { return strings.ReplaceAll(s, "<no value>", "") }

// protect makes an error of a panic: of a limit, of the end of the context, or
// of a fault.
func (r *run) protect(err *error) {
	p := recover()
	if p == nil {
		return
	}
	cause, ok := p.(error)
	if ok && r.ctx.Err() != nil {
		cause = r.ctx.Err()
	} else if _, limit := p.(*LimitError); !limit {
		cause = fmt.Errorf("rendering panics: %v", p)
	}
	*err = &TemplateError{Template: r.site.file, Message: cause.Error(), Err: cause}
}

// newSet returns a set of templates without any yet.
func (r *run) newSet() *template.Template {
	set := template.New(rootName).Option("missingkey=zero")
	set.Funcs(template.FuncMap{
		enterFunc: r.enter, leaveFunc: r.leave, turnFunc: r.turn, showFunc: r.show, hasFunc: r.has, dearFunc: r.dear,
		"include": r.include(set), "tpl": r.tpl(set),
	})
	r.sets = append(r.sets, set)
	return set
}

// inOrder returns the names of files in the order in which they are parsed, as
// with Helm: deep ones first, so that those above replace what they define.
func inOrder(sources map[string]source) []string {
	names := slices.Collect(maps.Keys(sources))
	slices.SortFunc(names, func(a, b string) int {
		if d := strings.Count(b, "/") - strings.Count(a, "/"); d != 0 {
			return d
		}
		return strings.Compare(b, a)
	})
	return names
}

// parse adds the templates of a file to a set.
func (r *run) parse(set *template.Template, name, text string) error {
	r.work(int64(len(text)) / 64)
	trees, err := parseTrees(name, text, r.known)
	if err != nil {
		return parseError(name, err)
	}
	return r.add(set, trees)
}

// add adds templates to a set. One that is not empty replaces one of its name.
func (r *run) add(set *template.Template, trees map[string]*parse.Tree) error {
	rewriter := rewriter{functions: map[string]bool{}}
	for name, tree := range trees {
		empty := parse.IsEmptyTree(tree.Root)
		if old := set.Lookup(name); empty && old != nil && old.Tree != nil {
			continue
		}
		rewriter.tree(tree)
		if _, err := set.AddParseTree(name, tree); err != nil {
			return err
		}
	}
	r.asked.merge(rewriter.asked)
	r.provide(rewriter.functions)
	return nil
}

// provide gives the sets in use the functions that new templates call.
func (r *run) provide(called map[string]bool) {
	functions := template.FuncMap{}
	for name := range called {
		if r.ready[name] != nil {
			continue
		}
		if fn, ok := r.own[name]; ok {
			functions[name] = fn
		} else if fn, ok := r.plain[name]; ok {
			functions[name] = r.guard(fn)
		}
	}
	maps.Copy(r.ready, functions)
	for _, set := range r.sets {
		set.Funcs(functions)
	}
}
