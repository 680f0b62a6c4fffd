package registry_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

// A world is a registry with a bit of everything, and the pins of it.
type world struct {
	*registrytest.Server
	client *registry.Client
	pins   []layer.Pin
	image  string // with an index of two platforms
}

func chart(name, version string) fstest.MapFS {
	return fstest.MapFS{
		"Chart.yaml":        {Data: []byte("apiVersion: v2\nname: " + name + "\nversion: " + version + "\n")},
		"templates/cm.yaml": {Data: []byte("kind: ConfigMap\n")},
	}
}

func newWorld(t *testing.T) world {
	t.Helper()
	classic := fstest.MapFS{}
	for name, file := range chart("classic", "3.2.1+up.1") {
		classic["classic/"+name] = file
	}
	s := registrytest.NewWith(t, registrytest.Options{Charts: classic})
	w := world{Server: s, client: s.Client(), image: s.Host + "/library/app:1.0"}
	w.pins = append(w.pins, pushPacks(t, s, "p", "1.0.0"), pushPacks(t, s, "p", "1.1.0"))
	pushed, err := w.client.PushChart(t.Context(), s.URL+"/charts", chart("web", "1.2.3+up.1"))
	if err != nil {
		t.Fatal(err)
	}
	helm, err := w.client.Resolve(t.Context(), layer.Ref{Format: layer.FormatHelm, Registry: s.HelmURL, Name: "classic"})
	if err != nil {
		t.Fatal(err)
	}
	w.pins = append(w.pins, pushed, helm)
	w.pushImage(t)
	return w
}

func (w world) pushImage(t *testing.T) {
	t.Helper()
	repo, err := remote.NewRepository(w.Host + "/library/app")
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	push := func(mediaType string, data []byte) ocispec.Descriptor {
		d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
		if err := repo.Push(t.Context(), d, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		return d
	}
	marshal := func(value any) []byte {
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
	index.SchemaVersion = 2
	for _, platform := range []string{"amd64", "arm64"} {
		m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest}
		m.SchemaVersion = 2
		m.Config = push(ocispec.MediaTypeImageConfig, []byte(`{"architecture": "`+platform+`"}`))
		m.Layers = []ocispec.Descriptor{push(ocispec.MediaTypeImageLayer, []byte("layer of "+platform))}
		index.Manifests = append(index.Manifests, push(m.MediaType, marshal(m)))
	}
	d := push(index.MediaType, marshal(index))
	if err := repo.Tag(t.Context(), d, "1.0"); err != nil {
		t.Fatal(err)
	}
}

// From one registry to a file, from there to another registry, and what was
// pinned is fetched there by its old names, while the first one is gone.
func TestAirGap(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"layout", "layout.tar"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			dst := filepath.Join(t.TempDir(), name)
			own := layer.Pin{Ref: layer.Ref{Format: layer.FormatManifests, Name: "own"}, Digest: digest.FromString("own")}
			if err := w.client.Export(t.Context(), append(w.pins, own, layer.Pin{}), dst, registry.ExportOptions{Images: []string{w.image}}); err != nil {
				t.Fatal(err)
			}
			want := make([]fs.FS, len(w.pins))
			for i, pin := range w.pins {
				var err error
				if want[i], err = w.client.Fetch(t.Context(), pin); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			inside := registrytest.NewWith(t, registrytest.Options{User: "me", Password: "hunter2", Token: true, TLS: true})
			var mirrors []registry.Mirror
			for range 2 { // the second time changes nothing
				var err error
				if mirrors, err = inside.Client().Import(t.Context(), dst, inside.URL+"/mirror"); err != nil {
					t.Fatal(err)
				}
			}
			if slices.ContainsFunc(mirrors, func(m registry.Mirror) bool { return !m.Only }) || len(mirrors) != 2 {
				t.Errorf("the originals may be asked: %v", mirrors)
			}
			client := inside.Client()
			client.Mirrors = mirrors
			for i, pin := range w.pins {
				got, err := client.Fetch(t.Context(), pin)
				if err != nil {
					t.Errorf("%s: %v", pin, err)
					continue
				}
				if err := equal(got, want[i]); err != nil {
					t.Errorf("%s: %v", pin, err)
				}
			}
			// The pack's versions are found as before, too.
			ref := packRef("p", "1.x")
			ref.Registry = w.URL
			if pin, err := client.Resolve(t.Context(), ref); err != nil || pin.Digest != w.pins[1].Digest {
				t.Errorf("got %v, %v; want %v", pin, err, w.pins[1])
			}
			// And so is the image, with both its platforms.
			host := strings.ReplaceAll(w.Host, ":", "_")
			again := filepath.Join(t.TempDir(), "again")
			err := client.Export(t.Context(), nil, again, registry.ExportOptions{Images: []string{inside.Host + "/mirror/" + host + "/library/app:1.0"}})
			if err != nil {
				t.Fatal(err)
			}
			if n := len(files(t, filepath.Join(again, "blobs"))); n != 7 {
				t.Errorf("the image has %d blobs, want 7", n)
			}
		})
	}
}

func TestExportIsReproducible(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var sums [][32]byte
	for range 2 {
		dst := filepath.Join(t.TempDir(), "out.tar")
		if err := w.client.Export(t.Context(), w.pins, dst, registry.ExportOptions{Images: []string{w.image}}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(dst)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sha256.Sum256(data))
		slices.Reverse(w.pins)
		w.pins = append(w.pins, w.pins[0])
		w.client.CacheDir = t.TempDir()
	}
	if sums[0] != sums[1] {
		t.Error("the same content gives different bytes")
	}
}

// The layout is what other tools make of one: its index and blobs are those of
// the specification.
func TestExportIsALayout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dst := filepath.Join(t.TempDir(), "layout")
	if err := w.client.Export(t.Context(), w.pins, dst, registry.ExportOptions{}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dst, "oci-layout"))
	if err != nil || string(data) != `{"imageLayoutVersion":"1.0.0"}` {
		t.Errorf("oci-layout: %s, %v", data, err)
	}
	var index ocispec.Index
	if data, err = os.ReadFile(filepath.Join(dst, "index.json")); err == nil {
		err = json.Unmarshal(data, &index)
	}
	if err != nil || index.SchemaVersion != 2 || len(index.Manifests) != len(w.pins) {
		t.Fatalf("index.json: %s, %v", data, err)
	}
	if name := index.Manifests[0].Annotations[ocispec.AnnotationRefName]; name != w.Host+"/charts/classic:3.2.1_up.1" {
		t.Errorf("the first entry is %q", name)
	}
	for _, file := range files(t, filepath.Join(dst, "blobs")) {
		data, err := os.ReadFile(file)
		if err != nil || digest.FromBytes(data).Encoded() != filepath.Base(file) {
			t.Errorf("%s has the digest %s, %v", file, digest.FromBytes(data), err)
		}
	}
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone, changed := w.pins[0], w.pins[1]
	gone.Digest = digest.FromString("gone")
	w.Inject(registrytest.Fault{
		Match:  func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, changed.Digest.String()) },
		Times:  -1,
		Change: func(body []byte) []byte { return append(body, ' ') },
	})
	dir := t.TempDir()
	dst := filepath.Join(dir, "out.tar")
	err := w.client.Export(t.Context(), []layer.Pin{gone, changed, w.pins[2]}, dst, registry.ExportOptions{Images: []string{"user:hunter2@host/x", w.Host + "/none:1"}})
	var e *registry.Error
	if !errors.Is(err, layer.ErrNotFound) || !errors.Is(err, layer.ErrDigest) || !errors.As(err, &e) ||
		!strings.Contains(err.Error(), "image host/x") || !strings.Contains(err.Error(), "/none:1") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v; want all four problems", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "there"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Export(t.Context(), nil, filepath.Join(dir, "there"), registry.ExportOptions{}); !errors.Is(err, fs.ErrExist) || !errors.As(err, &e) {
		t.Errorf("got %v; want fs.ErrExist", err)
	}
	if left := files(t, dir); len(left) != 1 {
		t.Errorf("left behind: %q", left)
	}
}

// packed returns a tar of the layout in dir, changed.
func packed(t *testing.T, dir string, change func(layout fstest.MapFS)) string {
	t.Helper()
	layout := fstest.MapFS{}
	for _, file := range files(t, dir) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			t.Fatal(err)
		}
		layout[filepath.ToSlash(name)] = &fstest.MapFile{Data: data}
	}
	change(layout)
	var buf bytes.Buffer
	if err := archive.WriteTar(&buf, layout, archive.Limits{}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "in.tar")
	if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dst := filepath.Join(t.TempDir(), "layout")
	if err := w.client.Export(t.Context(), w.pins[:1], dst, registry.ExportOptions{}); err != nil {
		t.Fatal(err)
	}
	inside := registrytest.New(t)
	blob := "blobs/sha256/" + w.pins[0].Digest.Encoded()
	tests := map[string]struct {
		change func(fstest.MapFS)
		want   error  // nil for none of the known
		reason string // in the error
	}{
		"damaged":     {func(l fstest.MapFS) { l[blob].Data[3] ^= 1 }, layer.ErrDigest, ""},
		"missing":     {func(l fstest.MapFS) { delete(l, blob) }, fs.ErrNotExist, ""},
		"no index":    {func(l fstest.MapFS) { delete(l, "index.json") }, fs.ErrNotExist, ""},
		"other files": {func(l fstest.MapFS) { l["bin/sh"] = &fstest.MapFile{} }, nil, "not a file of an OCI image layout"},
		"bad index":   {func(l fstest.MapFS) { l["index.json"].Data = []byte("{") }, nil, "index.json"},
		"foreign index": {func(l fstest.MapFS) {
			l["index.json"].Data = []byte(`{"manifests": [{"digest": "` + w.pins[0].Digest.String() + `"}]}`)
		}, nil, "only what Export wrote"},
		"traversal": {func(l fstest.MapFS) {
			l["index.json"].Data = bytes.ReplaceAll(l["index.json"].Data, []byte(w.pins[0].Digest), []byte("sha256:../../../../etc/passwd"))
		}, nil, "digest"},
		"repository elsewhere": {func(l fstest.MapFS) {
			l["index.json"].Data = bytes.ReplaceAll(l["index.json"].Data, []byte(w.pins[0].Repository), []byte("oci://host/../../up"))
		}, nil, "invalid"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := packed(t, dst, test.change)
			_, err := inside.Client().Import(t.Context(), src, "test")
			var e *registry.Error
			if !errors.As(err, &e) || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("got %v; want %v with %q", err, test.want, test.reason)
			}
		})
	}
	t.Run("moved tag", func(t *testing.T) {
		t.Parallel()
		s := registrytest.New(t)
		src := packed(t, dst, func(fstest.MapFS) {})
		mirrors, err := s.Client().Import(t.Context(), src, "test")
		if err != nil || len(mirrors) != 1 {
			t.Fatal(mirrors, err)
		}
		client := s.Client()
		client.Replace = true
		base := mirrors[0].To
		if _, err := client.PushPack(t.Context(), base, bulky("p", 10)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Client().Import(t.Context(), src, "test"); !errors.Is(err, registry.ErrExists) {
			t.Errorf("got %v; want ErrExists", err)
		}
		if _, err := client.Import(t.Context(), src, "test"); err != nil {
			t.Errorf("with Replace: %v", err)
		}
	})
}

// The images that packs list are exported as if they were named.
func TestExportOfListedImages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pin, err := w.client.PushPack(t.Context(), w.URL, fstest.MapFS{
		"pack.json":   {Data: []byte(`{"name": "lists", "version": "1.0.0", "displayName": "L", "layer": "addon"}`)},
		"values.yaml": {Data: []byte("pack:\n  content:\n    images:\n    - image: " + w.image + "\nvm: {{ .spectro.var.x }}\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	written := map[string][]byte{}
	for name, options := range map[string]registry.ExportOptions{
		"named.tar":  {Images: []string{w.image}},
		"listed.tar": {ListedImages: true},
		"both.tar":   {ListedImages: true, Images: []string{w.image}},
		"none.tar":   {},
	} {
		dst := filepath.Join(t.TempDir(), name)
		if err := w.client.Export(t.Context(), []layer.Pin{pin, w.pins[0]}, dst, options); err != nil {
			t.Fatal(err)
		}
		if written[name], err = os.ReadFile(dst); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(written["named.tar"], written["listed.tar"]) || !bytes.Equal(written["named.tar"], written["both.tar"]) {
		t.Error("a listed image is not exported as a named one is")
	}
	if bytes.Equal(written["named.tar"], written["none.tar"]) {
		t.Error("an image is exported that nobody asked for")
	}
	broken, err := w.client.PushPack(t.Context(), w.URL, fstest.MapFS{
		"pack.json":   {Data: []byte(`{"name": "broken", "version": "1.0.0", "displayName": "B", "layer": "addon"}`)},
		"values.yaml": {Data: []byte("pack: {content: {images: text}}\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	dst := filepath.Join(t.TempDir(), "broken")
	err = w.client.Export(t.Context(), []layer.Pin{broken}, dst, registry.ExportOptions{ListedImages: true})
	if e := new(pack.Error); !errors.As(err, &e) || e.Field != "pack.content.images" {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(dst); err == nil {
		t.Error("something was written")
	}
}
