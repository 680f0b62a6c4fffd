package registry_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

func TestPushPackAndFetch(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	files := packFiles("my-pack", "24.04")
	pushed, err := s.Client().PushPack(t.Context(), s.URL+"/base/", files)
	if err != nil {
		t.Fatal(err)
	}
	if want := s.URL + "/base/spectro-packs/archive/my-pack"; pushed.Repository != want {
		t.Errorf("pushed to %s, want %s", pushed.Repository, want)
	}
	client := s.Client()
	client.Registries[0].URL += "/base"
	pin, err := client.Resolve(t.Context(), packRef("my-pack", "24.x"))
	if err != nil {
		t.Fatal(err)
	}
	want := layer.Pin{
		Ref: packRef("my-pack", "24.x"), Repository: pushed.Repository, Resolved: "24.04", Digest: pushed.Digest,
	}
	if pin != want {
		t.Errorf("got  %v\nwant %v", pin, want)
	}
	got, err := client.Fetch(t.Context(), pin)
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, got, files)
}

// The form of a pack is part of the contract: oras pull must give an archive
// of the pack directory.
func TestPackLayout(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0+up1")
	if pin.Resolved != "1.0.0_up1" {
		t.Errorf("tag %s", pin.Resolved)
	}
	data := rawGet(t, s, "spectro-packs/archive/p/manifests/1.0.0_up1")
	if digest.FromBytes(data) != pin.Digest {
		t.Error("the pin has another digest")
	}
	content := tarGz(t, packFiles("p", "1.0.0+up1"), "p-1.0.0+up1")
	want := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
		`"artifactType":"application/vnd.strata.pack.v1",` +
		`"config":{"mediaType":"application/vnd.oci.empty.v1+json",` +
		`"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},` +
		`"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"` + digest.FromBytes(content).String() +
		`","size":` + string(mustJSON(t, len(content))) +
		`,"annotations":{"org.opencontainers.image.title":"p-1.0.0+up1.tar.gz"}}]}`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPushIsDeterministic(t *testing.T) {
	t.Parallel()
	files := packFiles("p", "1.0.0")
	first := pushPacks(t, registrytest.New(t), "p", "1.0.0")

	disk := filepath.Join(t.TempDir(), "some-folder", "p")
	for _, name := range []string{"values.yaml", "pack.json", "manifests/m.yaml"} {
		path := filepath.Join(disk, name)
		for _, err := range []error{
			os.MkdirAll(filepath.Dir(path), 0o700),
			os.WriteFile(path, files[name].Data, 0o700),
			os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	s := registrytest.New(t)
	for _, dir := range []string{disk, filepath.Dir(disk)} { // the pack itself, and as the only folder
		second, err := s.Client().PushPack(t.Context(), "test", os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		if second.Digest != first.Digest {
			t.Errorf("equal files, but %s and %s", first.Digest, second.Digest)
		}
	}
	other := pushPacks(t, s, "p", "1.0.1")
	if other.Digest == first.Digest {
		t.Error("different files, but equal digests")
	}
}

func TestPushRefuses(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	broken := packFiles("p", "1.0.0")
	broken["pack.json"] = &fstest.MapFile{Data: []byte(`{"name": "p", "version": "1.0.0", "displayName": "P", "layer": "disk"}`)}
	chart := func(text string) fstest.MapFS { return fstest.MapFS{"Chart.yaml": {Data: []byte(text)}} }

	_, err := s.Client().PushPack(t.Context(), "test", broken)
	var defect *pack.Error
	if !errors.As(err, &defect) || !strings.Contains(err.Error(), "push pack test/") {
		t.Errorf("got %v; want a *pack.Error", err)
	}
	for name, text := range map[string]string{
		"no name":     "version: 1.0.0",
		"no version":  "name: c",
		"bad version": "name: c\nversion: one",
		"bad name":    "name: ../c\nversion: 1.0.0",
		"upper case":  "name: C\nversion: 1.0.0",
		"wrong type":  "name: [c]\nversion: 1.0.0",
		"not YAML":    "name: [",
		"large":       "name: c\nversion: 1.0.0\ndescription: " + strings.Repeat("x", 1<<20),
	} {
		var e *registry.Error
		if _, err := s.Client().PushChart(t.Context(), "test", chart(text)); !errors.As(err, &e) || e.Retryable() {
			t.Errorf("%s: got %v", name, err)
		}
	}
	small := s.Client()
	small.MaxBytes = 100
	if _, err := small.PushPack(t.Context(), "test", packFiles("p", "1.0.0")); err == nil {
		t.Error("larger than MaxBytes, but pushed")
	}
	offline := s.Client()
	offline.Offline = true
	if _, err := offline.PushPack(t.Context(), "test", packFiles("p", "1.0.0")); !errors.Is(err, registry.ErrOffline) {
		t.Errorf("got %v; want ErrOffline", err)
	}
	if n := s.Requests(); n != 0 {
		t.Errorf("%d requests for what was refused", n)
	}
}

// A chart is stored as helm push does it.
func TestPushChart(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	files := fstest.MapFS{
		"Chart.yaml":          {Data: []byte("apiVersion: v2\nname: web\nversion: 1.2.3+up.1\ndescription: A web.\nkeywords: [a]\n")},
		"templates/cm.yaml":   {Data: []byte("kind: ConfigMap\n")},
		"charts/sub/x":        {Data: []byte("x")},
		"values.yaml":         {Data: []byte("a: 1\n")},
		"values.schema.json":  {Data: []byte("{}")},
		"templates/_helpers_": {},
	}
	pushed, err := s.Client().PushChart(t.Context(), s.URL+"/charts", files)
	if err != nil {
		t.Fatal(err)
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(rawGet(t, s, "charts/web/manifests/1.2.3_up.1"), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.MediaType != ocispec.MediaTypeImageManifest || manifest.ArtifactType != "" || len(manifest.Layers) != 1 ||
		manifest.Config.MediaType != "application/vnd.cncf.helm.config.v1+json" ||
		manifest.Layers[0].MediaType != "application/vnd.cncf.helm.chart.content.v1.tar+gzip" {
		t.Errorf("manifest %+v", manifest)
	}
	if manifest.Annotations[ocispec.AnnotationVersion] != "1.2.3+up.1" {
		t.Errorf("annotations %v", manifest.Annotations)
	}
	const config = `{"apiVersion":"v2","description":"A web.","keywords":["a"],"name":"web","version":"1.2.3+up.1"}`
	if got := rawGet(t, s, "charts/web/blobs/"+manifest.Config.Digest.String()); string(got) != config {
		t.Errorf("config %s, want %s", got, config)
	}
	if got := rawGet(t, s, "charts/web/blobs/"+manifest.Layers[0].Digest.String()); string(got) != string(tarGz(t, files, "web")) {
		t.Error("the content is not an archive of the folder web")
	}

	ref := layer.Ref{Format: layer.FormatHelm, Registry: s.URL + "/charts", Name: "web", Version: "1.2.3+up.1"}
	client := s.Client()
	if versions, err := client.Versions(t.Context(), ref); err != nil || len(versions) != 1 || versions[0] != "1.2.3+up.1" {
		t.Errorf("versions %v, %v", versions, err)
	}
	pin, err := client.Resolve(t.Context(), ref)
	if err != nil || pin.Digest != pushed.Digest {
		t.Fatalf("got %v, %v; want %s", pin, err, pushed.Digest)
	}
	got, err := client.Fetch(t.Context(), pin)
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, got, files)
}
