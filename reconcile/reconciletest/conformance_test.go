package reconciletest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// A step is one request. In its path and body, $rv and $uid are those of the
// last object that was answered, $old the version before, and $watch the version
// at the step "watched from".
type step struct {
	name       string
	verb, path string
	body       string
	unlike     bool // only the code of the answer is compared
}

// conformer carries out steps on one cluster.
type conformer struct {
	*testing.T
	client       *http.Client
	host         string
	version, uid string
	old, watched string
}

func newConformer(t *testing.T, config *rest.Config) *conformer {
	t.Helper()
	config = rest.CopyConfig(config)
	config.UserAgent = "conformer/1.0"
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return &conformer{T: t, client: client, host: config.Host}
}

var contentTypes = map[string]string{
	"APPLY": "application/apply-patch+yaml", "MERGE": "application/merge-patch+json",
	"JSON": "application/json-patch+json", "STRATEGIC": "application/strategic-merge-patch+json",
}

func (c *conformer) fill(s string) string {
	return strings.NewReplacer("$rv", c.version, "$uid", c.uid, "$old", c.old, "$watch", c.watched).Replace(s)
}

// do returns the code and the body of the answer.
func (c *conformer) do(s step) (int, any) {
	c.Helper()
	method, media := s.verb, "application/json"
	if m := contentTypes[s.verb]; m != "" {
		method, media = http.MethodPatch, m
	}
	data := []byte(c.fill(s.body))
	if s.body != "" {
		var err error
		if data, err = yaml.YAMLToJSON(data); err != nil {
			c.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(c.Context(), method, c.host+c.fill(s.path), bytes.NewReader(data))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("User-Agent", "conformer/1.0")
	r.Header.Set("Content-Type", media)
	if s.name == "metadata of it" {
		r.Header.Set("Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json")
	}
	if s.name == "list of metadata" {
		r.Header.Set("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json")
	}
	if strings.Contains(s.name, "not acceptable") {
		r.Header.Set("Accept", "image/png")
	}
	response, err := c.client.Do(r)
	if err != nil {
		c.Fatalf("%s: %v", s.name, err)
	}
	defer response.Body.Close()
	return response.StatusCode, c.read(s, response)
}

func (c *conformer) read(s step, response *http.Response) any {
	c.Helper()
	if strings.Contains(s.path, "watch=") {
		var events []any
		for d := json.NewDecoder(response.Body); ; {
			var e map[string]any
			if err := d.Decode(&e); err != nil {
				return events
			}
			events = append(events, e)
		}
	}
	data, err := io.ReadAll(response.Body)
	if err != nil {
		c.Fatalf("%s: %v", s.name, err)
	}
	var answer map[string]any
	if err := json.Unmarshal(data, &answer); err != nil {
		return strings.TrimSpace(string(data))
	}
	if meta, ok := answer["metadata"].(map[string]any); ok && meta["uid"] != nil {
		c.uid = fmt.Sprint(meta["uid"])
		if v := fmt.Sprint(meta["resourceVersion"]); v != c.version {
			c.old, c.version = c.version, v
		}
		if s.name == "watched from" {
			c.watched = c.version
		}
	}
	return answer
}

// varying are UIDs, and versions where an error has them.
var varying = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|record \(\d+\)`)

// plain replaces what is different from one cluster to the next.
func (c *conformer) plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, child := range v {
			if k == "continue" && child == "" {
				continue
			}
			switch k {
			case "uid", "creationTimestamp", "deletionTimestamp", "time", "lastTransitionTime", "clusterIP", "clusterIPs", "continue", "resourceVersion":
				child = "some"
			}
			out[varying.ReplaceAllString(k, "some")] = c.plain(child)
		}
		return out
	case []any:
		out := []any{}
		for _, child := range v {
			if e, ok := child.(map[string]any); ok && e["type"] == "BOOKMARK" {
				continue
			}
			out = append(out, c.plain(child))
		}
		return out
	case string:
		return varying.ReplaceAllString(v, "some")
	}
	return v
}

// covers returns where the real answer is not what the simulated one says. The
// real one may have more where a server sets defaults: anywhere but in metadata.
func covers(at string, sim, real any, exact bool) []string {
	switch s := sim.(type) {
	case map[string]any:
		r, ok := real.(map[string]any)
		if !ok {
			break
		}
		var found []string
		for _, k := range slices.Sorted(maps.Keys(s)) {
			found = append(found, covers(at+"."+k, s[k], r[k], (exact || k == "metadata") && k != "f:spec")...)
		}
		for _, k := range slices.Sorted(maps.Keys(r)) {
			if _, ok := s[k]; exact && !ok {
				found = append(found, fmt.Sprintf("%s.%s: the real server has %v", at, k, r[k]))
			}
		}
		return found
	case []any:
		r, ok := real.([]any)
		if !ok || len(r) != len(s) {
			break
		}
		var found []string
		for i := range s {
			found = append(found, covers(fmt.Sprintf("%s[%d]", at, i), s[i], r[i], exact)...)
		}
		return found
	}
	if reflect.DeepEqual(sim, real) {
		return nil
	}
	return []string{fmt.Sprintf("%s:\n\tsimulated: %s\n\treal:      %s", at, show(sim), show(real))}
}

func show(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// TestConformance carries out the same requests on a simulation and on a real
// control plane, and compares the answers.
func TestConformance(t *testing.T) {
	real := newConformer(t, bootForTest(t))
	sim := newConformer(t, new(Simulation).Config())
	for _, s := range conformance {
		simCode, simAnswer := sim.do(s)
		realCode, realAnswer := real.do(s)
		for i := 0; strings.HasPrefix(s.name, "until") && realCode != simCode && i < 500; i++ {
			realCode, realAnswer = real.do(s)
		}
		if simCode != realCode {
			t.Errorf("%s: simulated %d %s\nreal      %d %s", s.name, simCode, show(simAnswer), realCode, show(realAnswer))
			continue
		}
		if s.unlike {
			continue
		}
		for _, problem := range covers("", sim.plain(simAnswer), real.plain(realAnswer), false) {
			t.Errorf("%s: %s", s.name, problem)
		}
	}
}
