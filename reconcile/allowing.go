package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/kube"
)

// An AllowRule says which objects a layer may have: those of one of its kinds in
// one of its namespaces. Of several rules for a layer one is enough; a layer
// without any may have all.
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

// A NotAllowedError says that a layer has an object that no [AllowRule] for the
// layer lets it have. It is terminal, and nothing was written.
type NotAllowedError struct {
	Object ObjectRef
	Source string      // file and line; "" for a namespace that the layer is installed in
	Rules  []AllowRule // for the layer
}

func (e *NotAllowedError) Error() string {
	var rules []string
	for _, r := range e.Rules {
		rules = append(rules, fmt.Sprintf("kinds %s in namespaces %s", orAll(r.Kinds), orAll(r.Namespaces)))
	}
	text := fmt.Sprintf("%s: the layer may only have %s; take it out of the layer, or add a rule to Reconciler.Allow", e.Object, strings.Join(rules, ", or "))
	if e.Source != "" {
		text = e.Source + ": " + text
	}
	return text
}

// Is reports whether target is [ErrTerminal].
func (e *NotAllowedError) Is(target error) bool { return target == ErrTerminal }

func orAll(names []string) string {
	if len(names) == 0 {
		return "(all)"
	}
	return fmt.Sprintf("%q", names)
}

// allowedAround checks the namespaces of a layer.
func (s *session) allowedAround(l *layerWork) []error {
	var errs []error
	for _, ns := range l.namespaces {
		errs = append(errs, wrapLayer(l.Name, allowedNamespace(s.Allow, l.Name, ns.Name)))
	}
	return errs
}

// allowed checks an object of a layer, whose namespace is set, against rules.
func allowed(rules []AllowRule, layer, source string, ref kube.Ref) error {
	kind := ref.GVK().GroupKind().String()
	return allowedIf(rules, layer, &NotAllowedError{Object: ObjectRef(ref), Source: source}, func(r AllowRule) bool {
		return has(r.Namespaces, ref.Namespace) && has(r.Kinds, kind)
	})
}

// allowedNamespace checks a namespace that a layer is installed in or labels.
func allowedNamespace(rules []AllowRule, layer, name string) error {
	return allowedIf(rules, layer, &NotAllowedError{Object: ObjectRef(namespaceRef(name))}, func(r AllowRule) bool {
		return has(r.Namespaces, name)
	})
}

func allowedIf(rules []AllowRule, layer string, e *NotAllowedError, allows func(AllowRule) bool) error {
	for _, r := range rules {
		if r.Layer != "" && r.Layer != layer {
			continue
		}
		if allows(r) {
			return nil
		}
		e.Rules = append(e.Rules, r)
	}
	if len(e.Rules) == 0 {
		return nil
	}
	return e
}

func has(names []string, name string) bool { return len(names) == 0 || slices.Contains(names, name) }
