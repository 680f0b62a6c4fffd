package reconcile

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestSpeakers(t *testing.T) {
	t.Parallel()
	running, waiting := map[string]any{"running": map[string]any{}}, map[string]any{"waiting": map[string]any{}}
	ended := func(code int64) map[string]any {
		return map[string]any{"terminated": map[string]any{"exitCode": code}}
	}
	type states map[string][2]map[string]any // now and before
	for name, test := range map[string]struct {
		states states
		want   []string
	}{
		"never seen":                  {states{}, []string{"a"}},
		"one failed":                  {states{"init": {ended(0)}, "a": {ended(0)}, "b": {ended(2)}}, []string{"b"}},
		"all failed":                  {states{"init": {ended(1)}, "a": {ended(1)}, "b": {ended(1)}, "c": {ended(1)}}, []string{"init", "a", "b"}},
		"waits to be restarted":       {states{"init": {ended(0)}, "a": {running}, "b": {waiting, ended(1)}}, []string{"b"}},
		"init waits to be restarted":  {states{"init": {waiting, ended(1)}, "a": {waiting}}, []string{"init"}},
		"runs again":                  {states{"init": {ended(0)}, "a": {running, ended(1)}, "b": {running}}, []string{"a"}},
		"was well when it ran again":  {states{"init": {ended(0), ended(1)}, "a": {ended(0)}, "b": {running}}, []string{"b"}},
		"waits for what does not end": {states{"init": {running}, "a": {waiting}, "b": {waiting}}, []string{"init"}},
		"nothing began":               {states{"init": {waiting}, "a": {waiting}, "b": {waiting}}, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := &unstructured.Unstructured{Object: map[string]any{
				"spec": map[string]any{
					"initContainers": []any{map[string]any{"name": "init"}},
					"containers":     []any{map[string]any{"name": "a"}, map[string]any{"name": "b"}, map[string]any{"name": "c"}},
				},
			}}
			var first, rest []any
			for name, s := range test.states {
				one := map[string]any{"name": name, "state": s[0], "lastState": s[1]}
				if s[1] == nil {
					delete(one, "lastState")
				}
				if name == "init" {
					first = append(first, one)
				} else {
					rest = append(rest, one)
				}
			}
			pod.Object["status"] = map[string]any{"initContainerStatuses": first, "containerStatuses": rest}
			var got []string
			for _, c := range speakers(containersOf(pod)) {
				got = append(got, c.name)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("speakers: %v, want %v", got, test.want)
			}
		})
	}
}
