package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// a kind of objects, and fields of it that can be changed, with other values.
type driftKind struct {
	resource, kind, version string
	cluster                 bool
	body                    string
	fields                  map[string]string // by JSON pointer
	required                []string          // those that cannot be removed
}

const driftPods = `selector: {matchLabels: {app: d}}, template: {metadata: {labels: {app: d}}, spec: {containers: [{name: main, image: "registry.k8s.io/pause:3.10"}]}}`

const driftImage = "/spec/template/spec/containers/main/image"

var driftKinds = []driftKind{
	{"configmaps", "ConfigMap", "v1", false, `data: {k: v, l: w}`, map[string]string{"/data/k": `"x"`, "/data/l": `"y"`}, nil},
	{"secrets", "Secret", "v1", false, `data: {k: dg==}`, map[string]string{"/data/k": `"eA=="`}, nil},
	{"services", "Service", "v1", false, `spec: {selector: {app: d}, ports: [{name: http, port: 80, targetPort: 8080}]}`, map[string]string{"/spec/selector/app": `"x"`, "/spec/ports/http/targetPort": `9090`}, []string{"/spec/ports/http/targetPort"}},
	{"serviceaccounts", "ServiceAccount", "v1", false, `automountServiceAccountToken: false`, map[string]string{"/automountServiceAccountToken": `true`}, nil},
	{"resourcequotas", "ResourceQuota", "v1", false, `spec: {hard: {configmaps: 1k}}`, map[string]string{"/spec/hard/configmaps": `"900"`}, nil},
	{"deployments", "Deployment", "apps/v1", false, `spec: {replicas: 1, minReadySeconds: 1, ` + driftPods + `}`, map[string]string{"/spec/replicas": `2`, "/spec/minReadySeconds": `2`, driftImage: `"registry.k8s.io/pause:3.9"`}, []string{driftImage, "/spec/replicas"}},
	{"statefulsets", "StatefulSet", "apps/v1", false, `spec: {serviceName: d, replicas: 1, ` + driftPods + `}`, map[string]string{"/spec/replicas": `2`, driftImage: `"registry.k8s.io/pause:3.9"`}, []string{driftImage, "/spec/replicas"}},
	{"daemonsets", "DaemonSet", "apps/v1", false, `spec: {minReadySeconds: 1, ` + driftPods + `}`, map[string]string{"/spec/minReadySeconds": `2`, driftImage: `"registry.k8s.io/pause:3.9"`}, []string{driftImage}},
	{"jobs", "Job", "batch/v1", false, `spec: {backoffLimit: 4, template: {spec: {restartPolicy: Never, containers: [{name: main, image: "registry.k8s.io/pause:3.10"}]}}}`, map[string]string{"/spec/backoffLimit": `5`}, nil},
	{"cronjobs", "CronJob", "batch/v1", false, `spec: {schedule: "0 0 1 1 *", concurrencyPolicy: Forbid, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: "registry.k8s.io/pause:3.10"}]}}}}}`, map[string]string{"/spec/schedule": `"0 0 2 1 *"`, "/spec/concurrencyPolicy": `"Replace"`}, []string{"/spec/schedule"}},
	{"roles", "Role", "rbac.authorization.k8s.io/v1", false, `rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]`, map[string]string{"/rules/0/verbs/0": `"list"`}, []string{"/rules/0/verbs/0"}},
	{"rolebindings", "RoleBinding", "rbac.authorization.k8s.io/v1", false, `{roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: x}, subjects: [{kind: ServiceAccount, name: a, namespace: b}]}`, map[string]string{"/subjects/0/name": `"x"`}, []string{"/subjects/0/name"}},
	{"clusterroles", "ClusterRole", "rbac.authorization.k8s.io/v1", true, `rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]`, map[string]string{"/rules/0/verbs/0": `"list"`}, []string{"/rules/0/verbs/0"}},
	{"clusterrolebindings", "ClusterRoleBinding", "rbac.authorization.k8s.io/v1", true, `{roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: x}, subjects: [{kind: ServiceAccount, name: a, namespace: b}]}`, map[string]string{"/subjects/0/name": `"x"`}, []string{"/subjects/0/name"}},
	{"networkpolicies", "NetworkPolicy", "networking.k8s.io/v1", false, `spec: {podSelector: {matchLabels: {app: d}}}`, map[string]string{"/spec/podSelector/matchLabels/app": `"x"`}, nil},
	{"ingresses", "Ingress", "networking.k8s.io/v1", false, `spec: {ingressClassName: a, defaultBackend: {service: {name: d, port: {number: 80}}}}`, map[string]string{"/spec/ingressClassName": `"x"`, "/spec/defaultBackend/service/port/number": `81`}, []string{"/spec/defaultBackend/service/port/number"}},
	{"poddisruptionbudgets", "PodDisruptionBudget", "policy/v1", false, `spec: {maxUnavailable: 1, selector: {matchLabels: {app: none}}}`, map[string]string{"/spec/maxUnavailable": `2`}, []string{"/spec/maxUnavailable"}},
	{"horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling/v2", false, `spec: {maxReplicas: 3, minReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: none}}`, map[string]string{"/spec/maxReplicas": `4`, "/spec/minReplicas": `3`}, []string{"/spec/maxReplicas"}},
	{"priorityclasses", "PriorityClass", "scheduling.k8s.io/v1", true, `{value: 7, description: d}`, map[string]string{"/description": `"x"`}, nil},
	{"storageclasses", "StorageClass", "storage.k8s.io/v1", true, `{provisioner: example.com/none, allowVolumeExpansion: true}`, map[string]string{"/allowVolumeExpansion": `false`}, nil},
	{"leases", "Lease", "coordination.k8s.io/v1", false, `spec: {holderIdentity: d, leaseDurationSeconds: 10}`, map[string]string{"/spec/holderIdentity": `"x"`, "/spec/leaseDurationSeconds": `20`}, nil},
}

// driftEach is how many objects there are of each kind: one for each scenario.
const driftEach = 10

// truth is an installation of which the test knows what has drifted.
type truth struct {
	*life
	wanted map[target]map[string]any
	drift  map[target][]string // JSON pointers
}

type target struct {
	*driftKind
	name string
}

func (k *driftKind) gvr() schema.GroupVersionResource {
	gv, _ := schema.ParseGroupVersion(k.version)
	return gv.WithResource(k.resource)
}

// all returns the fields that are changed, with those that every object has.
func (k *driftKind) all() map[string]string {
	fields := map[string]string{"/metadata/labels/a": `"x"`, "/metadata/annotations/b": `"x"`}
	maps.Copy(fields, k.fields)
	return fields
}

// at follows a JSON pointer in an object to what holds the field.
func at(t *testing.T, object map[string]any, pointer string) (holder any, last string) {
	t.Helper()
	parts := strings.Split(pointer, "/")[1:]
	holder = object
	for _, p := range parts[:len(parts)-1] {
		switch h := holder.(type) {
		case map[string]any:
			holder = h[p]
		case []any:
			i := slices.IndexFunc(h, func(v any) bool { m, _ := v.(map[string]any); return m["name"] == p })
			if n, err := strconv.Atoi(p); err == nil {
				i = n
			}
			holder = h[i]
		default:
			t.Fatalf("%s: there is no %s", pointer, p)
		}
	}
	return holder, parts[len(parts)-1]
}

func put(t *testing.T, object map[string]any, pointer, value string) {
	t.Helper()
	var v any
	if value != "" {
		if err := yaml.Unmarshal([]byte(value), &v); err != nil {
			t.Fatal(err)
		}
	}
	switch holder, last := at(t, object, pointer); h := holder.(type) {
	case map[string]any:
		if h[last] = v; value == "" {
			delete(h, last)
		}
	case []any:
		n, _ := strconv.Atoi(last)
		h[n] = v
	}
}

// nested returns fields as a partial object. Fields in lists are left out.
func nested(fields map[string]string) (map[string]any, []string) {
	object, in := map[string]any{}, []string{}
	for pointer, value := range fields {
		parts := strings.Split(pointer, "/")[1:]
		if slices.ContainsFunc(parts, func(p string) bool { return p == "0" || p == "main" || p == "http" }) {
			continue
		}
		in = append(in, pointer)
		holder := object
		for _, p := range parts[:len(parts)-1] {
			if holder[p] == nil {
				holder[p] = map[string]any{}
			}
			holder = holder[p].(map[string]any)
		}
		var v any
		if value != "" {
			_ = json.Unmarshal([]byte(value), &v)
		}
		holder[parts[len(parts)-1]] = v
	}
	return object, in
}

func (tr *truth) update(ctx context.Context, o target, change func(map[string]any)) error {
	client := tr.dynamic.Resource(o.gvr()).Namespace(o.namespace())
	return retry.RetryOnConflict(retry.DefaultRetry, func() error { // controllers write the status
		live, err := client.Get(ctx, o.name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		change(live.Object)
		_, err = client.Update(ctx, live, metav1.UpdateOptions{FieldManager: "updater"})
		return err
	})
}

func (o target) namespace() string {
	if o.cluster {
		return ""
	}
	return "truth"
}

func (tr *truth) patch(ctx context.Context, o target, kind types.PatchType, body any, sub ...string) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	options := metav1.PatchOptions{FieldManager: "patcher"}
	if kind == types.ApplyPatchType {
		options = metav1.PatchOptions{FieldManager: "applier", Force: new(bool)}
		*options.Force = true
	}
	_, err = tr.dynamic.Resource(o.gvr()).Namespace(o.namespace()).Patch(ctx, o.name, kind, data, options, sub...)
	return err
}

// mutate does what a scenario says, and returns the fields that drift.
func (tr *truth) mutate(ctx context.Context, o target, scenario int) (drift []string, err error) {
	fields := o.all()
	gone := map[string]string{}
	for pointer := range fields {
		if !slices.Contains(o.required, pointer) {
			gone[pointer] = ""
		}
	}
	switch scenario {
	case 0: // every field changed by an update
		return slices.Collect(maps.Keys(fields)), tr.update(ctx, o, func(live map[string]any) {
			for pointer, value := range fields {
				put(tr.T, live, pointer, value)
			}
		})
	case 1: // every field that can be is removed by an update
		return slices.Collect(maps.Keys(gone)), tr.update(ctx, o, func(live map[string]any) {
			for pointer := range gone {
				put(tr.T, live, pointer, "")
			}
		})
	case 2: // changed by a merge patch
		body, in := nested(fields)
		return in, tr.patch(ctx, o, types.MergePatchType, body)
	case 3: // removed by a strategic merge patch
		body, in := nested(gone)
		return in, tr.patch(ctx, o, types.StrategicMergePatchType, body)
	case 4: // changed by a JSON patch
		return []string{"/metadata/labels/a"}, tr.patch(ctx, o, types.JSONPatchType, []any{map[string]any{"op": "replace", "path": "/metadata/labels/a", "value": "json"}})
	case 5: // another manager applies other values
		body, in := nested(fields)
		return in, tr.apply(ctx, o, body)
	case 6: // another manager applies the same values
		same := map[string]string{}
		for pointer := range fields {
			holder, last := at(tr.T, tr.wanted[o], pointer)
			if m, ok := holder.(map[string]any); ok {
				data, _ := json.Marshal(m[last])
				same[pointer] = string(data)
			}
		}
		body, _ := nested(same)
		return nil, tr.apply(ctx, o, body)
	case 7: // others add what is theirs, and write the same again
		body, _ := nested(map[string]string{"/metadata/labels/theirs": `"x"`, "/metadata/annotations/theirs": `"x"`})
		if err := tr.patch(ctx, o, types.MergePatchType, body); err != nil {
			return nil, err
		}
		return nil, tr.update(ctx, o, func(live map[string]any) { put(tr.T, live, "/metadata/annotations/more", `"x"`) })
	case 8: // scaled, or deleted
		if slices.Contains([]string{"deployments", "statefulsets"}, o.resource) {
			return []string{"/spec/replicas"}, tr.patch(ctx, o, types.MergePatchType, map[string]any{"spec": map[string]any{"replicas": 3}}, "scale")
		}
		return []string{""}, tr.dynamic.Resource(o.gvr()).Namespace(o.namespace()).Delete(ctx, o.name, metav1.DeleteOptions{})
	}
	return nil, nil // left alone
}

func (tr *truth) apply(ctx context.Context, o target, body map[string]any) error {
	body["apiVersion"], body["kind"] = o.version, o.kind
	meta, _ := body["metadata"].(map[string]any)
	meta["name"] = o.name
	return tr.patch(ctx, o, types.ApplyPatchType, body)
}

// What others change of what we set is found exactly, and nothing else is, and
// only that is written to.
func TestE2EDriftIsFoundExactly(t *testing.T) {
	tr := &truth{life: newLife(t, "truth"), wanted: map[target]map[string]any{}}
	var text strings.Builder
	text.WriteString("apiVersion: v1\nkind: Namespace\nmetadata: {name: truth}\n")
	for i := range driftKinds {
		for n := range driftEach {
			o := target{&driftKinds[i], fmt.Sprintf("truth-%d", n)}
			namespace := ""
			if !o.cluster {
				namespace = ", namespace: truth"
			}
			body := strings.Trim(o.body, "{}")
			if o.body[0] != '{' {
				body = o.body
			}
			doc := fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: %s%s, labels: {a: b}, annotations: {b: c}}, %s}\n", o.version, o.kind, o.name, namespace, body)
			object := map[string]any{}
			if err := yaml.Unmarshal([]byte(doc), &object); err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			tr.wanted[o] = object
			text.WriteString("---\n" + doc)
		}
	}
	d := manifests(t, text.String())
	tr.converge(d)
	for round := range 2 {
		tr.engine.Force = nil
		tr.drift = tr.mutateAll(round)
		plan, err := tr.engine.Plan(tr.ctx, tr.target, d)
		if err != nil {
			t.Fatal(err)
		}
		tr.found(plan)
		tr.engine.Force = []reconcile.ForceRule{{Manager: "applier"}, {Manager: "patcher"}}
		tr.rec.take()
		tr.converge(d)
		_, writes := tr.rec.take()
		tr.written(writes)
		tr.repaired()
	}
	tr.removes()
}

// mutateAll has every object go through one scenario.
func (tr *truth) mutateAll(round int) map[target][]string {
	type outcome struct {
		o     target
		drift []string
	}
	outcomes := make(chan outcome, len(tr.wanted))
	g, ctx := errgroup.WithContext(tr.ctx)
	g.SetLimit(16)
	for o := range tr.wanted {
		g.Go(func() error {
			n, _ := strconv.Atoi(strings.TrimPrefix(o.name, "truth-"))
			drift, err := tr.mutate(ctx, o, (n+round)%driftEach)
			outcomes <- outcome{o, drift}
			if err != nil {
				return fmt.Errorf("%s %s: %w", o.kind, o.name, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		tr.Fatal(err)
	}
	close(outcomes)
	drift := map[target][]string{}
	for one := range outcomes {
		if len(one.drift) > 0 {
			slices.Sort(one.drift)
			drift[one.o] = one.drift
		}
	}
	return drift
}

// found checks what a plan says has drifted.
func (tr *truth) found(plan *reconcile.Plan) {
	tr.Helper()
	found := map[string][]string{}
	for _, d := range plan.Drift() {
		key := d.Object.Kind + " " + d.Object.Name
		found[key] = append(found[key], d.Path)
		if manager := d.Manager; d.New != "" && manager != "updater" && manager != "patcher" && manager != "applier" || d.New == "" && manager != "" {
			tr.Errorf("%s is said to be the doing of %q", d, manager)
		}
	}
	for o, want := range tr.drift {
		key := o.kind + " " + o.name
		slices.Sort(found[key])
		if !slices.Equal(found[key], want) {
			tr.Errorf("%s drifted in %q, want %q", key, found[key], want)
		}
		delete(found, key)
	}
	for key, fields := range found {
		tr.Errorf("%s did not drift, and is said to in %q", key, fields)
	}
}

// written checks that only what drifted was written to.
func (tr *truth) written(writes reconciletest.Requests) {
	tr.Helper()
	drifted := map[string]bool{}
	for o := range tr.drift {
		drifted[o.resource+"/"+o.name] = true
	}
	for _, w := range writes {
		parts := strings.Split(w.Path, "/")
		if key := strings.Join(parts[len(parts)-2:], "/"); !drifted[key] && !strings.Contains(w.Path, "/namespaces/strata-truth/") {
			tr.Errorf("%v is written, and did not drift", w)
		}
	}
}

// repaired checks that all is as it was applied.
func (tr *truth) repaired() {
	tr.Helper()
	for o, want := range tr.wanted {
		live, err := tr.dynamic.Resource(o.gvr()).Namespace(o.namespace()).Get(tr.ctx, o.name, metav1.GetOptions{})
		if err != nil {
			tr.Error(err)
			continue
		}
		for pointer := range o.all() {
			if got, want := value(tr.T, live.Object, pointer), value(tr.T, want, pointer); got != want {
				tr.Errorf("%s %s %s is %s, want %s", o.kind, o.name, pointer, got, want)
			}
		}
	}
}

func value(t *testing.T, object map[string]any, pointer string) string {
	t.Helper()
	switch holder, last := at(t, object, pointer); h := holder.(type) {
	case map[string]any:
		return fmt.Sprint(h[last])
	case []any:
		n, _ := strconv.Atoi(last)
		return fmt.Sprint(h[n])
	}
	return ""
}
