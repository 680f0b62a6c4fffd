package helm

import (
	"strconv"
	"strings"
	"text/template/parse"
)

// Functions that are put into templates. No template can name them, as its
// text is parsed before.
const (
	enterFunc = "__enter" // at the beginning of each template
	leaveFunc = "__leave" // at its end
	turnFunc  = "__turn"  // in each turn of a loop
	showFunc  = "__show"  // of what is printed
	dearFunc  = "__dear"  // before methods that take long
	hasFunc   = "__has"   // for .Capabilities.APIVersions.Has
)

// parseTrees parses a text into its templates by name, of which the first is
// the text itself. Errors are those of text/template.
func parseTrees(name, text string, known map[string]any) (map[string]*parse.Tree, error) {
	if nesting(text) > maxNesting {
		return nil, &LimitError{"depth", maxNesting}
	}
	return parse.Parse(name, text, "", "", known, builtins())
}

// builtins returns the functions that text/template itself has, by name. Were
// "break" and "continue" among them, they would be no keywords.
func builtins() map[string]any {
	names := map[string]any{}
	for _, name := range []string{
		"and", "or", "not", "len", "index", "slice", "call", "html", "js", "urlquery",
		"print", "printf", "println", "eq", "ge", "gt", "le", "lt", "ne",
	} {
		names[name] = true
	}
	return names
}

// nesting returns at least how deep blocks stand in each other in a text, which
// the parser of text/template follows without a bound.
func nesting(text string) int {
	deepest := 0
	var open []int // for each block, how many blocks it stands for
	depth := 0
	for {
		_, action, found := strings.Cut(text, "{{")
		if !found {
			return deepest
		}
		text = action
		words := strings.Fields(strings.TrimPrefix(action[:min(len(action), 40)], "-"))
		if len(words) == 0 {
			continue
		}
		switch word, _, _ := strings.Cut(words[0], "}}"); word {
		case "if", "range", "with", "block", "define":
			open = append(open, 1)
			depth++
		case "else": // "else if" stands in the one before
			if len(open) > 0 && len(words) > 1 && words[0] == "else" {
				open[len(open)-1]++
				depth++
			}
		case "end", "end-":
			if len(open) > 0 {
				depth -= open[len(open)-1]
				open = open[:len(open)-1]
			}
		}
		deepest = max(deepest, depth)
	}
}

// A rewriter puts into a template what bounds it, and finds out what it uses.
type rewriter struct {
	functions map[string]bool // that it calls
	asked     Queries         // what it looks at, as far as the text tells
	dear      []string        // methods that the node at hand calls
	depth     int
	deepest   int
}

// tree rewrites one template. It may run while the template is not in use only.
func (r *rewriter) tree(t *parse.Tree) {
	r.depth, r.deepest = 0, 0
	r.list(t.Root)
	weight := 10 + 2*r.deepest
	number := &parse.NumberNode{NodeType: parse.NodeNumber, Pos: t.Root.Pos, IsInt: true, Int64: int64(weight), Text: strconv.Itoa(weight)}
	nodes := append([]parse.Node{silent(t.Root.Pos, enterFunc, number)}, t.Root.Nodes...)
	t.Root.Nodes = append(nodes, silent(t.Root.Pos, leaveFunc, number))
}

// silent returns an action that calls a function and prints nothing.
func silent(pos parse.Pos, function string, args ...parse.Node) *parse.ActionNode {
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: pos, Pipe: &parse.PipeNode{
		NodeType: parse.NodePipe, Pos: pos,
		Decl: []*parse.VariableNode{{NodeType: parse.NodeVariable, Pos: pos, Ident: []string{"$ "}}},
		Cmds: []*parse.CommandNode{call(pos, function, args...)},
	}}
}

func call(pos parse.Pos, function string, args ...parse.Node) *parse.CommandNode {
	return &parse.CommandNode{
		NodeType: parse.NodeCommand, Pos: pos,
		Args: append([]parse.Node{parse.NewIdentifier(function).SetPos(pos)}, args...),
	}
}

func (r *rewriter) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	r.depth++
	r.deepest = max(r.deepest, r.depth)
	nodes := make([]parse.Node, 0, len(l.Nodes))
	for _, n := range l.Nodes {
		before := r.dear
		r.dear = nil
		r.node(n)
		for _, method := range r.dear {
			name := &parse.StringNode{NodeType: parse.NodeString, Pos: n.Position(), Quoted: strconv.Quote(method), Text: method}
			nodes = append(nodes, silent(n.Position(), dearFunc, name))
		}
		nodes = append(nodes, n)
		r.dear = before
	}
	l.Nodes = nodes
	r.depth--
}

func (r *rewriter) node(n parse.Node) {
	switch n := n.(type) {
	case *parse.ActionNode:
		r.pipe(n.Pipe)
		if len(n.Pipe.Decl) == 0 && !givesText(n.Pipe) {
			n.Pipe.Cmds = append(n.Pipe.Cmds, call(n.Pos, showFunc))
		}
	case *parse.IfNode:
		r.branch(&n.BranchNode)
	case *parse.WithNode:
		r.branch(&n.BranchNode)
	case *parse.RangeNode:
		r.branch(&n.BranchNode)
		n.List.Nodes = append([]parse.Node{silent(n.List.Pos, turnFunc)}, n.List.Nodes...)
	case *parse.TemplateNode:
		r.pipe(n.Pipe)
	}
}

func (r *rewriter) branch(b *parse.BranchNode) {
	r.pipe(b.Pipe)
	r.list(b.List)
	r.list(b.ElseList)
}

func (r *rewriter) pipe(p *parse.PipeNode) {
	if p == nil {
		return
	}
	r.depth++
	r.deepest = max(r.deepest, r.depth)
	for i, c := range p.Cmds {
		if len(c.Args) > maxArguments {
			panic(&LimitError{"arguments", maxArguments})
		}
		for _, arg := range c.Args {
			r.argument(arg)
		}
		if len(c.Args) == 2 || len(c.Args) == 1 && i > 0 {
			asHas(c)
		}
	}
	r.depth--
}

func (r *rewriter) argument(n parse.Node) {
	switch n := n.(type) {
	case *parse.IdentifierNode:
		r.functions[n.Ident] = true
	case *parse.PipeNode:
		r.pipe(n)
	case *parse.ChainNode:
		r.argument(n.Node)
		r.path(n.Field)
	case *parse.FieldNode:
		r.path(n.Ident)
	case *parse.VariableNode:
		r.path(n.Ident)
	case *parse.StringNode:
		if n.Text == "Capabilities" { // as in: index . "Capabilities"
			r.asked.look([]string{n.Text})
		}
	}
}

// path notes what a path of fields leads to.
func (r *rewriter) path(names []string) {
	r.asked.look(names)
	for _, name := range names {
		switch name {
		case "YAML", "AsConfig", "AsSecrets", "Get", "GetBytes", "Lines", "Glob":
			r.dear = append(r.dear, name)
		}
	}
}

// asHas turns x.Has into a call of hasFunc, which notes what is asked.
func asHas(c *parse.CommandNode) {
	var receiver parse.Node
	switch n := c.Args[0].(type) {
	case *parse.FieldNode:
		if last := len(n.Ident) - 1; last > 0 && n.Ident[last] == "Has" {
			n.Ident, receiver = n.Ident[:last], n
		}
	case *parse.VariableNode:
		if last := len(n.Ident) - 1; last > 0 && n.Ident[last] == "Has" {
			n.Ident, receiver = n.Ident[:last], n
		}
	case *parse.ChainNode:
		if last := len(n.Field) - 1; last > 0 && n.Field[last] == "Has" {
			n.Field, receiver = n.Field[:last], n
		}
	}
	if receiver != nil {
		c.Args = append(call(c.Pos, hasFunc, receiver).Args, c.Args[1:]...)
	}
}

// givesText reports whether the last command of p is a function that gives a
// text, which needs no look before it is printed.
func givesText(p *parse.PipeNode) bool {
	name, ok := p.Cmds[len(p.Cmds)-1].Args[0].(*parse.IdentifierNode)
	if !ok {
		return false
	}
	switch name.Ident {
	case "include", "tpl", "quote", "squote", "toYaml", "nindent", "indent", "toJson", "printf", "print",
		"b64enc", "trunc", "trimSuffix", "toString", "replace", "sha256sum", "lower", "upper":
		return true
	}
	return false
}
