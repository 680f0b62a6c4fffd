package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/crd"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/layer"
)

// A DefinitionError says what would break if a custom resource definition became
// what the stack has: objects that are stored, or clients that read them. It is
// terminal, and nothing is written.
type DefinitionError struct {
	Object   ObjectRef
	Source   string // file and line of the new definition
	Findings []DefinitionFinding
}

// A DefinitionFinding is one thing that breaks.
type DefinitionFinding struct {
	// Path is where in the definition, `.spec.versions[v1].schema...`.
	Path    string
	Problem string
}

func (e *DefinitionError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s would break what is on the cluster; allow it in Reconciler.BreakCRDs, or leave it as it is with the layer's crds: create:", e.Source, e.Object)
	for _, f := range e.Findings {
		fmt.Fprintf(&b, "\n\t%s: %s", f.Path, f.Problem)
	}
	return b.String()
}

// Is reports whether target is [ErrTerminal].
func (e *DefinitionError) Is(target error) bool { return target == ErrTerminal }

// A servedKind is how the cluster will serve a kind whose definition is in the
// plan.
type servedKind struct {
	kube.Resource
	validator *crd.Validator // nil if anything goes
	changes   bool           // the definition is made or changed by the plan
}

// decideDefinitions makes work of the custom resource definitions of the plan
// and decides about them: what can be said of all other objects depends on it.
func (s *session) decideDefinitions(ctx context.Context, p *Plan, now survey) error {
	var all []*work
	var errs []error
	for _, l := range p.layers {
		if l.output == nil {
			continue
		}
		for _, o := range l.output.Objects {
			if o.Batch() != manifest.Definitions {
				continue
			}
			w, err := s.prepareObject(ctx, l.Layer, o, nil)
			if err != nil {
				errs = append(errs, &LayerError{l.Name, err})
				continue
			}
			w.crds = s.definitionPolicy(l.Layer)
			l.objects, all = append(l.objects, w), append(all, w)
		}
	}
	if err := s.lookFor(ctx, all, now.owned, nil, now.live); err != nil {
		return err
	}
	errs = append(errs, s.decideEach(ctx, all, now))
	for _, l := range p.layers {
		l.objects = slices.DeleteFunc(l.objects, func(w *work) bool { return w.left && w.action != Unchanged })
	}
	return errors.Join(errs...)
}

// definitionPolicy returns what becomes of the definitions of a layer.
func (s *session) definitionPolicy(l layer.Layer) layer.CRDPolicy {
	return cmp.Or(l.CRDs, s.CRDs, layer.CRDUpgrade)
}

// police makes of what was decided for a definition what the policy of its layer
// allows. What we had begun to apply is brought to its end.
func police(w *work, mine *known) {
	switch {
	case w.crds == "" || w.crds == layer.CRDUpgrade, w.going, w.action == Transfer:
	case mine != nil && mine.Applied == "":
	case w.exists && mine != nil:
		w.action, w.reason, w.left = Unchanged, "", true
	case w.exists, w.crds == layer.CRDNever:
		w.left = true
	}
}

// mayChange returns a [*DefinitionError] if a definition cannot safely become
// what w has, unless that is allowed. What is allowed is a warning.
func (s *session) mayChange(w *work, now *unstructured.Unstructured) error {
	if w.batch != manifest.Definitions {
		return nil
	}
	err := &DefinitionError{Object: ObjectRef(w.ref), Source: w.source}
	for _, f := range crd.Compare(crd.Read(now), crd.Read(w.object)) {
		err.Findings = append(err.Findings, DefinitionFinding(f))
	}
	if len(err.Findings) == 0 {
		return nil
	}
	if !slices.Contains(s.BreakCRDs, w.ref.Name) && !slices.Contains(s.BreakCRDs, "*") {
		return err
	}
	for _, f := range err.Findings {
		w.warnings = append(w.warnings, fmt.Sprintf("%s: %s: %s (allowed)", w.ref, f.Path, f.Problem))
	}
	return nil
}

// brings returns how the cluster will serve the kinds that the definitions of a
// layer bring.
func (l *layerWork) brings() (map[schema.GroupVersionKind]servedKind, error) {
	all := map[schema.GroupVersionKind]servedKind{}
	var errs []error
	for _, w := range l.objects {
		if w.batch != manifest.Definitions || w.left {
			continue
		}
		d := crd.Read(w.object)
		for kind, resource := range definedBy(d) {
			validator, err := d.Validator(kind.Version)
			if err != nil {
				errs = append(errs, &SourceError{w.source, err})
			}
			all[kind] = servedKind{resource, validator, w.action != Unchanged}
		}
	}
	return all, errors.Join(errs...)
}
