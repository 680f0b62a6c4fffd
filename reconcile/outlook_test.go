package reconcile_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

// chart pushes a chart, in a version of its own for each content, and returns a
// layer of it in the namespace of the target.
func (l *life) chart(name string, order int, pairs ...string) layer.Layer {
	l.Helper()
	version := fmt.Sprintf("1.0.%d", crc32.ChecksumIEEE([]byte(strings.Join(pairs, "\n"))))
	pairs = append([]string{"Chart.yaml", "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n", "values.yaml", ""}, pairs...)
	if _, err := l.server.Client().PushChart(l.ctx, l.server.URL, files(pairs...)); err != nil {
		l.Fatal(err)
	}
	return layer.Layer{Name: name, InstallOrder: order, Namespace: l.target.Name, Source: layer.Source{Helm: &layer.Helm{Chart: name, Version: version}}}
}

// stackOf resolves a stack of layers whose charts are in the registry.
func (l *life) stackOf(layers ...layer.Layer) *profile.Desired {
	l.Helper()
	d, err := profile.Resolve(l.ctx, l.server.Client(), nil, &profile.Profile{Name: "stack", Version: "1.0.0", Type: profile.AddOn, Layers: layers})
	if err != nil {
		l.Fatal(err)
	}
	return d
}

// settles brings the target to a state, and checks that neither this nor a new
// process has anything to write after that.
func (l *life) settles(d *profile.Desired) {
	l.Helper()
	l.converge(d)
	l.rec.take()
	if plan, err := l.engine.Plan(l.ctx, l.target, d); err != nil || !plan.Empty() || plan.Requests != (reconcile.Cost{}) {
		l.Errorf("with nothing to do, the plan is\n%s%v", plan, err)
	}
	fetched := l.server.Requests()
	for range 2 {
		l.converge(d)
		l.engine = &reconcile.Reconciler{Fetcher: l.server.Client(), Prune: l.engine.Prune, CRDs: l.engine.CRDs, BreakCRDs: l.engine.BreakCRDs}
	}
	if _, writes := l.rec.take(); len(writes) > 0 {
		l.Errorf("with nothing to do, something is written: %v", writes)
	}
	if n := l.server.Requests() - fetched; n > 0 {
		l.Errorf("with nothing to do, %d requests go to the registry", n)
	}
}

// tool returns whether a custom resource of [tools] is on the cluster.
func (l *life) hasTool(group, name string) bool {
	l.Helper()
	_, err := l.dynamic.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: "tools"}).Namespace("default").Get(l.ctx, name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		l.Fatal(err)
	}
	return err == nil
}

// asking is a template that has a Tool if the cluster has them, and says what it
// sees.
func asking(name, group string) string {
	return strings.NewReplacer("NAME", name, "GROUP", group).Replace(`
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME}
data:
  version: {{ .Capabilities.APIVersions.Has "GROUP/v1" | quote }}
  kind: {{ .Capabilities.APIVersions.Has "GROUP/v1/Tool" | quote }}
  beta: {{ .Capabilities.APIVersions.Has "GROUP/v1beta1/Tool" | quote }}
{{- if .Capabilities.APIVersions.Has "GROUP/v1/Tool" }}
---
apiVersion: GROUP/v1
kind: Tool
metadata: {name: NAME, namespace: default}
spec: {size: 1}
{{- end }}
`)
}

// sees checks what a chart of [asking] sees: the version, the kind, and a beta.
func (l *life) sees(name, want string) {
	l.Helper()
	data := l.configMap(name).Data
	if got := strings.Join([]string{data["version"], data["kind"], data["beta"]}, " "); got != want {
		l.Errorf("%s sees %s, want %s", name, got, want)
	}
}

// A layer sees what the layers below bring, at once: when they come, change and
// go.
func TestE2EOperatorAndApp(t *testing.T) {
	const group = "operator.example.com"
	l := newLife(t, "operator")
	operator := func(replacements ...string) layer.Layer {
		return l.chart("op", 0, "templates/crds/tools.yaml", tools(group, replacements...))
	}
	app := l.chart("app", 1, "templates/a.yaml", asking("app", group))

	first := l.stackOf(operator(), app)
	l.settles(first)
	l.sees("app", "true true false")
	if !l.hasTool(group, "app") {
		t.Error("the app has no Tool")
	}

	// The operator brings another version, and takes it away again.
	beta := "  versions:\n  - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}\n"
	withBeta := operator("  versions:\n", beta)
	l.settles(l.stackOf(withBeta, app))
	l.sees("app", "true true true")
	l.engine.BreakCRDs = []string{"*"}
	if _, err := l.engine.RollbackAndWait(l.ctx, l.target, first.Digest()); err != nil {
		t.Error(err)
	}
	l.settles(first)
	l.sees("app", "true true false")
	gone := operator("  versions:\n", strings.Replace(beta, "served: true", "served: false", 1))
	l.settles(l.stackOf(gone, app))
	l.sees("app", "true true false")

	// Without the operator its definition stays, and all that is made of it.
	l.settles(l.stackOf(app))
	if l.sees("app", "true true false"); !l.hasTool(group, "app") {
		t.Error("the Tool is gone, though its definition stays")
	}
	l.settles(l.stackOf(gone, app))

	// If its definition may go, the app does without, and its objects go first.
	l.engine.Prune.CustomResourceDefinitions = true
	plan, err := l.engine.Plan(l.ctx, l.target, l.stackOf(app))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.engine.Apply(l.ctx, l.target, plan); err != nil {
		t.Error(err)
	}
	order := slices.DeleteFunc(plan.Steps, func(s reconcile.Step) bool { return s.Action != reconcile.Delete })
	if len(order) != 2 || order[0].Object.Kind != "Tool" || order[1].Object.Kind != "CustomResourceDefinition" {
		t.Errorf("the plan is\n%s", plan)
	}
	l.settles(l.stackOf(app))
	l.sees("app", "false false false")
	l.removes()
}

// What comes at the same time as a layer, or later, it sees in the pass after; the
// target is not ready before.
func TestE2ELateOperator(t *testing.T) {
	for name, order := range map[string]int{"together": 0, "later": 1} {
		t.Run(name, func(t *testing.T) {
			group := name + ".late.example.com"
			l := newLife(t, "late-"+name)
			app, operator := l.chart("app", 0, "templates/a.yaml", asking("app", group)), plain("op", tools(group))
			operator.InstallOrder = order
			stack := l.stackOf(app, operator)
			plan, err := l.engine.Plan(l.ctx, l.target, stack)
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Warnings) != 1 || !strings.Contains(plan.Warnings[0], `layer "app": it asks for `+group+"/v1") {
				t.Errorf("warnings are %v", plan.Warnings)
			}
			result, err := l.engine.Reconcile(l.ctx, l.target, stack)
			if err != nil || result.Ready || result.RetryAfter == 0 {
				t.Errorf("the first pass returns %+v, %v; want another one", result, err)
			}
			l.settles(stack)
			l.sees("app", "true true false")
			l.removes()
		})
	}
}

// What the plan would delete with its definition is an error before anything is
// written.
func TestE2EOrphans(t *testing.T) {
	const group = "orphan.example.com"
	l := newLife(t, "orphan")
	operator, app := plain("op", tools(group)), plain("app", tool(group, "{size: 1}"))
	app.InstallOrder = 1
	l.settles(desiredOf(t, operator, app))
	l.engine.Prune.CustomResourceDefinitions = true
	l.rec.take()
	err := l.fails(desiredOf(t, app))
	if e := asError[*reconcile.NoKindError](t, err); e.Object.Kind != "Tool" || e.Object.Name != "one" || !errors.Is(err, reconcile.ErrTerminal) {
		t.Errorf("got %v", err)
	}
	for _, part := range []string{`layer "app"`, "its definition tools." + group} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %s", err, part)
		}
	}
	if _, writes := l.rec.take(); len(writes) > 0 {
		t.Errorf("something is written: %v", writes)
	}
	// Another layer may take it over.
	operator.Name = "other"
	l.settles(desiredOf(t, operator, app))
	l.removes()
}

// A chart sees what its own crds folder brings, as with Helm, and what the charts
// before it in the pack bring. What only its own templates define it does not
// see: neither at first, nor when that is there.
func TestE2EOwnDefinitions(t *testing.T) {
	folder, own, before := "folder.own.example.com", "templates.own.example.com", "before.own.example.com"
	l := newLife(t, "own")
	first := l.chart("first", 0,
		"crds/tools.yaml", tools(folder), "templates/tools.yaml", tools(own),
		"templates/a.yaml", asking("folder", folder), "templates/b.yaml", asking("templates", own))
	stack := l.stackOf(first)
	l.settles(stack)
	l.sees("folder", "true true false")
	l.sees("templates", "false false false")

	// A repair is no reason to see more.
	if err := l.kube.CoreV1().ConfigMaps("own").Delete(l.ctx, "templates", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.settles(stack)
	l.sees("templates", "false false false")

	// A chart that has a definition only where it is missing keeps it.
	missing := "{{ if not (.Capabilities.APIVersions.Has \"" + before + "/v1\") }}" + tools(before) + "{{ end }}"
	second := l.chart("second", 1, "templates/tools.yaml", missing)
	l.settles(l.stackOf(first, second))
	if result := l.converge(l.stackOf(first, second)); len(result.Kept) > 0 || l.toolsOf(before) == nil {
		t.Errorf("it is let go of: %v", result.Kept)
	}
	l.removes()
}

// Where a policy leaves definitions as they are, they are seen as they are.
func TestE2EOutlookPolicy(t *testing.T) {
	const group = "left.example.com"
	l := newLife(t, "left")
	l.engine.CRDs = layer.CRDNever
	beta := tools(group, "  versions:\n", "  versions:\n  - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}\n")
	chart := func(definition string) *profile.Desired {
		return l.stackOf(l.chart("app", 0, "crds/tools.yaml", definition, "templates/a.yaml", asking("app", group)), l.chart("above", 1, "templates/a.yaml", asking("above", group)))
	}
	for _, tt := range []struct {
		policy           layer.CRDPolicy
		definition, want string
	}{
		{layer.CRDNever, tools(group), "false false false"},
		{layer.CRDCreate, tools(group), "true true false"},
		{layer.CRDCreate, beta, "true true false"},
		{layer.CRDNever, beta, "true true false"},
		{layer.CRDUpgrade, beta, "true true true"},
	} {
		l.engine.CRDs = tt.policy
		t.Log(tt.policy, tt.want)
		l.settles(chart(tt.definition))
		l.sees("app", tt.want)
		l.sees("above", tt.want)
	}
	l.removes()
}

// seen is a template that shows what it finds.
const seen = `
{{- $one := lookup "v1" "Secret" .Release.Namespace "below" }}
{{- $list := lookup "v1" "Secret" .Release.Namespace "" }}
apiVersion: v1
kind: ConfigMap
metadata: {name: seen}
data:
  one: {{ dig "data" "password" "none" $one | quote }}
  old: {{ dig "data" "old" "none" $one | quote }}
  uid: {{ dig "metadata" "uid" "none" $one | quote }}
  layer: {{ dig "metadata" "labels" "strata.dev/layer" "none" $one | quote }}
  list: {{ range $list.items }}{{ if hasKey .data "password" }}{{ .metadata.name }}={{ .data.password }} {{ end }}{{ end }}
  tools: {{ range (lookup "GROUP/v1" "Tool" "default" "").items }}{{ .metadata.name }} {{ end }}
  definition: {{ dig "metadata" "name" "none" (lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "tools.GROUP") }}
  space: {{ dig "metadata" "name" "none" (lookup "v1" "Namespace" "" "foresee-below") }}
  text: {{ .Values.text }}
`

// Templates look things up as they will be when the layer has its turn.
func TestE2EForeseenLookup(t *testing.T) {
	const group = "foresee.example.com"
	l := newLife(t, "foresee")
	below := l.chart("below", 0, "templates/crds.yaml", tools(group), "templates/a.yaml", tool(group, "{size: 1}")+`
---
apiVersion: v1
kind: Secret
metadata: {name: below, namespace: foresee}
data: {password: {{ randAlphaNum 12 | b64enc }}, old: b25l}
`)
	below.Namespace = "foresee-below"
	above := l.chart("above", 1, "templates/a.yaml", strings.ReplaceAll(seen, "GROUP", group))
	above.Values = "text: one\n"
	l.settles(l.stackOf(below, above))
	password := base64.StdEncoding.EncodeToString(l.secret("below")["password"])
	want := map[string]string{
		"one": password, "old": "b25l", "uid": "none", "layer": "below", "list": "below=" + password, "tools": "one",
		"definition": "tools." + group, "space": "foresee-below", "text": "one",
	}
	l.shows(want)

	// What changes below is seen as the server will have it, by who changes in the
	// same plan.
	changed := l.chart("below", 0, "templates/crds.yaml", tools(group), "templates/a.yaml", strings.Replace(tool(group, "{size: 1}"), "name: one", "name: two", 1)+`
---
apiVersion: v1
kind: Secret
metadata: {name: below, namespace: foresee}
data: {password: {{ print "changed-" (randAlphaNum 12) | b64enc }}}
`)
	changed.Namespace = below.Namespace
	l.settles(l.stackOf(changed, above))
	l.shows(want) // it is no reason to change
	l.settles(l.stackOf(below, above))
	above.Values = "text: two\n"
	plan, err := l.engine.Plan(l.ctx, l.target, l.stackOf(changed, above))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.engine.Apply(l.ctx, l.target, plan); err != nil {
		t.Error(err)
	}
	l.settles(l.stackOf(changed, above))
	secret, err := l.kube.CoreV1().Secrets("foresee").Get(l.ctx, "below", metav1.GetOptions{})
	if err != nil || !strings.HasPrefix(string(secret.Data["password"]), "changed-") {
		t.Fatal(secret, err)
	}
	if hidden := string(secret.Data["password"]); strings.Contains(plan.String(), base64.StdEncoding.EncodeToString([]byte(hidden))) {
		t.Errorf("the plan shows what is in a Secret:\n%s", plan)
	}
	want["one"] = base64.StdEncoding.EncodeToString(secret.Data["password"])
	want["old"], want["list"], want["uid"], want["text"], want["tools"] = "none", "below="+want["one"], string(secret.UID), "two", "one two"
	l.shows(want)
	l.removes()
}

// What a layer looks up it looks up anew until it has its turn: those below may
// bring it about while they become ready.
func TestE2ELookupWaits(t *testing.T) {
	l := newLife(t, "waits")
	below := plain("below", strings.Replace(service("below"), "namespace: default", "namespace: waits", 1))
	below.Namespace = "waits"
	above := l.chart("above", 1, "templates/a.yaml", `
apiVersion: v1
kind: ConfigMap
metadata: {name: seen}
data: {made: {{ dig "data" "password" "none" (lookup "v1" "Secret" .Release.Namespace "made") }}}
`)
	made := false
	l.engine.Ready = func(layer string, _ *unstructured.Unstructured) (bool, string) {
		if layer != "below" || made {
			return true, ""
		}
		made = true
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "made"}, StringData: map[string]string{"password": "secret"}}
		_, err := l.kube.CoreV1().Secrets("waits").Create(l.ctx, secret, metav1.CreateOptions{})
		if err == nil {
			_, err = l.kube.CoreV1().Services("waits").Patch(l.ctx, "below", types.MergePatchType, []byte(`{"metadata":{"labels":{"woken":"yes"}}}`), metav1.PatchOptions{})
		}
		if err != nil {
			t.Error(err)
		}
		return false, "it makes a Secret"
	}
	l.settles(l.stackOf(below, above))
	l.shows(map[string]string{"made": "c2VjcmV0"})

	// It is not changed by that, even when it is repaired.
	if err := l.kube.CoreV1().Secrets("waits").Delete(l.ctx, "made", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := l.kube.CoreV1().ConfigMaps("waits").Delete(l.ctx, "seen", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.settles(l.stackOf(below, above))
	l.shows(map[string]string{"made": "c2VjcmV0"})
	l.removes()
}

// shows checks what [seen] shows.
func (l *life) shows(want map[string]string) {
	l.Helper()
	for key, got := range l.configMap("seen").Data {
		if strings.TrimSpace(got) != want[key] {
			l.Errorf("%s is %q, want %q", key, got, want[key])
		}
	}
}
