package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/retry"
)

// An edit is what somebody does to a place of an object, and how.
type edit struct {
	place
	deed string
	verb string
}

const (
	change = "change"
	remove = "remove"
	extend = "add to" // a map or a list, what is not ours
	repeat = "write the same again to"
)

var verbs = []string{"update", "merge patch", "JSON patch", "strategic merge patch", "apply", "scale"}

// edits returns what can be done to a place.
func (p place) edits() []edit {
	var all []edit
	add := func(deed string) {
		for _, verb := range verbs {
			e := edit{p, deed, verb}
			if e.possible() {
				all = append(all, e)
			}
		}
	}
	switch p.value.(type) {
	case map[string]any, []any:
	default:
		add(change)
	}
	if add(remove); p.of.Values != nil || p.of.Items != nil {
		add(extend)
	}
	if p.held() {
		add(repeat)
	}
	return all
}

func (e edit) possible() bool {
	last := e.path[len(e.path)-1]
	key := len(e.path) > 1 && e.path[len(e.path)-2].keys[last.name] != nil
	if key && e.deed == remove && last.name != "protocol" {
		return false // nobody could apply such an object again
	}
	if e.deed == change && e.String() == ".metadata.labels.applyset.kubernetes.io/part-of" {
		return false // another installation takes the object over
	}
	switch e.verb {
	case "scale":
		return e.deed == change && e.String() == ".spec.replicas"
	case "apply": // which adds an item where the key of one changes
		inside := e.whole > 0 && e.whole < len(e.path)
		return (e.deed != remove || inside) && (e.deed != change || inside || !key)
	}
	return e.deed != repeat // which only an apply can do
}

// instead has other values for fields where the API server takes few.
var instead = []struct {
	field *regexp.Regexp
	value any
}{
	{regexp.MustCompile(`imagePullPolicy$`), "Always"},
	{regexp.MustCompile(`\.(protocol|sessionAffinity|internalTrafficPolicy|dnsPolicy)$`), map[string]any{"TCP": "SCTP", "UDP": "SCTP", "ClientIP": "None", "Cluster": "Local", "ClusterFirst": "Default"}},
	{regexp.MustCompile(`^(Service|PodTemplate|Deployment) .*targetPort$`), map[string]any{"8080": int64(9090), `"dns"`: "other"}},
	{regexp.MustCompile(`^Service .*type$`), "NodePort"},
	{regexp.MustCompile(`(cpu|memory|storage|sizeLimit|divisor|configmaps|secrets|averageValue)$`), map[string]any{"2k": "1900", "100m": "0.2", "64Mi": "65Mi", "1": "1500m", "0.5Gi": "1Gi", "1Gi": "2Gi", "1m": "1", "1k": "900", "100": "1100m", "100Gi": "1T", "1Mi": "2Mi", "1Ti": "2Ti"}},
	{regexp.MustCompile(`(concurrencyPolicy|pathType|failurePolicy|unhealthyPodEvictionPolicy)$`), map[string]any{"Forbid": "Replace", "Prefix": "Exact", "Exact": "Prefix", "Ignore": "Fail", "AlwaysAllow": "IfHealthyBudget"}},
	{regexp.MustCompile(`(whenUnsatisfiable|effect|restartPolicy|scope|scopes\[0\])$`), map[string]any{"ScheduleAnyway": "DoNotSchedule", "NoSchedule": "NoExecute", "Never": "OnFailure", "Namespaced": "*", "NotTerminating": "Terminating"}},
	{regexp.MustCompile(`(tolerations\[\d\]|matchExpressions\[\d\])\.operator$`), map[string]any{"Equal": "Lt", "In": "NotIn"}},
	{regexp.MustCompile(`(updateStrategy|strategy)\.type$`), "OnDelete"},
	{regexp.MustCompile(`policyTypes\[0\]$`), "Egress"},
	{regexp.MustCompile(`operations\[\d\]$`), "CONNECT"},
	{regexp.MustCompile(`subjects\[\d\]\.kind$`), "Group"},
	{regexp.MustCompile(`metrics\[0\].*name$`), "memory"},
	{regexp.MustCompile(`policies\[0\]\.type$`), "Percent"},
	{regexp.MustCompile(`(maxUnavailable|maxSurge)$`), map[string]any{"25%": "30%", "10%": "20%", "1": int64(2)}},
	{regexp.MustCompile(`spec\.schedule$`), "0 0 2 1 *"},
	{regexp.MustCompile(`timeZone$`), "Europe/Berlin"},
	{regexp.MustCompile(`cidr$`), "192.0.2.0/25"},
	{regexp.MustCompile(`except\[0\]$`), "192.0.2.16/30"},
	{regexp.MustCompile(`\.ip$`), "192.0.2.2"},
	{regexp.MustCompile(`^Secret \.data|binaryData`), "eHh4"},
	{regexp.MustCompile(`fieldPath$`), "metadata.name"},
	{regexp.MustCompile(`\.resource$`), "limits.memory"},
	{regexp.MustCompile(`accessModes\[0\]$`), "ReadOnlyMany"},
}

// other returns another value for a field, a new one in each round.
func other(field string, value any, n int) any {
	for _, i := range instead {
		if !i.field.MatchString(field) {
			continue
		}
		choice, isMap := i.value.(map[string]any)
		if !isMap {
			return i.value
		}
		if v, ok := choice[fmt.Sprint(value)]; ok {
			return v
		}
	}
	switch v := value.(type) {
	case string:
		return fmt.Sprint(v, "x", n)
	case bool:
		return !v
	case int64:
		return v + 1
	}
	return value
}

// extraKey is a key that may be added to a map with few.
func extraKey(field string, n int) string {
	switch field[strings.LastIndex(field, ".")+1:] {
	case "limits", "requests":
		return "ephemeral-storage"
	case "hard":
		return "services"
	case "max", "min":
		return "memory"
	}
	return fmt.Sprint("theirs-", n)
}

// extra returns an item like one of a list, with keys of its own.
func extra(list *apiType, item any, n int) any {
	switch v := item.(type) {
	case string:
		return fmt.Sprint(v, "theirs", n)
	case int64:
		return v + int64(n) + 1
	case map[string]any:
		v = runtime.DeepCopyJSON(v)
		for _, k := range append([]string{"name"}, list.Keys...) {
			if _, named := v[k]; named && k != "protocol" && list.List == "map" {
				v[k] = extra(new(apiType), v[k], 100+n)
			}
		}
		return v
	}
	return item
}

// operation returns e as an operation of a JSON patch on an object, and the path
// to what is added.
func (e edit) operation(kind string, live map[string]any, n int) (op map[string]any, path []hop, err error) {
	value, pointer, ok := lookup(live, e.path)
	if !ok {
		return nil, nil, errors.New("it is not there")
	}
	switch e.deed {
	case change:
		return map[string]any{"op": "replace", "path": pointer, "value": other(kind+" "+e.String(), value, n)}, e.path, nil
	case repeat:
		return map[string]any{"op": "replace", "path": pointer, "value": value}, e.path, nil
	case remove:
		return map[string]any{"op": "remove", "path": pointer}, e.path, nil
	}
	switch v := value.(type) {
	case map[string]any:
		key := extraKey(e.String(), n)
		var like any = "1Gi"
		for _, one := range v {
			like = one
		}
		return map[string]any{"op": "add", "path": pointer + "/" + key, "value": like}, append(slices.Clip(e.path), hop{name: key}), nil
	case []any:
		item := extra(e.of, v[len(v)-1], n)
		return map[string]any{"op": "add", "path": pointer + "/-", "value": item}, append(slices.Clip(e.path), e.of.item(len(v), item)), nil
	}
	return nil, nil, errors.New("nothing can be added")
}

// do carries e out as the n-th of its round, by a manager.
func (tr *truth) do(ctx context.Context, o *driftObject, e edit, n int) error {
	op, path, err := e.operation(o.kind, o.live, n)
	if err != nil {
		return err
	}
	live, ops := []byte(jsonOf(o.live)), []byte(jsonOf([]any{op}))
	patch, err := jsonpatch.DecodePatch(ops)
	if err != nil {
		return err
	}
	after, err := patch.Apply(live)
	if err != nil {
		return err
	}
	options := metav1.PatchOptions{FieldManager: tr.manager()}
	body, verb, sub := ops, types.JSONPatchType, []string(nil)
	switch e.verb {
	case "update":
		return tr.update(ctx, o, after)
	case "merge patch":
		verb = types.MergePatchType
		body, err = jsonpatch.CreateMergePatch(live, after)
	case "strategic merge patch":
		var typed runtime.Object
		if typed, err = scheme.Scheme.New(o.gvk); err == nil {
			verb = types.StrategicMergePatchType
			body, err = strategicpatch.CreateTwoWayMergePatch(live, after, typed)
		}
	case "apply":
		verb, options.Force = types.ApplyPatchType, new(bool)
		*options.Force = true
		body, err = o.partial(after, e, path)
	case "scale":
		verb, sub = types.MergePatchType, []string{"scale"}
		body = []byte(jsonOf(map[string]any{"spec": map[string]any{"replicas": op["value"]}}))
	}
	if err != nil {
		return err
	}
	_, err = tr.client(o).Patch(ctx, o.name, verb, body, options, sub...)
	return err
}

// update puts what the object shall be.
func (tr *truth) update(ctx context.Context, o *driftObject, after []byte) error {
	whole := new(unstructured.Unstructured)
	if err := whole.UnmarshalJSON(after); err != nil {
		return err
	}
	return retry.RetryOnConflict(retry.DefaultRetry, func() error { // controllers write the status
		_, err := tr.client(o).Update(ctx, whole, metav1.UpdateOptions{FieldManager: tr.manager()})
		if apierrors.IsConflict(err) {
			if live, gone := tr.client(o).Get(ctx, o.name, metav1.GetOptions{}); gone == nil {
				whole.SetResourceVersion(live.GetResourceVersion())
			}
		}
		return err
	})
}

// partial returns what is applied for an edit: the changed place, and the way
// there.
func (o *driftObject) partial(after []byte, e edit, path []hop) ([]byte, error) {
	var object map[string]any
	if err := json.Unmarshal(after, &object); err != nil {
		return nil, err
	}
	if e.whole > 0 {
		path = path[:e.whole]
	}
	part, _ := part(object, path).(map[string]any)
	meta, _ := part["metadata"].(map[string]any)
	named := map[string]any{"name": o.name}
	maps.Copy(named, meta)
	part["apiVersion"], part["kind"], part["metadata"] = o.gvk.GroupVersion().String(), o.kind, named
	return json.Marshal(part)
}

func part(v any, path []hop) any {
	if len(path) == 0 {
		return v
	}
	h := path[0]
	child, _, _ := h.in(v)
	below := part(child, path[1:])
	switch {
	case h.name != "":
		return map[string]any{h.name: below}
	case h.keys != nil:
		item := maps.Clone(h.keys)
		if m, ok := below.(map[string]any); ok {
			maps.Copy(item, m)
		}
		return []any{item}
	}
	return []any{below}
}
