package registry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

// write puts files below a folder.
func write(t *testing.T, dir string, files fstest.MapFS) {
	t.Helper()
	for name, file := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func folderClient(t *testing.T, url string) *registry.Client {
	t.Helper()
	return &registry.Client{
		Registries: []registry.Registry{{Name: "local", URL: url}},
		CacheDir:   t.TempDir(),
		Offline:    true, // no network for what is on disk
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "p-1"), packFiles("p", "1.0.0"))
	write(t, filepath.Join(dir, "whatever"), packFiles("p", "1.10.0+up1"))
	write(t, filepath.Join(dir, "q"), packFiles("q", "2.0.0"))
	write(t, filepath.Join(dir, "chart"), chartFiles("1.0.0"))
	write(t, dir, fstest.MapFS{
		"broken/pack.json":   {Data: []byte("{")},
		"broken2/Chart.yaml": {Data: []byte("name: web\n")},
		"web-1.1.0.tgz":      {Data: tarGz(t, chartFiles("1.1.0"), "web")},
		"web-9.9.9.tgz":      {Data: []byte("nonsense")},
		"README.md":          {Data: []byte("hello")},
		"base/profile.yaml":  {Data: []byte(strings.Replace(profileYAML, "%s", "1.0.0", 1))},
	})
	var log bytes.Buffer
	for _, url := range []string{dir, "file://" + filepath.ToSlash(dir)} {
		client := folderClient(t, url)
		client.Logger = slog.New(slog.NewTextHandler(&log, nil))
		chart := layer.Ref{Format: layer.FormatHelm, Name: "web"}
		profile := layer.Ref{Format: layer.FormatProfile, Name: "base"}
		tests := []struct {
			ref     layer.Ref
			want    string
			content fstest.MapFS
			digest  digest.Digest
		}{
			{packRef("p", ""), "1.10.0_up1", packFiles("p", "1.10.0+up1"), digest.FromBytes(tarGz(t, packFiles("p", "1.10.0+up1"), "p-1.10.0+up1"))},
			{packRef("p", "~1.0"), "1.0.0", packFiles("p", "1.0.0"), digest.FromBytes(tarGz(t, packFiles("p", "1.0.0"), "p-1.0.0"))},
			{packRef("q", ""), "2.0.0", packFiles("q", "2.0.0"), ""},
			{chart, "1.1.0", chartFiles("1.1.0"), digest.FromBytes(tarGz(t, chartFiles("1.1.0"), "web"))},
			{layer.Ref{Format: layer.FormatHelm, Registry: url, Name: "web", Version: "1.0.0"}, "1.0.0", chartFiles("1.0.0"), ""},
			{profile, "1.0.0", fstest.MapFS{"profile.yaml": {Data: []byte(strings.Replace(profileYAML, "%s", "1.0.0", 1))}}, ""},
		}
		for _, test := range tests {
			pin, err := client.Resolve(t.Context(), test.ref)
			if err != nil || pin.Resolved != test.want || pin.Repository != url || test.digest != "" && pin.Digest != test.digest {
				t.Errorf("%s: got %v, %v; want %s", test.ref, pin, err, test.want)
				continue
			}
			files, err := client.Fetch(t.Context(), pin)
			if err != nil {
				t.Errorf("%s: %v", test.ref, err)
				continue
			}
			sameFiles(t, files, test.content)
			ref := test.ref
			ref.Version = pin.Digest.String()
			if again, err := client.Resolve(t.Context(), ref); err != nil || again.Digest != pin.Digest || again.Resolved != pin.Resolved {
				t.Errorf("%s by digest: got %v, %v", test.ref, again, err)
			}
		}
		if _, err := client.Resolve(t.Context(), packRef("broken", "")); !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("got %v; want ErrNotFound", err)
		}
		if _, err := client.Resolve(t.Context(), packRef("p", "2.x")); !errors.Is(err, layer.ErrNoVersion) {
			t.Errorf("got %v; want ErrNoVersion", err)
		}
	}
	for _, broken := range []string{"broken", "broken2", "web-9.9.9.tgz"} {
		if !strings.Contains(log.String(), "path="+broken+" ") {
			t.Errorf("no warning about %s:\n%s", broken, &log)
		}
	}
}

// What is pinned stays what it is: a folder that was changed since does not
// stand in for it, but the cache does.
func TestFolderChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "p"), packFiles("p", "1.0.0"))
	client := folderClient(t, dir)
	pin, err := client.Resolve(t.Context(), packRef("p", ""))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "p"), fstest.MapFS{"new": {Data: []byte("new")}})
	if _, err := client.Fetch(t.Context(), pin); !errors.Is(err, layer.ErrDigest) {
		t.Errorf("got %v; want ErrDigest", err)
	}
	if err := os.Remove(filepath.Join(dir, "p", "new")); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(dir, "p"), fstest.MapFS{"new": {Data: []byte("new")}})
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Errorf("from the cache: %v", err)
	}
	write(t, filepath.Join(dir, "p2"), packFiles("p", "1.0.0"))
	if _, err := client.Resolve(t.Context(), packRef("p", "")); err == nil || !strings.Contains(err.Error(), "p and p2 are both p 1.0.0") {
		t.Errorf("twice: got %v", err)
	}
}

func TestFolderKeepsInside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "secret"), packFiles("p", "1.0.0"))
	write(t, filepath.Join(dir, "packs", "q"), packFiles("q", "1.0.0"))
	for link, target := range map[string]string{"packs/p": "../secret", "packs/q/values.yaml": "../../secret/values.yaml"} {
		_ = os.Remove(filepath.Join(dir, link))
		if err := os.Symlink(filepath.FromSlash(target), filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	client := folderClient(t, filepath.Join(dir, "packs"))
	if pin, err := client.Resolve(t.Context(), packRef("p", "")); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("a folder that is a link: got %v, %v", pin, err)
	}
	if pin, err := client.Resolve(t.Context(), packRef("q", "")); err == nil {
		t.Errorf("a file that is a link: got %v", pin)
	}
	// Others than those that are listed are not read.
	ref := packRef("p", "")
	for _, url := range []string{dir, "file://" + filepath.ToSlash(dir), filepath.Join(dir, "packs") + "/../"} {
		ref.Registry = url
		if pin, err := client.Resolve(t.Context(), ref); err == nil || errors.Is(err, layer.ErrNotFound) {
			t.Errorf("%s: got %v, %v", url, pin, err)
		}
		pin := layer.Pin{Ref: ref, Repository: url, Resolved: "1.0.0", Digest: digest.FromString("x")}
		if _, err := client.Fetch(t.Context(), pin); err == nil || errors.Is(err, layer.ErrDigest) {
			t.Errorf("%s: got %v", url, err)
		}
	}
	missing := folderClient(t, filepath.Join(dir, "missing"))
	if _, err := missing.Resolve(t.Context(), packRef("p", "")); !errors.Is(err, layer.ErrUnavailable) {
		t.Errorf("missing folder: got %v; want ErrUnavailable", err)
	}
}

// copyTo copies an artifact into an OCI layout, as oras does it.
func copyTo(t *testing.T, dir string, s *registrytest.Server, path, tag, as string) {
	t.Helper()
	repo, err := remote.NewRepository(s.Host + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	store, err := oci.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oras.Copy(t.Context(), repo, tag, store, as, oras.DefaultCopyOptions); err != nil {
		t.Fatal(err)
	}
}

func TestLayout(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pushPacks(t, s, "p", "1.0.0", "1.1.0")
	pushPacks(t, s, "web", "7.0.0")
	if _, err := s.Client().PushChart(t.Context(), "test", chartFiles("1.0.0")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Client().PushProfile(t.Context(), "test", []byte(strings.Replace(profileYAML, "%s", "1.0.0", 1))); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const packs = "spectro-packs/archive/"
	copyTo(t, dir, s, packs+"p", "1.0.0", s.Host+"/"+packs+"p:1.0.0")
	copyTo(t, dir, s, packs+"p", "1.1.0", packs+"p:1.1.0") // without a host
	copyTo(t, dir, s, packs+"web", "7.0.0", "ghcr.io/acme/"+packs+"web:7.0.0")
	copyTo(t, dir, s, "web", "1.0.0", "1.0.0") // the chart, by its tag alone
	copyTo(t, dir, s, "strata-profiles/base", "1.0.0", "strata-profiles/base:1.0.0")

	client := folderClient(t, dir)
	for _, test := range []struct {
		ref  layer.Ref
		want string
	}{
		{packRef("p", ""), "1.1.0"},
		{packRef("p", "1.0.0"), "1.0.0"},
		{packRef("web", ""), "7.0.0"},
		{layer.Ref{Format: layer.FormatHelm, Name: "web"}, "1.0.0"},
		{layer.Ref{Format: layer.FormatProfile, Name: "base"}, "1.0.0"},
	} {
		pin, err := client.Resolve(t.Context(), test.ref)
		if err != nil || pin.Resolved != test.want || pin.Repository != dir {
			t.Errorf("%s: got %v, %v", test.ref, pin, err)
			continue
		}
		if there, err := s.Client().Resolve(t.Context(), test.ref); err != nil || there.Digest != pin.Digest {
			t.Errorf("%s: %s in the registry, %s in the layout", test.ref, there.Digest, pin.Digest)
		}
		if _, err := client.Fetch(t.Context(), pin); err != nil {
			t.Errorf("%s: %v", test.ref, err)
		}
		ref := test.ref
		ref.Version = pin.Digest.String()
		if again, err := client.Resolve(t.Context(), ref); err != nil || again.Digest != pin.Digest {
			t.Errorf("%s: got %v, %v", ref, again, err)
		}
	}
	if _, err := client.Resolve(t.Context(), packRef("other", "")); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("got %v; want ErrNotFound", err)
	}
	// Damage.
	pin, err := client.Resolve(t.Context(), packRef("p", "1.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range blobs(t, dir) {
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := folderClient(t, dir).Fetch(t.Context(), pin); !errors.Is(err, layer.ErrDigest) {
		t.Errorf("got %v; want ErrDigest", err)
	}
	if _, err := folderClient(t, dir).Resolve(t.Context(), packRef("p", "1.0.0")); !errors.Is(err, layer.ErrDigest) {
		t.Errorf("got %v; want ErrDigest", err)
	}
}

func blobs(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A Zarf package is an index with a manifest for each architecture, whose
// layers are files by their titles.
func TestZarf(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	manifests := func(title string) map[string]digest.Digest {
		found := map[string]digest.Digest{}
		index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
		index.SchemaVersion = 2
		for _, arch := range []string{"arm64", "amd64", "skeleton"} {
			pin := pushRawAt(t, s, "zarf/pkg", "", func(m *ocispec.Manifest) {
				for i, title := range []string{"zarf.yaml", title, "components/web.tar"} {
					m.Layers[i].Annotations = map[string]string{ocispec.AnnotationTitle: title}
				}
			}, []byte("kind: ZarfPackageConfig # "+arch), []byte("sums"), []byte("web of "+arch))
			found[arch] = pin
			index.Manifests = append(index.Manifests, ocispec.Descriptor{
				MediaType: ocispec.MediaTypeImageManifest, Digest: pin, Size: int64(len(rawGet(t, s, "zarf/pkg/manifests/"+pin.String()))),
				Platform: &ocispec.Platform{OS: "multi", Architecture: arch},
			})
		}
		data, err := json.Marshal(index)
		if err != nil {
			t.Fatal(err)
		}
		putManifest(t, s, "zarf/pkg", "1.2.3", index.MediaType, data)
		return found
	}
	want := manifests("checksums.txt")
	ref := layer.Ref{Format: layer.FormatZarf, Registry: s.URL + "/zarf", Name: "pkg", Version: "1.x"}
	for _, arch := range []string{"", "arm64"} {
		client := s.Client()
		client.Architecture = arch
		pin, err := client.Resolve(t.Context(), ref)
		if arch == "" {
			arch = "amd64"
		}
		if err != nil || pin.Resolved != "1.2.3" || pin.Digest != want[arch] {
			t.Fatalf("got %v, %v; want %s", pin, err, want[arch])
		}
		files, err := client.Fetch(t.Context(), pin)
		if err != nil {
			t.Fatal(err)
		}
		if err := fstest.TestFS(files, "zarf.yaml", "checksums.txt", "components/web.tar"); err != nil {
			t.Error(err)
		}
		if data, err := fs.ReadFile(files, "components/web.tar"); err != nil || string(data) != "web of "+arch {
			t.Errorf("got %q, %v", data, err)
		}
		before := s.Requests()
		if _, err := client.Fetch(t.Context(), pin); err != nil || s.Requests() != before {
			t.Errorf("a second time: %v, %d requests", err, s.Requests()-before)
		}
		small := s.Client()
		small.MaxBytes = 20
		if _, err := small.Fetch(t.Context(), pin); err == nil || !strings.Contains(err.Error(), "MaxBytes") {
			t.Errorf("got %v", err)
		}
	}
	other := s.Client()
	other.Architecture = "riscv64"
	if _, err := other.Resolve(t.Context(), ref); !errors.Is(err, layer.ErrNotFound) || !strings.Contains(err.Error(), "riscv64") {
		t.Errorf("got %v", err)
	}
	for _, title := range []string{"../evil", "/etc/passwd", "", ".", "zarf.yaml", "zarf.yaml/x", "components", `a\b`, "a//b"} {
		evil := manifests(title)
		pin := layer.Pin{Ref: ref, Repository: s.URL + "/zarf/pkg", Resolved: "1.2.3", Digest: evil["amd64"]}
		if files, err := s.Client().Fetch(t.Context(), pin); err == nil || !strings.Contains(err.Error(), "title") {
			t.Errorf("title %q: got %v, %v", title, files, err)
		}
	}
}
