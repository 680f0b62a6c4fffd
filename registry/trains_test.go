package registry_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

// tagged returns the digests of all tags of a pack.
func tagged(t *testing.T, s *registrytest.Server, name string) map[string]digest.Digest {
	t.Helper()
	var list struct{ Tags []string }
	if err := json.Unmarshal(rawGet(t, s, "spectro-packs/archive/"+name+"/tags/list"), &list); err != nil {
		t.Fatal(err)
	}
	found := map[string]digest.Digest{}
	for _, tag := range list.Tags {
		found[tag] = digest.FromBytes(rawGet(t, s, "spectro-packs/archive/"+name+"/manifests/"+tag))
	}
	return found
}

func TestPushTagsTrains(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	group := func(name, version string) fstest.MapFS {
		files := packFiles("p", version)
		files["pack.json"].Data = fmt.Appendf(nil,
			`{"name": "p", "version": %q, "displayName": "D", "layer": "addon", "group": %q, "kubeManifests": ["manifests/m.yaml"]}`, version, name)
		return files
	}
	pins := map[string]digest.Digest{}
	for _, v := range []string{"1.27.3", "1.26.9", "1.27.10", "1.28.0-rc.1", "2.0.0", "24.04.1", "24.04"} {
		pins[v] = pushPacks(t, s, "p", v).Digest
	}
	for v, name := range map[string]string{"22.04.1": "LTS", "22.04": "LTS", "5.0.0": " ", "6.0.0": "long term"} {
		pin, err := s.Client().PushPack(t.Context(), "test", group(name, v))
		if err != nil {
			t.Fatal(err)
		}
		pins[v] = pin.Digest
	}
	want := map[string]string{
		"1.x": "1.27.10", "1.26.x": "1.26.9", "1.27.x": "1.27.10", "2.x": "2.0.0", "2.0.x": "2.0.0",
		"24.x": "24.04.1", "24.4.x": "24.04.1", "22.x": "22.04.1", "22.4.x": "22.04.1",
		"5.x": "5.0.0", "5.0.x": "5.0.0", "6.x": "6.0.0", "6.0.x": "6.0.0",
		"LTS__22.x": "22.04.1", "LTS__22.4.x": "22.04.1", "LTS__22.04.1": "22.04.1", "LTS__22.04": "22.04",
	}
	for v := range pins {
		want[v] = v
	}
	got := tagged(t, s, "p")
	for tag, v := range want {
		if got[tag] != pins[v] {
			t.Errorf("%s is %s, want that of %s", tag, got[tag], v)
		}
		delete(got, tag)
	}
	if len(got) > 0 {
		t.Errorf("tags too many: %v", got)
	}
	for constraint, v := range map[string]string{"LTS__22.4.x": "LTS__22.04.1", "22.4.x": "22.04.1", "24.x": "24.04.1", "1.x": "1.27.10"} {
		pin, err := s.Client().Resolve(t.Context(), packRef("p", constraint))
		if err != nil || pin.Resolved != v {
			t.Errorf("%s: got %s, %v; want %s", constraint, pin.Resolved, err, v)
		}
	}
}

func TestPushExisting(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	first := pushPacks(t, s, "p", "1.0.0")

	var writes atomic.Int64
	s.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				writes.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	})
	if again := pushPacks(t, s, "p", "1.0.0"); again.Digest != first.Digest || writes.Load() != 0 {
		t.Errorf("the same again: %v with %d writes", again, writes.Load())
	}
	other := packFiles("p", "1.0.0")
	other["values.yaml"].Data = []byte("pack: {namespace: other}\n")
	_, err := s.Client().PushPack(t.Context(), "test", other)
	var e *registry.Error
	if !errors.Is(err, registry.ErrExists) || !errors.As(err, &e) || e.Retryable() || writes.Load() != 0 ||
		!strings.Contains(err.Error(), first.Digest.String()) || !strings.Contains(err.Error(), "Client.Replace") {
		t.Errorf("got %v after %d writes; want ErrExists", err, writes.Load())
	}
	client := s.Client()
	client.Replace = true
	pin, err := client.PushPack(t.Context(), "test", other)
	if err != nil || pin.Digest == first.Digest {
		t.Fatalf("got %v, %v", pin, err)
	}
	for tag, d := range tagged(t, s, "p") {
		if d != pin.Digest {
			t.Errorf("%s is %s, want %s", tag, d, pin.Digest)
		}
	}
	chart := fstest.MapFS{"Chart.yaml": {Data: []byte("name: c\nversion: 1.0.0\n")}}
	if _, err := s.Client().PushChart(t.Context(), "test", chart); err != nil {
		t.Fatal(err)
	}
	chart["x"] = &fstest.MapFile{Data: []byte("x")}
	if _, err := s.Client().PushChart(t.Context(), "test", chart); !errors.Is(err, registry.ErrExists) {
		t.Errorf("chart: got %v; want ErrExists", err)
	}
	if _, err := s.Client().PushPack(t.Context(), "test", packFiles("p", "1.x")); err == nil || !strings.Contains(err.Error(), "train") {
		t.Errorf("version 1.x: got %v", err)
	}
}

// A push that ended before the trains were tagged is repaired by the next one.
func TestPushAgainRepairsTrains(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	s.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".x") {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	_, err := s.Client().PushPack(t.Context(), "test", packFiles("p", "1.2.3"))
	if !errors.Is(err, registry.ErrUnauthorized) || !strings.Contains(err.Error(), "trains") {
		t.Errorf("got %v", err)
	}
	s.Intercept(nil)
	pin := pushPacks(t, s, "p", "1.2.3")
	if got := tagged(t, s, "p"); got["1.x"] != pin.Digest || got["1.2.x"] != pin.Digest {
		t.Errorf("got %v", got)
	}
}

func TestStrategies(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pushPacks(t, s, "p", "1.26.1", "1.26.9", "1.27.3", "1.28.0", "1.25.0-rc.1")
	tests := []struct {
		constraint string
		strategy   layer.Strategy
		want       string
	}{
		{"", "", "1.28.0"},
		{"1.x", layer.Newest, "1.28.0"},
		{"1.x", layer.NewestPatch, "1.26.9"},
		{">=1.27", layer.NewestPatch, "1.27.3"},
		{"1.x", layer.Oldest, "1.26.1"},
		{"", layer.Oldest, "1.26.1"},
		{">=1.25.0-0", layer.Oldest, "1.25.0-rc.1"},
		{"1.27.3", layer.Oldest, "1.27.3"},
	}
	for _, test := range tests {
		ref := packRef("p", test.constraint)
		ref.Strategy = test.strategy
		if pin, err := s.Client().Resolve(t.Context(), ref); err != nil || pin.Resolved != test.want || pin.Ref != ref {
			t.Errorf("%s of %q: got %v, %v; want %s", test.strategy, test.constraint, pin, err, test.want)
		}
	}
}

func TestDigestPins(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	one, two := pushPacks(t, s, "p", "1.0.0"), pushPacks(t, s, "p", "1.1.0")
	gone := "sha256:" + strings.Repeat("0", 64)
	tests := []struct {
		version string
		want    digest.Digest
		is      error
	}{
		{"1.0.0@" + one.Digest.String(), one.Digest, nil},
		{"1.x@" + two.Digest.String(), two.Digest, nil},
		{one.Digest.String(), one.Digest, nil},
		{"@" + one.Digest.String(), one.Digest, nil},
		{"1.1.0@" + one.Digest.String(), "", layer.ErrDigest}, // the tag has moved
		{"1.2.0@" + one.Digest.String(), "", layer.ErrNoVersion},
		{gone, "", layer.ErrNotFound},
	}
	for _, test := range tests {
		pin, err := s.Client().Resolve(t.Context(), packRef("p", test.version))
		if pin.Digest != test.want || !errors.Is(err, test.is) {
			t.Errorf("%s: got %v, %v", test.version, pin, err)
		}
		if err == nil {
			if _, err := s.Client().Fetch(t.Context(), pin); err != nil {
				t.Errorf("%s: %v", test.version, err)
			}
		}
	}
	if got, err := s.Client().Versions(t.Context(), packRef("p", "1.x@"+one.Digest.String())); err != nil || !slices.Equal(got, []string{"1.1.0", "1.0.0"}) {
		t.Errorf("got %v, %v", got, err)
	}
	// A registry that answers with something else.
	s.Intercept(tamper("/manifests/", func([]byte) []byte { return []byte(`{"layers": []}`) }))
	if pin, err := s.Client().Resolve(t.Context(), packRef("p", one.Digest.String())); !errors.Is(err, layer.ErrDigest) {
		t.Errorf("got %v, %v; want ErrDigest", pin, err)
	}
}

const profileYAML = "apiVersion: strata.dev/v1\nkind: Profile\nmetadata:\n  name: base\n  version: %s\nspec: {}\n"

func TestProfiles(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	client := s.Client()
	client.Replace = true
	for _, v := range []string{"1.0.0", "1.1.0", "2.0.0-rc.1"} {
		for range 2 { // the same again is fine
			pin, err := client.PushProfile(t.Context(), s.URL+"/b", fmt.Appendf(nil, profileYAML, v))
			if err != nil || pin.Repository != s.URL+"/b/strata-profiles/base" || pin.Resolved != v {
				t.Fatalf("got %v, %v", pin, err)
			}
		}
	}
	_, err := client.PushProfile(t.Context(), s.URL+"/b", fmt.Appendf(nil, profileYAML+"# changed\n", "1.0.0"))
	if !errors.Is(err, registry.ErrExists) || strings.Contains(err.Error(), "Replace") {
		t.Errorf("got %v; want ErrExists", err)
	}
	var manifest struct{ ArtifactType string }
	if err := json.Unmarshal(rawGet(t, s, "b/strata-profiles/base/manifests/1.0.0"), &manifest); err != nil ||
		manifest.ArtifactType != "application/vnd.strata.profile.v1" {
		t.Errorf("got %v, %v", manifest, err)
	}
	ref := layer.Ref{Format: layer.FormatProfile, Registry: s.URL + "/b", Name: "base", Version: "1.x"}
	pin, err := client.Resolve(t.Context(), ref)
	if err != nil || pin.Resolved != "1.1.0" {
		t.Fatalf("got %v, %v", pin, err)
	}
	files, err := client.Fetch(t.Context(), pin)
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(files, "profile.yaml"); err != nil {
		t.Error(err)
	}
	sameFiles(t, files, fstest.MapFS{"profile.yaml": {Data: fmt.Appendf(nil, profileYAML, "1.1.0")}})

	ref.Version = pin.Digest.String()
	if byDigest, err := client.Resolve(t.Context(), ref); err != nil || byDigest.Resolved != "1.1.0" || byDigest.Digest != pin.Digest {
		t.Errorf("got %v, %v", byDigest, err)
	}
	pin.Resolved = "1.0.0"
	if _, err := client.Fetch(t.Context(), pin); err == nil || !strings.Contains(err.Error(), "1.1.0") {
		t.Errorf("the pin of another version: got %v", err)
	}
	for name, text := range map[string]string{
		"not YAML": "metadata: [", "no name": "metadata: {version: 1.0.0}", "path": "metadata: {name: ../x, version: 1.0.0}",
		"no version": "metadata: {name: x}", "train": "metadata: {name: x, version: 1.x}", "empty": "",
	} {
		if _, err := client.PushProfile(t.Context(), "test", []byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
