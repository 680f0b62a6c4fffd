package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

const cronJob = `
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick, labels: {a: own}}
spec:
  schedule: "* * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          initContainers: [{name: first, image: "quay.io/a/b@sha256:00"}]
          containers: [{name: main, image: nginx}, {name: side, image: "other.io/x:1"}, {name: deep, image: "quay.io/deep/c:1@sha256:11"}]
`

func TestPostRenderers(t *testing.T) {
	t.Parallel()
	mirror := reconcile.ImageMirror{Prefixes: map[string]string{"docker.io": "m.io/hub", "quay.io": "m.io/quay", "quay.io/deep": "d.io", "other.i": "no"}}
	patch := func(kind, patch string) reconcile.Patch { return reconcile.Patch{Kind: kind, Patch: patch} }
	tests := []struct {
		name   string
		change reconcile.PostRenderer
		object string
		want   []string
	}{
		{"images", mirror, cronJob, []string{"image: m.io/hub/library/nginx\n", "image: other.io/x:1\n", "image: m.io/quay/a/b@sha256:00\n", "image: d.io/c:1@sha256:11\n"}},
		{"metadata", reconcile.CommonMetadata{Labels: map[string]string{"a": "ours", "b": "c"}, Annotations: map[string]string{"x": "y"}}, cronJob, []string{"a: ours\n", "b: c\n", "x: \"y\"\n"}},
		{"strategic", patch("CronJob.batch", "spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: main, tty: true}]}}}}}"), cronJob,
			[]string{"image: nginx\n            name: main\n            tty: true\n", "name: side"}},
		{"JSON patch", patch("", `[{"op": "replace", "path": "/spec/schedule", "value": "@daily"}]`), cronJob, []string{"schedule: '@daily'"}},
		{"merge", patch("Thing.example.com", "spec: {list: [b], gone: null}"), "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec: {list: [a], gone: 1, other: 5}\n", []string{"list:\n  - b\n  other: 5"}},
		{"another kind", patch("Secret", "data: {a: b}"), cronJob, []string{"schedule: '* * * * *'"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(tt.object), &o.Object); err != nil {
				t.Fatal(err)
			}
			if err := tt.change.PostRender("layer", o); err != nil {
				t.Fatal(err)
			}
			text, _ := yaml.Marshal(o.Object)
			for _, want := range tt.want {
				if !strings.Contains(string(text), want) {
					t.Errorf("%s\nhas no %q", text, want)
				}
			}
			if tt.change.Identity() == (reconcile.Patch{Name: "other"}).Identity() {
				t.Error("two have one identity")
			}
		})
	}
}

// hooked is a chart with a hook.
const hooked = `
apiVersion: v1
kind: ConfigMap
metadata: {name: hook, annotations: {helm.sh/hook: pre-install}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: object}
`

func TestE2EPostRender(t *testing.T) {
	l := newLife(t, "post")
	l.pushChart("1.0.0", "templates/a.yaml", hooked)
	d := l.impure("1.0.0", "")
	l.engine.PostRender = []reconcile.PostRenderer{
		reconcile.CommonMetadata{Labels: map[string]string{"team": "one"}},
		reconcile.Patch{Kind: "ConfigMap", Name: "object", Patch: "data: {patched: by us}"},
	}
	l.converge(d)
	if o := l.configMap("object"); o.Data["patched"] != "by us" || o.Labels["team"] != "one" {
		t.Errorf("the object is %v %v", o.Labels, o.Data)
	}
	if h := l.configMap("hook"); h.Labels["team"] != "one" {
		t.Errorf("the hook has labels %v", h.Labels)
	}
	if manifest := l.helm("get", "manifest", "impure", "-n", "post"); !strings.Contains(manifest, "patched: by us") {
		t.Errorf("Helm has another manifest:\n%s", manifest)
	}
	l.rec.take()
	l.converge(d)
	if _, writes := l.rec.take(); len(writes) > 0 {
		t.Errorf("reconciling again writes %v", writes)
	}
	l.engine.PostRender[0] = reconcile.CommonMetadata{Labels: map[string]string{"team": "two"}}
	l.converge(d)
	if o := l.configMap("object"); o.Labels["team"] != "two" {
		t.Errorf("with another pipeline the labels are %v", o.Labels)
	}
	l.engine.PostRender = append(l.engine.PostRender, failing{})
	_, err := l.engine.Plan(l.ctx, l.target, d)
	if e := asError[*reconcile.PostRenderError](t, err); e.Object.Name != "object" || !errors.Is(err, reconcile.ErrTerminal) || !strings.Contains(err.Error(), `layer "impure"`) {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (failing) Identity() string { return "failing" }

func (failing) PostRender(string, *unstructured.Unstructured) error { return errors.New("not today") }

func TestE2EAllow(t *testing.T) {
	l := newLife(t, "allow")
	var own layer.Allowance
	stack := func(content string) *profile.Desired {
		one := plain("team", content)
		one.Namespace, one.Allow = "allow", own
		d, err := profile.Resolve(l.ctx, nil, nil, &profile.Profile{Name: "allow", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{one}})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	rules := []reconcile.AllowRule{{Layer: "team", Namespaces: []string{"allow"}, Kinds: []string{"ConfigMap"}}, {Layer: "other"}}
	narrow := layer.Allowance{Namespaces: []string{"allow"}, Kinds: []string{"ConfigMap"}}
	object := func(kind, rest string) string {
		return fmt.Sprintf("apiVersion: %s\nmetadata: {name: x%s}\n", kind, rest)
	}
	for name, tt := range map[string]struct {
		content, refused string
		rules            []reconcile.AllowRule
		own              layer.Allowance
		by               string // who refuses
	}{
		"allowed":             {content: object("v1\nkind: ConfigMap", ""), rules: rules, own: narrow},
		"another kind":        {content: object("v1\nkind: Secret", ""), refused: "Secret allow/x", rules: rules, by: "rules"},
		"another namespace":   {content: object("v1\nkind: ConfigMap", ", namespace: kube-system"), refused: "ConfigMap kube-system/x", rules: rules, by: "rules"},
		"no namespace":        {content: object("rbac.authorization.k8s.io/v1\nkind: ClusterRole", ""), refused: "ClusterRole.rbac.authorization.k8s.io x", rules: rules, by: "rules"},
		"a definition":        {content: widget, refused: "CustomResourceDefinition.apiextensions.k8s.io widgets.caps.example.com", rules: rules, by: "rules"},
		"the layer's own":     {content: object("v1\nkind: ConfigMap", ", namespace: elsewhere"), refused: "Namespace allow", rules: []reconcile.AllowRule{{Namespaces: []string{"elsewhere"}}}, by: "rules"},
		"a rule for each":     {content: object("v1\nkind: Secret", ""), rules: append([]reconcile.AllowRule{{Kinds: []string{"Secret"}}}, rules...)},
		"no rule for a layer": {content: object("v1\nkind: Secret", ""), rules: rules[1:]},
		"narrowed":            {content: object("v1\nkind: Secret", ""), refused: "Secret allow/x", rules: rules[1:], own: narrow, by: "own"},
		"narrowed namespaces": {content: object("rbac.authorization.k8s.io/v1\nkind: ClusterRole", ""), refused: "ClusterRole.rbac.authorization.k8s.io x", own: layer.Allowance{Namespaces: []string{"allow"}}, by: "own"},
		"not widened":         {content: object("v1\nkind: Secret", ""), refused: "Secret allow/x", rules: rules, own: layer.Allowance{Kinds: []string{"Secret"}}, by: "rules"},
		"refused by both":     {content: object("v1\nkind: Secret", ""), refused: "Secret allow/x", rules: rules, own: narrow, by: "own and rules"},
	} {
		t.Run(name, func(t *testing.T) {
			l.engine.Allow, own = tt.rules, tt.own
			l.rec.take()
			_, err := l.engine.Plan(l.ctx, l.target, stack(tt.content))
			if tt.refused == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := asError[*reconcile.NotAllowedError](t, err)
			if e.Object.String() != tt.refused || !errors.Is(err, reconcile.ErrTerminal) {
				t.Errorf("refused is %s, want %s", e.Object, tt.refused)
			}
			if (e.Own != nil) != strings.Contains(tt.by, "own") || (len(e.Rules) > 0) != strings.Contains(tt.by, "rules") {
				t.Errorf("want it refused by %s: %v", tt.by, err)
			}
		})
	}
	// A hook is an object, too.
	l.pushChart("1.0.0", "templates/a.yaml", strings.Replace(hooked, "kind: ConfigMap\nmetadata: {name: hook", "kind: Secret\nmetadata: {name: hook", 1))
	l.engine.Allow, own = []reconcile.AllowRule{{Kinds: []string{"ConfigMap"}}}, layer.Allowance{}
	_, err := l.engine.Converge(l.ctx, l.target, l.impure("1.0.0", ""))
	if e := asError[*reconcile.NotAllowedError](t, err); e.Object.Kind != "Secret" || e.Object.Name != "hook" {
		t.Errorf("refused is %s", e.Object)
	}
	if _, err := l.kube.CoreV1().Namespaces().Get(l.ctx, "allow", metav1.GetOptions{}); err == nil {
		t.Error("something was written before the hook was refused")
	}
	// Rules that come later hold for what is there.
	l.engine.Allow = nil
	l.converge(stack(object("v1\nkind: Secret", "")))
	l.engine.Allow = rules
	_, err = l.engine.Plan(l.ctx, l.target, stack(object("v1\nkind: Secret", "")))
	asError[*reconcile.NotAllowedError](t, err)
	// So does what the layer says of itself later.
	l.engine.Allow, own = nil, narrow
	_, err = l.engine.Plan(l.ctx, l.target, stack(object("v1\nkind: Secret", "")))
	asError[*reconcile.NotAllowedError](t, err)
}
