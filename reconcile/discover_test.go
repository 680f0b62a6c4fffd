package reconcile

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// release is one that another tool deployed some hours after nine.
func release(name, status string, hours int, values map[string]any) readRelease {
	r := readRelease{values: values}
	r.FoundRelease = FoundRelease{
		Namespace: "ns-" + name, Name: name, Revision: 1, Status: status, Chart: "chart-" + name, Version: "1.0.0",
		FirstDeployed: nine.Add(time.Duration(hours) * time.Hour),
	}
	return r
}

func TestPropose(t *testing.T) {
	t.Parallel()
	late := release("late", "deployed", 2, map[string]any{
		"replicas": 3.0, "auth": map[string]any{"adminPassword": "hunter2", "existingSecret": ""},
		"env": []any{map[string]any{"apiKey": "hunter2"}}, "tokens": 4.0,
	})
	early, twin := release("early", "deployed", 0, nil), release("late", "deployed", 1, nil)
	twin.Namespace = "other"
	mine := release("mine", "deployed", 0, nil)
	mine.Installation = "strata-system/default"
	broken := release("broken", "", 0, nil)
	broken.err = errors.New("release record x: no gzip")
	dotted := release("a.b", "deployed", 0, nil)
	found := []readRelease{late, early, twin, mine, broken, dotted, release("gone", "uninstalled", 0, nil), release("stuck", "pending-upgrade", 0, nil)}
	d := new(Discovery)
	propose("proposal", map[string]string{"chart-early": "oci://example.com"}, found, d)

	var layers []string
	for _, l := range d.Profile.Layers {
		layers = append(layers, fmt.Sprintf("%s %d %s/%s %s:%s %s", l.Name, l.InstallOrder, l.Namespace, l.Helm.ReleaseName, l.Helm.Chart, l.Helm.Version, l.Helm.Registry))
	}
	want := []string{
		"early 0 ns-early/early chart-early:1.0.0 oci://example.com",
		"late 1 other/late chart-late:1.0.0 ",
		"late-ns-late 2 ns-late/late chart-late:1.0.0 ",
	}
	if !slices.Equal(layers, want) {
		t.Errorf("the layers are\n%s\nwant\n%s", strings.Join(layers, "\n"), strings.Join(want, "\n"))
	}
	if got := d.Profile.Layers[2].Values; !strings.Contains(got, "replicas: 3\n") || !strings.Contains(got, "adminPassword: hunter2\n") {
		t.Errorf("the values are\n%s", got)
	}
	var gaps []string
	for _, g := range d.Gaps {
		gaps = append(gaps, strings.TrimSpace(fmt.Sprintf("%s %s %s", g.Kind, g.Release, strings.Join(g.Paths, " "))))
	}
	want = []string{
		"Registry ns-late/late", "Sensitive ns-late/late .auth.adminPassword .env[0].apiKey", "Registry other/late",
		"Unreadable ns-broken/broken", "Name ns-a.b/a.b", "Unfinished ns-stuck/stuck",
	}
	if !slices.Equal(gaps, want) {
		t.Errorf("the gaps are\n%s\nwant\n%s", strings.Join(gaps, "\n"), strings.Join(want, "\n"))
	}
	if len(d.Releases) != len(found) || d.Releases[0].Layer != "late-ns-late" || d.Releases[3].Layer != "" {
		t.Errorf("the releases are %+v", d.Releases)
	}
	data, err := json.Marshal(d)
	if err != nil || strings.Contains(string(data)+d.String()+fmt.Sprintf("%v", d), "hunter2") {
		t.Errorf("a value is shown: %v\n%s\n%s", err, data, d)
	}
	if _, err := d.Profile.Format(); err != nil {
		t.Error(err)
	}
}

func TestUniqueNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 53)
	taken := map[string]bool{long: true}
	for range 3 {
		name := unique(taken, long, strings.Repeat("b", 60))
		if taken[name] || len(name) > 63 {
			t.Errorf("%q is taken or too long", name)
		}
		taken[name] = true
	}
}

func TestChanging(t *testing.T) {
	t.Parallel()
	object := func(name string) ObjectRef {
		return ObjectRef{Version: "v1", Kind: "Secret", Namespace: "ns", Name: name}
	}
	mark := Change{Field: `.metadata.labels["applyset.kubernetes.io/part-of"]`, New: `"x"`}
	p := &Plan{
		Steps: []Step{
			{Action: Adopt, Object: ObjectRef{Version: "v1", Kind: "Namespace", Name: "ns"}, Changes: []Change{{Field: ".metadata.labels.a"}}},
			{Layer: "calm", Action: Adopt, Object: object("a"), Changes: []Change{mark, {Field: `.metadata.labels["strata.dev/layer"]`}}},
			{Layer: "calm", Action: Adopt, Object: object("b"), Changes: []Change{{Field: ".metadata.labels", New: "{}"}}},
			{Layer: "calm", Action: Unchanged, Object: object("c")},
			{Layer: "moody", Action: Adopt, Object: object("a"), Changes: []Change{mark, {Field: ".data.key"}}},
			{Layer: "moody", Action: Delete, Object: object("b")},
		},
		Hooks: []Hook{{Layer: "busy", Event: "pre-upgrade", Object: object("job")}},
	}
	for n := range 8 {
		p.Steps = append(p.Steps, Step{Layer: "vast", Action: Adopt, Object: object(strconv.Itoa(n)), Changes: []Change{{Field: ".a"}, {Field: ".b"}}})
	}
	var got []string
	for _, g := range changing(p) {
		got = append(got, fmt.Sprintf("%s %s: %s", g.Kind, g.Layer, g.Problem))
	}
	const anew = "; what templates make anew, such as passwords, can be set in the values"
	want := []string{
		"Change busy: taking it over runs the hooks pre-upgrade Secret ns/job",
		"Change moody: taking it over changes Secret ns/a (1 field), Secret ns/b (delete)" + anew,
		"Change vast: taking it over changes Secret ns/0 (2 fields), Secret ns/1 (2 fields), Secret ns/2 (2 fields), Secret ns/3 (2 fields), Secret ns/4 (2 fields) and 3 more" + anew,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the gaps are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
