package reconcile

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/profile"
)

func steps1() []Step {
	return []Step{
		{Layer: "web", Action: Update, Object: ObjectRef{Version: "v1", Kind: "ConfigMap", Namespace: "ns", Name: "a"}, Reason: "why|not", Changes: []Change{{Field: ".data.a", Old: `"x"`, New: `"y"`}}},
		{Layer: "web", Action: Unchanged, Object: ObjectRef{Version: "v1", Kind: "ConfigMap", Namespace: "ns", Name: "b"}},
		{Layer: "old", Action: Delete, Object: ObjectRef{Version: "v1", Kind: "Secret", Namespace: "ns", Name: "c"}},
	}
}

func TestPlanDigest(t *testing.T) {
	t.Parallel()
	a, b := &Plan{Target: TargetID{Cluster: "t"}, Desired: "sha256:d", Steps: steps1()}, &Plan{Target: TargetID{Cluster: "t"}, Desired: "sha256:d", Steps: steps1()}
	b.Steps = append(b.Steps[:1], b.Steps[2])
	if a.Digest() != b.Digest() {
		t.Error("what stays unchanged changes the digest")
	}
	for name, change := range map[string]func(*Plan){
		"target":  func(p *Plan) { p.Target.Cluster = "u" },
		"desired": func(p *Plan) { p.Desired = "sha256:e" },
		"action":  func(p *Plan) { p.Steps[0].Action = Repair },
		"value":   func(p *Plan) { p.Steps[0].Changes = []Change{{Field: ".data.a", Old: `"x"`, New: `"z"`}} },
		"step":    func(p *Plan) { p.Steps = p.Steps[:1] },
		"profile": func(p *Plan) { p.Steps[0].Profile = profile.ID{Name: "x", Version: "1.0.0"} },
		"hook":    func(p *Plan) { p.Hooks = []Hook{{Event: "pre-install"}} },
	} {
		c := &Plan{Target: TargetID{Cluster: "t"}, Desired: "sha256:d", Steps: steps1()}
		change(c)
		if c.Digest() == a.Digest() {
			t.Errorf("another %s does not change the digest", name)
		}
	}
	a.Requests, a.Warnings = Cost{1, 2}, []string{"mind"}
	if a.Digest() != b.Digest() {
		t.Error("what is only foreseen changes the digest")
	}
	data, err := json.Marshal(a)
	for _, want := range []string{`"requests":{"reads":1,"writes":2}`, `"warnings":["mind"]`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("as JSON it is %s, want %s", data, want)
		}
	}
	if err != nil || !strings.Contains(string(data), a.Digest().String()) || !strings.Contains(string(data), `"unchanged":1`) {
		t.Errorf("as JSON it is %s, %v", data, err)
	}
	if got := a.Markdown(); !strings.Contains(got, "| update | ConfigMap ns/a | web | why\\|not<br>`.data.a`: \"x\" → \"y\" |") {
		t.Errorf("as Markdown it is\n%s", got)
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	hooked := &Plan{Steps: steps1(), Hooks: []Hook{{Event: "pre-install", Object: ObjectRef{Version: "v1", Kind: "Pod", Name: "h"}}}}
	if err := stale(hooked, &Plan{Steps: steps1()}); err == nil || !strings.Contains(err.Error(), "Pod h: the plan runs it as a hook, and it has run meanwhile") {
		t.Errorf("a hook that is done gives %v", err)
	}
	if err := stale(&Plan{Steps: steps1()}, hooked); err == nil || !strings.Contains(err.Error(), "as a hook (pre-install)") {
		t.Errorf("one more hook gives %v", err)
	}
	for _, tt := range []struct {
		name   string
		change func([]Step) []Step
		want   string
	}{
		{"the same", func(s []Step) []Step { return s }, ""},
		{"done already", func(s []Step) []Step { return s[:2] }, "Secret ns/c: the plan has to delete it, and there is nothing to do any more"},
		{"more to do", func(s []Step) []Step { return append(s, s[0]) }, "ConfigMap ns/a: there is now to update it"},
		{"another value", func(s []Step) []Step { s[0].Changes = []Change{{Field: ".data.a", Old: `"w"`, New: `"y"`}}; return s }, `ConfigMap ns/a .data.a: it is "w" now`},
		{"a field done already", func(s []Step) []Step { s[0].Changes = nil; return s }, "ConfigMap ns/a .data.a: it is already as the plan wants it"},
		{"another owner", func(s []Step) []Step { s[0].Changes[0].Owners = []FieldOwner{{Manager: "hpa"}}; return s }, `ConfigMap ns/a .data.a: it is "x" now (owned by "hpa")`},
		{"another action", func(s []Step) []Step { s[0].Action = Repair; return s }, "there is now to repair it, where the plan has to update ConfigMap ns/a"},
	} {
		then := &Plan{Steps: steps1()}
		err := stale(then, &Plan{Steps: tt.change(steps1())})
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !errors.Is(err, ErrTerminal)) {
			t.Errorf("%s: stale = %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	harm := []Step{
		{Action: Replace, Object: ObjectRef{Group: "batch", Version: "v1", Kind: "Job", Namespace: "other", Name: "d"}},
		{Action: Keep, Object: ObjectRef{Version: "v1", Kind: "PersistentVolumeClaim", Namespace: "else", Name: "e"}},
		{Action: Delete, Object: ObjectRef{Version: "v1", Kind: "Namespace", Name: "gone"}},
	}
	for _, tt := range []struct {
		budget Budget
		want   string
	}{
		{Budget{}, ""},
		{Budget{Deletes: 2}, ""},
		{Budget{Deletes: 1}, "the plan deletes 2 objects, the budget allows 1"},
		{Budget{Deletes: -1}, "the plan deletes 2 objects, the budget allows 0: Secret ns/c, Namespace gone"},
		{Budget{Kinds: []string{"Secret"}}, "the plan deletes or replaces what the budget protects: Secret ns/c"},
		{Budget{Kinds: []string{"ConfigMap"}}, ""},
		{Budget{Namespaces: []string{"ns"}}, "what the budget protects: Secret ns/c"},
		{Budget{Replaces: -1}, "the plan replaces 1 objects, the budget allows 0: Job.batch other/d"},
		{Budget{Replaces: 1}, ""},
		{Budget{Kinds: []string{"Job.batch"}}, "what the budget protects: Job.batch other/d"},
		{Budget{Kinds: []string{"Job"}}, ""},
		{Budget{Namespaces: []string{"other", "ns"}}, "what the budget protects: Secret ns/c, Job.batch other/d"},
		{Budget{Namespaces: []string{"gone"}}, "what the budget protects: Namespace gone"},
		{Budget{Kinds: []string{"PersistentVolumeClaim"}}, ""}, // it is kept
	} {
		err := tt.budget.check(append(steps1(), harm...))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: check = %v, want %q", tt.budget, err, tt.want)
		}
	}
}

func TestForced(t *testing.T) {
	t.Parallel()
	w := &work{layer: "web", ref: kube.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "ns", Name: "a"}}
	conflicts := []kube.FieldConflict{{Field: ".spec.replicas", Manager: "hpa"}, {Field: ".spec.template.spec", Manager: "hpa"}}
	for _, tt := range []struct {
		rules []ForceRule
		want  bool
	}{
		{nil, false},
		{[]ForceRule{{}}, true},
		{[]ForceRule{{Manager: "hpa"}}, true},
		{[]ForceRule{{Manager: "other"}}, false},
		{[]ForceRule{{Field: ".spec"}}, true},
		{[]ForceRule{{Field: ".spec.replicas"}}, false},
		{[]ForceRule{{Field: ".spec.replicas"}, {Field: ".spec.template", Layer: "web"}}, true},
		{[]ForceRule{{Kind: "Deployment.apps", Namespace: "ns", Name: "a"}}, true},
		{[]ForceRule{{Kind: "Deployment"}}, false},
		{[]ForceRule{{Field: ".sp"}}, false},
	} {
		if got := forced(tt.rules, w, conflicts); got != tt.want {
			t.Errorf("%+v: forced = %v, want %v", tt.rules, got, tt.want)
		}
	}
}
