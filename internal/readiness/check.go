package readiness

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strata-go/strata/layer"
)

// costLimit bounds what one evaluation of an expression may cost, in the units
// of CEL: some milliseconds.
const costLimit = 1_000_000

// A Checker is a compiled [layer.Check]. It is safe for concurrent use.
type Checker struct {
	layer.Check
	program cel.Program // nil without an expression
}

// NewChecker compiles a check. The error says where the expression is wrong.
func NewChecker(c layer.Check) (*Checker, error) {
	checker := &Checker{Check: c}
	if c.Expression == "" {
		return checker, nil
	}
	env, err := cel.NewEnv(cel.Variable("self", cel.DynType))
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(c.Expression)
	if issues.Err() != nil {
		return nil, fmt.Errorf("readiness check %q: %w", c.Name, issues.Err())
	}
	if t := ast.OutputType(); t != cel.BoolType && t != cel.DynType {
		return nil, fmt.Errorf("readiness check %q: the expression gives %s, want a boolean", c.Name, t)
	}
	checker.program, err = env.Program(ast, cel.CostLimit(costLimit))
	return checker, err
}

// State returns whether the object passes the check. What an expression finds
// missing may come: it is not yet ready.
func (c *Checker) State(o *unstructured.Unstructured) State {
	for _, f := range c.Fields {
		if got := field(o.Object, f.Path); got != f.Value {
			return State{Progressing, fmt.Sprintf("check %q: %s is %q, want %q", c.Name, f.Path, got, f.Value)}
		}
	}
	if c.program == nil {
		return State{Health: Ready}
	}
	result, _, err := c.program.Eval(map[string]any{"self": o.Object})
	if err != nil {
		return State{Progressing, fmt.Sprintf("check %q: %v", c.Name, err)}
	}
	if result.Value() != true {
		return State{Progressing, fmt.Sprintf("check %q: %s is not true", c.Name, c.Expression)}
	}
	return State{Health: Ready}
}

// field returns the text of the field at a path such as
// "status.conditions[0].status", or "".
func field(v any, path string) string {
	for part := range strings.SplitSeq(path, ".") {
		name, rest, indexed := strings.Cut(part, "[")
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[name]
		for indexed {
			var digits string
			digits, rest, _ = strings.Cut(rest, "]")
			list, ok := v.([]any)
			i, err := strconv.Atoi(digits)
			if !ok || err != nil || i < 0 || i >= len(list) {
				return ""
			}
			v = list[i]
			_, rest, indexed = strings.Cut(rest, "[")
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
