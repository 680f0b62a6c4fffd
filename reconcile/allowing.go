package reconcile

import (
	"fmt"
	"strings"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/layer"
)

// An AllowRule says which objects a layer may have: those of one of its kinds in
// one of its namespaces. Of several rules for a layer one is enough; a layer
// without any may have all. What a layer itself says ([layer.Layer.Allow]) holds
// beside the rules: both must allow an object.
type AllowRule struct {
	// Layer is the name of the layer. If empty, the rule is for every layer.
	Layer string
	// Namespaces are those that objects may be in, and that the layer may be
	// installed in or want labels of. If empty, all. An entry "" stands for
	// objects without a namespace, which are refused otherwise.
	Namespaces []string
	// Kinds are as in "Deployment.apps" and "Secret". If empty, all.
	Kinds []string
}

func (r AllowRule) allowance() layer.Allowance {
	return layer.Allowance{Namespaces: r.Namespaces, Kinds: r.Kinds}
}

// A NotAllowedError says that a layer has an object that it may not have. It is
// terminal, and nothing was written.
type NotAllowedError struct {
	Object ObjectRef
	Source string // file and line; "" for a namespace that the layer is installed in
	// Rules are those of [Reconciler.Allow] for the layer; empty if they allow it.
	Rules []AllowRule
	// Own is what the layer itself says in its profile; nil if it allows it.
	Own *layer.Allowance
}

func (e *NotAllowedError) Error() string {
	var parts []string
	if e.Own != nil {
		parts = append(parts, fmt.Sprintf("the layer's own allow has only %s; take it out of the layer, or widen allow in the profile", bounds(*e.Own)))
	}
	if len(e.Rules) > 0 {
		var rules []string
		for _, r := range e.Rules {
			rules = append(rules, bounds(r.allowance()))
		}
		parts = append(parts, fmt.Sprintf("Reconciler.Allow has only %s; take it out of the layer, or add a rule there", strings.Join(rules, ", or ")))
	}
	text := fmt.Sprintf("%s: not allowed: %s", e.Object, strings.Join(parts, "; and "))
	if e.Source != "" {
		text = e.Source + ": " + text
	}
	return text
}

// Is reports whether target is [ErrTerminal].
func (e *NotAllowedError) Is(target error) bool { return target == ErrTerminal }

func bounds(a layer.Allowance) string {
	return fmt.Sprintf("kinds %s in namespaces %s", orAll(a.Kinds), orAll(a.Namespaces))
}

func orAll(names []string) string {
	if len(names) == 0 {
		return "(all)"
	}
	return fmt.Sprintf("%q", names)
}

// bounded is a layer with all that says what it may have.
type bounded struct {
	name  string
	own   layer.Allowance
	rules []AllowRule
}

func (s *session) bounded(l layer.Layer) bounded { return bounded{l.Name, l.Allow, s.Allow} }

// object checks an object, whose namespace is set, that stands in a source.
func (b bounded) object(source string, ref kube.Ref) error {
	kind := ref.GVK().GroupKind().String()
	return b.check(&NotAllowedError{Object: ObjectRef(ref), Source: source}, func(a layer.Allowance) bool {
		return a.Allows(kind, ref.Namespace)
	})
}

// namespace checks a namespace that the layer is installed in or labels.
func (b bounded) namespace(name string) error {
	return b.check(&NotAllowedError{Object: ObjectRef(namespaceRef(name))}, func(a layer.Allowance) bool {
		return a.AllowsNamespace(name)
	})
}

// check returns e with those who refuse it, or nil.
func (b bounded) check(e *NotAllowedError, allows func(layer.Allowance) bool) error {
	if !allows(b.own) {
		e.Own = &b.own
	}
	for _, r := range b.rules {
		if r.Layer != "" && r.Layer != b.name {
			continue
		}
		if allows(r.allowance()) {
			e.Rules = nil
			break
		}
		e.Rules = append(e.Rules, r)
	}
	if e.Own == nil && len(e.Rules) == 0 {
		return nil
	}
	return e
}
