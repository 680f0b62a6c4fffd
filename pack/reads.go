package pack

import (
	"regexp"
	"strings"
	"text/template/parse"
)

// reads are the values that templates read, as far as their text tells. Where
// it does not, they say "perhaps", so that a key that somebody reads is never
// called dead.
type reads struct {
	top    map[string]bool // a: somebody reads .Values.a
	second map[string]bool // a.b: somebody reads .Values.a.b
	whole  map[string]bool // a: somebody reads .Values.a with all that is in it
	inside map[string]bool // a: .Values.a is handed on, to where "a" is not said
	words  map[string]bool // every field and text anywhere
	passed bool            // .Values is handed on, to where "Values" is not said
	all    bool            // somebody reads .Values with all that is in it
}

func newReads() *reads {
	return &reads{top: map[string]bool{}, second: map[string]bool{}, whole: map[string]bool{}, inside: map[string]bool{}, words: map[string]bool{}}
}

// readsTop reports whether somebody reads .Values.key, perhaps.
func (r *reads) readsTop(key string) bool {
	return r.all || r.top[key] || r.passed && r.words[key]
}

// readsSecond reports whether somebody reads .Values.key.inner, perhaps.
func (r *reads) readsSecond(key, inner string) bool {
	return r.all || r.second[key+"."+inner] || r.whole[key] || (r.passed || r.inside[key]) && r.words[inner]
}

// add adds what other templates read.
func (r *reads) add(other *reads) {
	for _, pair := range []struct{ into, from map[string]bool }{
		{r.top, other.top}, {r.second, other.second}, {r.whole, other.whole}, {r.inside, other.inside}, {r.words, other.words},
	} {
		for key, read := range pair.from {
			pair.into[key] = pair.into[key] || read
		}
	}
	r.passed = r.passed || other.passed
	r.all = r.all || other.all
}

var mention = regexp.MustCompile(`\.Values\.([A-Za-z0-9_-]+)(?:\.([A-Za-z0-9_-]+))?`)

// mentions adds what a text reads that perhaps is a template: values and other
// files can be, by way of the function "tpl".
func (r *reads) mentions(text string) {
	for _, m := range mention.FindAllStringSubmatch(text, -1) {
		r.path(m[1:])
	}
}

// paths adds what the condition of a dependency reads: "a.b,c.d".
func (r *reads) paths(condition string) {
	for p := range strings.SplitSeq(condition, ",") {
		r.path(strings.Split(strings.TrimSpace(p), "."))
	}
}

// path adds .Values followed by keys.
func (r *reads) path(keys []string) {
	if keys[0] == "" {
		return
	}
	r.top[keys[0]] = true
	if len(keys) > 1 && keys[1] != "" {
		r.second[keys[0]+"."+keys[1]] = true
	} else {
		r.whole[keys[0]] = true
	}
}

// template adds what a template reads.
func (r *reads) template(name, text string) {
	t := parse.New(name)
	t.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := t.Parse(text, "", "", trees); err != nil {
		r.mentions(text) // rendering says what is wrong
		r.all = true
		return
	}
	for _, tree := range trees {
		r.list(tree.Root)
	}
}

func (r *reads) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			r.pipe(n.Pipe, "")
		case *parse.TemplateNode:
			r.pipe(n.Pipe, "template")
		case *parse.IfNode:
			r.pipe(n.Pipe, "if")
			r.list(n.List)
			r.list(n.ElseList)
		case *parse.WithNode:
			r.with(&n.BranchNode)
		case *parse.RangeNode:
			r.pipe(n.Pipe, "")
			r.list(n.List)
			r.list(n.ElseList)
		}
	}
}

// with adds {{ with .Values.a }}, in which a is called ".".
func (r *reads) with(n *parse.BranchNode) {
	before := r.whole
	r.whole = map[string]bool{}
	r.pipe(n.Pipe, "")
	found := r.whole
	r.whole = before
	usesDot := hasDot(n.List)
	for key := range found {
		r.inside[key] = true
		r.whole[key] = r.whole[key] || usesDot
	}
	r.list(n.List)
	r.list(n.ElseList)
}

// hasDot reports whether "." itself is used.
func hasDot(l *parse.ListNode) bool {
	return dot.MatchString(l.String())
}

var dot = regexp.MustCompile(`[ (|]\.[ )|}]|\{\{\.[ |}]`)

// pipe adds what the pipeline of an action reads. A condition looks at a value,
// and at nothing that is in it.
func (r *reads) pipe(p *parse.PipeNode, action string) {
	if p == nil {
		return
	}
	for i, c := range p.Cmds {
		u := use{piped: i < len(p.Cmds)-1 || len(p.Decl) > 0}
		if len(p.Cmds) == 1 && len(c.Args) == 1 {
			u.function = action
		}
		r.command(c, u)
	}
}

// handsOn are functions that give what they get to somebody else, who says
// which fields of it are read. It is constant.
var handsOn = map[string]bool{
	"include": true, "dict": true, "list": true, "tpl": true, "set": true, "hasKey": true,
	"and": true, "or": true, "not": true, "kindIs": true, "typeIs": true, "empty": true, "template": true,
	"default": true, "index": true, "get": true, "dig": true, "pluck": true, "ternary": true, "coalesce": true,
}

func (r *reads) command(c *parse.CommandNode, u use) {
	if id, ok := c.Args[0].(*parse.IdentifierNode); ok {
		u.function = id.Ident
	}
	for _, arg := range c.Args {
		if s, ok := arg.(*parse.StringNode); ok {
			u.texts = append(u.texts, s.Text)
			r.text(s.Text)
		}
	}
	for _, arg := range c.Args {
		switch arg := arg.(type) {
		case *parse.PipeNode:
			r.pipe(arg, "")
		case *parse.ChainNode:
			if inner, ok := arg.Node.(*parse.PipeNode); ok {
				r.pipe(inner, "")
			}
			r.field(arg.Field, u)
		case *parse.FieldNode:
			r.field(arg.Ident, u)
		case *parse.VariableNode:
			r.field(arg.Ident, u)
		}
	}
}

// text adds the words of a text: a key, or a path with dots.
func (r *reads) text(s string) {
	for word := range strings.SplitSeq(s, ".") {
		r.words[word] = true
	}
	r.mentions(s)
}

// A use says where a field is used.
type use struct {
	function string   // whose argument it is; or "if" or "template", if it stands there alone
	texts    []string // that are arguments too
	piped    bool     // into another function, or into a variable
}

// field adds a chain of fields.
func (r *reads) field(names []string, u use) {
	values := -1
	for i, name := range names {
		r.words[name] = true
		if name == "Values" && values < 0 {
			values = i
		}
	}
	if values < 0 {
		return
	}
	keys := names[values+1:]
	switch {
	case len(keys) == 0:
		r.bare(u)
	case len(keys) > 1:
		r.path(keys)
	default:
		key := keys[0]
		r.top[key] = true
		switch {
		case u.function == "if":
		case u.function == "include" || u.function == "dict":
			r.inside[key] = true
			r.whole[key] = r.whole[key] || u.function == "include"
		case len(u.texts) > 0 && handsOn[u.function]:
			for _, text := range u.texts {
				r.second[key+"."+text] = true
			}
			r.inside[key] = true
		default:
			r.whole[key] = true
		}
	}
}

// bare adds .Values itself.
func (r *reads) bare(u use) {
	switch {
	case u.function == "if":
	case u.function == "" && !u.piped && len(u.texts) == 0:
		r.all = true // {{ range .Values }}
	case u.function == "" || handsOn[u.function]:
		r.passed = true
		for _, text := range u.texts {
			r.top[text] = true
		}
	default:
		r.all = true // {{ toYaml .Values }}
	}
}
