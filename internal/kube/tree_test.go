package kube

import (
	"encoding/json"
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const treeFields = `{"f:spec":{"f:ports":{"k:{\"port\":53,\"protocol\":\"UDP\"}":{".":{},"f:port":{}}},"f:selector":{},"f:finalizers":{"v:\"a\"":{}},"f:args":{}}}`

func TestTreeNames(t *testing.T) {
	t.Parallel()
	spec := TreeOf([]metav1.ManagedFieldsEntry{managed("a", metav1.ManagedFieldsOperationApply, "", treeFields)}).Field("spec")
	for _, tt := range []struct{ list, item, want string }{
		{"ports", `{"name": "dns", "protocol": "TCP", "port": 54}`, `port=54,protocol="TCP"`},
		{"ports", `{"port": 54}`, `port=54,protocol=null`},
		{"finalizers", `"b"`, `="b"`},
		{"args", `"b"`, ""},
		{"unheld", `{"name": "b"}`, ""},
	} {
		var item any
		if err := json.Unmarshal([]byte(tt.item), &item); err != nil {
			t.Fatal(err)
		}
		if got := spec.Field(tt.list).Name(item); got != tt.want {
			t.Errorf("Name(%s) in %s = %q, want %q", tt.item, tt.list, got, tt.want)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	list := []any{
		map[string]any{"name": "dns-tcp", "port": int64(53)},
		map[string]any{"name": "dns", "port": int64(53), "protocol": "UDP"},
		"text",
	}
	for name, want := range map[string]int{
		`port=53,protocol="UDP"`: 1, `port=53,protocol="TCP"`: 0, `port=54,protocol="TCP"`: -1, `="text"`: 2, `="other"`: -1, "dns": -1, "": -1, "a=": -1,
	} {
		if got := Find(list, name); got != want {
			t.Errorf("Find(%s) = %d, want %d", name, got, want)
		}
	}
}

// A pointer leads to the same item wherever that is in its list, and also in
// managed fields.
func TestPointerWithKeys(t *testing.T) {
	t.Parallel()
	path := Path{}.Field("spec").Field("ports").Keyed(0, map[string]any{"name": "dns"}, `port=53,protocol="UDP"`).Field("port")
	pointer := path.Pointer()
	if pointer != `/spec/ports/port=53,protocol="UDP"/port` || path.String() != `.spec.ports[port=53,protocol="UDP"].port` {
		t.Errorf("the path is %s, %s", path, pointer)
	}
	for _, rule := range []string{pointer, "/spec/ports/dns/port", "/spec/ports/0", "/spec/ports"} {
		if !path.Under(rule) {
			t.Errorf("%s is not under %s", path, rule)
		}
	}
	port := func(n int64, protocol string) any {
		return map[string]any{"port": n, "protocol": protocol, "targetPort": n}
	}
	ours := map[string]any{"spec": map[string]any{"ports": []any{port(80, "TCP"), port(53, "UDP")}}}
	live := map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": int64(53), "protocol": "UDP", "targetPort": int64(9)}, port(80, "TCP")}}}
	got := KeepLive(ours, live, []string{`/spec/ports/port=53,protocol="UDP"/targetPort`})
	want := map[string]any{"spec": map[string]any{"ports": []any{port(80, "TCP"), map[string]any{"port": int64(53), "protocol": "UDP", "targetPort": int64(9)}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("KeepLive = %v, want %v", got, want)
	}
	if left := string(without([]byte(treeFields), []string{`/spec/ports/port=53,protocol="UDP"`, "/spec/selector", "/spec/finalizers", "/spec/args"})); left != `{"f:spec":{"f:ports":{}}}` {
		t.Errorf("without the port there is left %s", left)
	}
}

func TestOwns(t *testing.T) {
	t.Parallel()
	entries := []metav1.ManagedFieldsEntry{managed(Manager, metav1.ManagedFieldsOperationApply, "", treeFields), managed("they", metav1.ManagedFieldsOperationUpdate, "", `{"f:spec":{"f:more":{}}}`)}
	spec := Path{}.Field("spec")
	for _, tt := range []struct {
		path Path
		want bool
	}{
		{spec, true},
		{spec.Field("selector").Field("added"), true}, // it is held as a whole
		{spec.Field("args").Item(3, nil), true},
		{spec.Field("more"), false},
		{spec.Field("ports").Keyed(0, nil, `port=53,protocol="UDP"`), true},
		{spec.Field("ports").Keyed(0, nil, `port=54,protocol="UDP"`), false},
	} {
		if got := Owns(entries, nil, tt.path); got != tt.want {
			t.Errorf("Owns(%s) = %v, want %v", tt.path, got, tt.want)
		}
	}
}
