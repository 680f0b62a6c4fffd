package helm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"reflect"
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

// A tplText is a text that "tpl" was given, parsed.
type tplText struct {
	main    *parse.Tree
	defines map[string]*parse.Tree // other than main
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

// An output is what a template writes.
type output struct {
	strings.Builder
	run *run
}

// Write counts what is written.
func (o *output) Write(p []byte) (int, error) {
	o.run.work(1)
	o.run.fits(int64(o.Len() + len(p)))
	o.run.made(int64(len(p)))
	return o.Builder.Write(p)
}

// WriteString is as Write.
func (o *output) WriteString(s string) (int, error) {
	o.run.work(1)
	o.run.fits(int64(o.Len() + len(s)))
	o.run.made(int64(len(s)))
	return o.Builder.WriteString(s)
}

// include returns the function that executes a template of a set.
func (r *run) include(set *template.Template) func(string, any) (string, error) {
	return func(name string, data any) (string, error) {
		r.work(1)
		if r.within[name] > maxSame {
			return "", fmt.Errorf("rendering template has a nested reference name: %s: unable to execute template", name)
		}
		r.within[name]++
		before := r.site
		if s, ok := r.sources[name]; ok && sameMap(data, s.scope) {
			// A file is rendered once more, as for a checksum: it gets the values
			// that it has as an object.
			r.site = &site{file: name, calls: map[string]int{}}
		}
		out := output{run: r}
		err := set.ExecuteTemplate(&out, name, data)
		r.site = before
		r.within[name]--
		return out.String(), placed(err)
	}
}

// sameMap reports whether data is that very map.
func sameMap(data any, m map[string]any) bool {
	v := reflect.ValueOf(data)
	return v.Kind() == reflect.Map && v.Pointer() == reflect.ValueOf(m).Pointer()
}

// tpl returns the function that executes a text, which sees the templates of a
// set. What the text defines is seen by nothing but what it executes.
func (r *run) tpl(set *template.Template) func(string, any) (string, error) {
	return func(source string, data any) (string, error) {
		r.read(source)
		parsed, ok := r.parsed[source]
		if !ok {
			r.parsing(source)
			trees, err := parseTrees(rootName, source, r.known)
			if err != nil {
				return "", placed(fmt.Errorf("cannot parse template: %w", err))
			}
			parsed = r.prepare(set, trees)
			r.parsed[source] = parsed
		}
		if parsed.main == nil {
			return "", nil
		}
		inner := set
		if len(parsed.defines) > 0 {
			var err error
			if inner, err = r.extended(set, parsed.defines); err != nil {
				return "", err
			}
			r.sets = append(r.sets, inner)
			defer func() { r.sets = r.sets[:len(r.sets)-1] }()
		}
		t := inner.New(rootName)
		t.Tree = parsed.main
		out := output{run: r}
		if err := t.Execute(&out, data); err != nil {
			return "", placed(err)
		}
		return present(out.String()), nil
	}
}

// parsing counts what it takes to parse a text, and to keep what it says.
func (r *run) parsing(text string) {
	r.work(int64(len(text)) / 4)
	r.made(16 * int64(len(text)))
}

// prepare makes the templates of a text ready to be executed.
func (r *run) prepare(set *template.Template, trees map[string]*parse.Tree) tplText {
	rewriter := rewriter{functions: map[string]bool{}}
	t := tplText{defines: map[string]*parse.Tree{}}
	for name, tree := range trees {
		empty := parse.IsEmptyTree(tree.Root)
		rewriter.tree(tree)
		switch {
		case name == rootName:
			t.main = tree
		case !empty || set.Lookup(name) == nil:
			t.defines[name] = tree
		}
	}
	r.asked.merge(rewriter.asked)
	r.provide(rewriter.functions)
	return t
}

// extended returns a copy of a set with more templates.
func (r *run) extended(set *template.Template, defines map[string]*parse.Tree) (*template.Template, error) {
	r.work(10)
	inner, err := set.Clone()
	if err != nil {
		return nil, err
	}
	inner.Option("missingkey=zero") // Clone forgets it
	inner.Funcs(template.FuncMap{"include": r.include(inner), "tpl": r.tpl(inner)})
	for name, tree := range defines {
		if _, err := inner.AddParseTree(name, tree); err != nil {
			return nil, err
		}
	}
	return inner, nil
}

// show checks what is about to be printed.
func (r *run) show(v reflect.Value) reflect.Value {
	r.work(1)
	if v.IsValid() && v.CanInterface() {
		switch v.Kind() {
		case reflect.Map, reflect.Slice, reflect.Array, reflect.Pointer, reflect.Struct, reflect.Interface:
			r.measure(v.Interface())
		}
	}
	return v
}

// dear counts the work of a method of .Files or .Values, which cannot count it
// itself.
func (r *run) dear(method string) string {
	r.work(1 + r.filesSize()/bytesPerStep/16)
	switch method {
	case "YAML":
		for _, s := range r.sources {
			r.holds(s.scope["Values"])
		}
	case "AsConfig", "AsSecrets":
		r.fits(r.filesSize())
		r.work(r.filesSize() / bytesPerStep)
	}
	return ""
}

// filesSize returns the size of the largest .Files of a chart.
func (r *run) filesSize() int64 {
	if r.largestFiles == 0 {
		r.largestFiles = 1
		for _, s := range r.sources {
			size := int64(1)
			files, _ := s.scope["Files"].(chartFiles)
			for name, data := range files {
				size += int64(len(name) + len(data))
			}
			r.largestFiles = max(r.largestFiles, size)
		}
	}
	return r.largestFiles
}

// has answers x.Has, and notes what is asked of the APIs of the cluster.
func (r *run) has(receiver reflect.Value, api string) (bool, error) {
	r.work(1)
	if receiver.IsValid() && receiver.CanInterface() {
		if set, ok := receiver.Interface().(chartutil.VersionSet); ok {
			r.asked.ask(api)
			return set.Has(api), nil
		}
	}
	return false, errors.New("only .Capabilities.APIVersions has a method Has")
}

// raised is the error of a template that gives up by itself.
type raised struct{ message string }

func (e raised) Error() string { return e.message }

// control are the functions that end a rendering, or ask the cluster.
func (r *run) control() map[string]any {
	return map[string]any{
		"required": func(message string, v any) (any, error) {
			r.work(1)
			if v == nil || v == "" {
				return v, raised{message}
			}
			return v, nil
		},
		"fail":   func(message string) (string, error) { return "", raised{message} },
		"lookup": r.look,
	}
}
