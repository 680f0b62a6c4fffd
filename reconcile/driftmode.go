package reconcile

import (
	"cmp"
	"slices"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/layer"
)

// wholeObject is the JSON pointer to all of an object.
const wholeObject = ""

// driftPolicy returns the policy for objects of a layer, with a mode.
func (s *session) driftPolicy(of layer.DriftPolicy) layer.DriftPolicy {
	of.Mode = cmp.Or(of.Mode, s.Drift, layer.DriftCorrect)
	return of
}

// modeOf returns what becomes of a change of a field, or, without a path, of
// an object that was deleted. The manager is "" if nobody holds the field.
func modeOf(p layer.DriftPolicy, ref kube.Ref, path kube.Path, manager string) layer.DriftMode {
	for _, r := range p.Rules {
		if !about(r, ref) || r.Manager != "" && (manager == "" || !r.By(manager)) {
			continue
		}
		if len(r.Paths) == 0 || len(path) > 0 && slices.ContainsFunc(r.Paths, path.Under) {
			return cmp.Or(r.Mode, layer.DriftOff)
		}
	}
	return p.Mode
}

// ignored returns the JSON pointers of fields of an object that anybody may
// change, as far as the object need not be looked at to tell: only wholeObject
// if that is all of them.
func ignored(p layer.DriftPolicy, ref kube.Ref) []string {
	var pointers []string
	for _, r := range p.Rules {
		switch {
		case !about(r, ref):
			continue
		case cmp.Or(r.Mode, layer.DriftOff) != layer.DriftOff || r.Manager != "":
			return pointers // what comes after may not count
		case len(r.Paths) == 0:
			return []string{wholeObject}
		}
		pointers = append(pointers, r.Paths...)
	}
	if p.Mode == layer.DriftOff {
		return []string{wholeObject}
	}
	return pointers
}

func about(r layer.DriftRule, ref kube.Ref) bool {
	return r.About(ref.GVK().GroupKind().String(), ref.Namespace, ref.Name)
}
