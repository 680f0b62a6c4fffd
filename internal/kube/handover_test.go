package kube

import (
	"encoding/json"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func entry(manager, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: metav1.NewFieldsV1(fields)}
}

func TestAnnotators(t *testing.T) {
	const marked = `{"f:metadata":{"f:annotations":{"f:example.com/name":{}}}}`
	status := entry("controller", marked)
	status.Subresource = "status"
	got := Annotators([]metav1.ManagedFieldsEntry{
		entry("helm", marked), entry("editor", `{"f:spec":{}}`), entry(Manager, marked), status,
	}, "example.com/name")
	if !slices.Equal(got, []string{"helm"}) {
		t.Errorf("got %q, want helm alone", got)
	}
}

func TestShed(t *testing.T) {
	const object = `{"spec":{"a":1,"b":{"c":2,"d":3},"list":[{"name":"x","v":1,"w":2},{"name":"y"}],"set":["p","q"],"none":0}}`
	const helm = `{"f:spec":{"f:a":{},"f:b":{".":{},"f:c":{},"f:d":{}},
		"f:list":{"k:{\"name\":\"x\"}":{".":{},"f:name":{},"f:v":{},"f:w":{}},"k:{\"name\":\"y\"}":{".":{},"f:name":{}}},
		"f:set":{"v:\"p\"":{},"v:\"q\"":{}}}}`
	for name, tt := range map[string]struct{ ours, others, want string }{
		"all is ours now": {helm, `{}`, object},
		"what is not set goes": {
			`{"f:spec":{"f:b":{"f:c":{}},"f:list":{"k:{\"name\":\"x\"}":{".":{},"f:name":{},"f:v":{}}},"f:set":{"v:\"q\"":{}}}}`, `{}`,
			`{"spec":{"b":{"c":2},"list":[{"name":"x","v":1}],"set":["q"],"none":0}}`,
		},
		"what others hold stays": {
			`{"f:spec":{"f:a":{}}}`, `{"f:spec":{"f:b":{"f:d":{}},"f:set":{}}}`,
			`{"spec":{"a":1,"b":{"d":3},"set":["p","q"],"none":0}}`,
		},
	} {
		var live map[string]any
		if err := json.Unmarshal([]byte(object), &live); err != nil {
			t.Fatal(err)
		}
		after := []metav1.ManagedFieldsEntry{entry("helm", helm), entry(Manager, tt.ours), entry("other", tt.others)}
		got, err := json.Marshal(Shed(live, after[:1], after, []string{"helm"}))
		var want any
		if err == nil {
			err = json.Unmarshal([]byte(tt.want), &want)
		}
		if sorted, _ := json.Marshal(want); err != nil || string(got) != string(sorted) {
			t.Errorf("%s:\n got %s\nwant %s (%v)", name, got, sorted, err)
		}
	}
}
