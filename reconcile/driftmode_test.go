package reconcile

import (
	"strings"
	"testing"
	"time"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/layer"
)

func TestDriftMode(t *testing.T) {
	t.Parallel()
	ref := kube.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "ns", Name: "web-1"}
	replicas := kube.Path{}.Field("spec").Field("replicas")
	image := kube.Path{}.Field("spec").Field("containers").Item(1, map[string]any{"name": "main"}).Field("image")
	for _, tt := range []struct {
		name    string
		mode    layer.DriftMode
		rules   []layer.DriftRule
		path    kube.Path
		manager string
		want    layer.DriftMode
		ignored string // without a look at who did it
	}{
		{"no rules", layer.DriftReport, nil, replicas, "a", layer.DriftReport, "none"},
		{"off", layer.DriftOff, nil, replicas, "a", layer.DriftOff, ""},
		{"off, deleted", layer.DriftOff, nil, nil, "", layer.DriftOff, ""},
		{"a field", layer.DriftCorrect, []layer.DriftRule{{Paths: []string{"/spec/replicas"}}}, replicas, "a", layer.DriftOff, "/spec/replicas"},
		{"above it", layer.DriftCorrect, []layer.DriftRule{{Kind: "*", Paths: []string{"/spec"}, Mode: layer.DriftReport}}, replicas, "a", layer.DriftReport, "none"},
		{"beside it", layer.DriftCorrect, []layer.DriftRule{{Paths: []string{"/spec/rep"}}}, replicas, "a", layer.DriftCorrect, "/spec/rep"},
		{"an item by name", layer.DriftCorrect, []layer.DriftRule{{Paths: []string{"/spec/containers/main"}}}, image, "a", layer.DriftOff, "/spec/containers/main"},
		{"an item by index", layer.DriftCorrect, []layer.DriftRule{{Paths: []string{"/spec/containers/0/image"}}}, image, "a", layer.DriftOff, "/spec/containers/0/image"},
		{"another kind", layer.DriftCorrect, []layer.DriftRule{{Kind: "Deployment", Paths: []string{"/spec"}}}, replicas, "a", layer.DriftCorrect, "none"},
		{"a pattern", layer.DriftCorrect, []layer.DriftRule{{Kind: "Deployment.apps", Namespace: "n?", Name: "web-*"}}, replicas, "a", layer.DriftOff, ""},
		{"another pattern", layer.DriftCorrect, []layer.DriftRule{{Name: "app-*"}}, replicas, "a", layer.DriftCorrect, "none"},
		{"a manager", layer.DriftCorrect, []layer.DriftRule{{Manager: "kube-*"}}, replicas, "kube-controller", layer.DriftOff, "none"},
		{"another manager", layer.DriftCorrect, []layer.DriftRule{{Manager: "kube-*"}}, replicas, "kubectl", layer.DriftCorrect, "none"},
		{"nobody", layer.DriftCorrect, []layer.DriftRule{{Manager: "*"}}, replicas, "", layer.DriftCorrect, "none"},
		{"deleted", layer.DriftCorrect, []layer.DriftRule{{Name: "web-1", Mode: layer.DriftReport}}, nil, "", layer.DriftReport, "none"},
		{"a field of what was deleted", layer.DriftCorrect, []layer.DriftRule{{Paths: []string{"/spec"}}}, nil, "", layer.DriftCorrect, "/spec"},
		{"the first counts", layer.DriftOff, []layer.DriftRule{{Paths: []string{"/spec/replicas"}, Mode: layer.DriftCorrect}, {Paths: []string{"/spec"}}}, replicas, "a", layer.DriftCorrect, "none"},
	} {
		p := layer.DriftPolicy{Mode: tt.mode, Rules: tt.rules}
		if got := modeOf(p, ref, tt.path, tt.manager); got != tt.want {
			t.Errorf("%s: mode = %s, want %s", tt.name, got, tt.want)
		}
		all := ignored(p, ref)
		if got := strings.Join(all, " "); len(all) == 0 && tt.ignored != "none" || len(all) > 0 && got != tt.ignored {
			t.Errorf("%s: ignored are %q, want %q", tt.name, all, tt.ignored)
		}
	}
}

func TestProposedRule(t *testing.T) {
	t.Parallel()
	d := Drift{
		Object: ObjectRef{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "ns", Name: "web"},
		Field:  ".spec.replicas", Path: "/spec/replicas", Old: "1", New: "5", Manager: "kubectl-edit", Time: time.Unix(0, 0),
	}
	const want = "drift:\n  rules:\n  - kind: Deployment.apps\n    mode: \"off\"\n    name: web\n    namespace: ns\n    paths:\n    - /spec/replicas\n"
	if got := d.RuleYAML(); got != want {
		t.Errorf("RuleYAML =\n%s\nwant\n%s", got, want)
	}
	policy := layer.DriftPolicy{Mode: layer.DriftCorrect, Rules: []layer.DriftRule{d.Rule()}}
	if got := modeOf(policy, kube.Ref(d.Object), kube.Path{}.Field("spec").Field("replicas"), "anybody"); got != layer.DriftOff {
		t.Errorf("under the proposed rule the mode is %s", got)
	}
	if got, want := d.String(), `Deployment.apps ns/web .spec.replicas: 1 -> 5 by "kubectl-edit" at 1970-01-01T00:00:00Z`; got != want {
		t.Errorf("String = %s, want %s", got, want)
	}
}
