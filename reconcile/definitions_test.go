package reconcile_test

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

const toolDefinition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tools.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: Tool, plural: tools}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties: {size: {type: integer, maximum: 9}, mode: {type: string, enum: [plain]}}
`

func tools(group string, replacements ...string) string {
	return strings.NewReplacer(append(replacements, "GROUP", group)...).Replace(toolDefinition)
}

func tool(group, spec string) string {
	return "\n---\napiVersion: " + group + "/v1\nkind: Tool\nmetadata: {name: one, namespace: default}\nspec: " + spec + "\n"
}

func (l *life) toolsOf(group string) *unstructured.Unstructured {
	l.Helper()
	live, err := l.dynamic.Resource(crds).Get(l.ctx, "tools."+group, metav1.GetOptions{})
	if err != nil {
		l.Fatal(err)
	}
	return live
}

// Objects whose definition comes with the same plan are checked before anything
// is written, as the server would.
func TestE2ESchemaOfTheSamePlan(t *testing.T) {
	const group = "same.example.com"
	l := newLife(t, "same")
	bad := manifests(t, tools(group)+tool(group, `{size: big, mode: fancy, mdoe: plain}`))
	_, err := l.engine.Reconcile(l.ctx, l.target, bad)
	for _, want := range []string{
		`.spec.size: must be of type integer`, `.spec.mode: should be one of [plain]`, `.spec.mdoe: there is no such field, did you mean "mode"?`, "Tool.same.example.com default/one",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v\nwant %s", err, want)
		}
	}
	if e := asError[*reconcile.SchemaError](t, err); e.Source == "" || !errors.Is(err, reconcile.ErrTerminal) {
		t.Errorf("error = %+v, want it terminal and with its source", e)
	}
	if _, writes := l.rec.take(); len(writes) != 0 {
		t.Errorf("writes are %v, want none", writes)
	}
	l.converge(manifests(t, tools(group)+tool(group, `{size: 3}`)))

	// It would be an error of the server as well.
	one := []byte(`{"apiVersion": "` + group + `/v1", "kind": "Tool", "metadata": {"name": "one"}, "spec": {"size": 3, "mdoe": "plain"}}`)
	resource := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "tools"}
	if _, err := l.dynamic.Resource(resource).Namespace("default").Patch(l.ctx, "one", types.ApplyPatchType, one, metav1.PatchOptions{FieldManager: "x"}); err == nil {
		t.Error("the server applies unknown fields: they need not be an error")
	}

	// What the old definition refuses and the new one allows is planned.
	wider := manifests(t, tools(group, "[plain]", "[plain, fancy]", "mode:", "note: {type: string}, mode:")+tool(group, `{size: 3, mode: fancy, note: x}`))
	plan, err := l.engine.Plan(l.ctx, l.target, wider)
	if err != nil {
		t.Fatal(err)
	}
	if text := plan.String(); !strings.Contains(text, `.spec.mode: (none) -> "fancy"`) || !strings.Contains(text, `.spec.note: (none) -> "x"`) {
		t.Errorf("the plan is\n%s", text)
	}
	l.converge(wider)
	l.removes()
}

// A definition that breaks what is there is refused, unless it is allowed.
func TestE2EBreakingDefinition(t *testing.T) {
	const group = "breaking.example.com"
	l := newLife(t, "breaking")
	l.converge(manifests(t, tools(group)+tool(group, `{size: 3}`)))
	narrow := manifests(t, tools(group, "maximum: 9", "maximum: 5", ", enum: [plain]", "", "name: v1", "name: v2")+strings.Replace(tool(group, `{size: 3}`), "/v1", "/v2", 1))
	l.rec.take()
	_, err := l.engine.Reconcile(l.ctx, l.target, narrow)
	e := asError[*reconcile.DefinitionError](t, err)
	if len(e.Findings) != 2 || e.Findings[0].Path != ".spec.versions[v1]" || !errors.Is(err, reconcile.ErrTerminal) {
		t.Errorf("error = %v", err)
	}
	if _, writes := l.rec.take(); len(writes) != 0 {
		t.Errorf("writes are %v, want none", writes)
	}

	tighter := manifests(t, tools(group, "maximum: 9", "maximum: 5")+tool(group, `{size: 3}`))
	if e := asError[*reconcile.DefinitionError](t, l.fails(tighter)); len(e.Findings) != 1 || !strings.HasSuffix(e.Findings[0].Path, ".properties.size.maximum") {
		t.Errorf("findings are %v", e.Findings)
	}
	l.engine.BreakCRDs = []string{"tools." + group}
	plan, err := l.engine.Plan(l.ctx, l.target, tighter)
	if err != nil || len(plan.Warnings) != 1 || !strings.Contains(plan.Warnings[0], "it was 9 and is to be 5") {
		t.Errorf("allowed, it is planned with %v, %v; want a warning", plan, err)
	}
	l.converge(tighter)
	l.removes()
}

// Who has the last word on definitions is the layer, else the reconciler.
func TestE2EDefinitionPolicy(t *testing.T) {
	const group = "policy.example.com"
	l := newLife(t, "policy")
	never := plain("never", tools(group))
	never.CRDs = layer.CRDNever
	l.converge(desiredOf(t, never))
	if _, err := l.dynamic.Resource(crds).Get(l.ctx, "tools."+group, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the policy never gives %v, want no definition", err)
	}

	create := plain("never", tools(group))
	l.engine.CRDs = layer.CRDCreate
	l.converge(desiredOf(t, create))
	before := l.toolsOf(group).GetGeneration()
	wider := plain("never", tools(group, "maximum: 9", "maximum: 12"))
	l.converge(desiredOf(t, wider))
	if now := l.toolsOf(group).GetGeneration(); now != before {
		t.Errorf("the policy create changes the definition: generation %d, then %d", before, now)
	}
	l.rec.take()
	if result, err := l.engine.Reconcile(l.ctx, l.target, desiredOf(t, wider)); err != nil || !result.Ready {
		t.Errorf("Reconcile = %+v, %v", result, err)
	}
	if all, _ := l.rec.take(); len(all) > 4 {
		t.Errorf("a pass with nothing to do makes the requests %v", all)
	}
	wider.CRDs = layer.CRDUpgrade
	l.converge(desiredOf(t, wider))
	if now := l.toolsOf(group).GetGeneration(); now == before {
		t.Error("the policy upgrade does not change the definition")
	}
	l.removes()
}

// What somebody else has made is left to them by every policy but upgrade.
func TestE2EForeignDefinition(t *testing.T) {
	const group = "foreign.example.com"
	l := newLife(t, "foreign")
	o := &unstructured.Unstructured{Object: decode(t, tools(group))}
	if _, err := l.dynamic.Resource(crds).Create(l.ctx, o, metav1.CreateOptions{FieldManager: "them"}); err != nil {
		t.Fatal(err)
	}
	one := plain("app", tools(group)+"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: foreign, namespace: default}\n")
	asError[*reconcile.ExistsError](t, l.fails(desiredOf(t, one)))
	for _, policy := range []layer.CRDPolicy{layer.CRDCreate, layer.CRDNever} {
		one.CRDs = policy
		l.converge(desiredOf(t, one))
	}
	l.removes()
	if labels := l.toolsOf(group).GetLabels(); len(labels) != 0 {
		t.Errorf("the definition has the labels %v", labels)
	}
	if err := l.dynamic.Resource(crds).Delete(l.ctx, o.GetName(), metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// fails makes a pass, which must fail.
func (l *life) fails(d *profile.Desired) error {
	l.Helper()
	_, err := l.engine.Reconcile(l.ctx, l.target, d)
	if err == nil {
		l.Fatal("Reconcile succeeds")
	}
	return err
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	o := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}
