package helm

import (
	"fmt"
	"reflect"
	"text/template"
	"text/template/parse"
)

// A tplText is a text that "tpl" was given, parsed.
type tplText struct {
	main    *parse.Tree
	defines map[string]*parse.Tree // other than main
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
