package registrytests

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
	"github.com/strata-go/strata/registry"
)

func packFiles(version string) fstest.MapFS {
	return fstest.MapFS{
		"pack.json": {Data: fmt.Appendf(nil,
			`{"name": "p", "version": %q, "displayName": "P", "layer": "addon", "group": "LTS", "kubeManifests": ["m.yaml"]}`, version)},
		"values.yaml": {Data: []byte("pack: {namespace: n}\n")},
		"m.yaml":      {Data: []byte("kind: ConfigMap\n")},
	}
}

func chartFiles(version string) fstest.MapFS {
	return fstest.MapFS{
		"Chart.yaml":        {Data: []byte("apiVersion: v2\nname: web\nversion: " + version + "\ndescription: A web.\n")},
		"values.yaml":       {Data: []byte("a: 1\n")},
		"templates/cm.yaml": {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")},
	}
}

const profile = "kind: Profile\nmetadata: {name: base, version: 1.0.0}\n"

func same(t *testing.T, got fs.FS, want fstest.MapFS) {
	t.Helper()
	for name, file := range want {
		if data, err := fs.ReadFile(got, name); err != nil || string(data) != string(file.Data) {
			t.Errorf("%s: got %q, %v", name, data, err)
		}
	}
}

// Everything that a client does works with every registry.
func TestServers(t *testing.T) {
	for name, s := range servers(t) {
		t.Run(name, func(t *testing.T) {
			client := s.client(t)
			for _, v := range []string{"1.26.9", "1.27.3", "1.27.10", "1.28.0-rc.1", "1.28.0+k3s1", "24.04"} {
				if _, err := client.PushPack(t.Context(), "it", packFiles(v)); err != nil {
					t.Fatal(err)
				}
			}
			ref := layer.Ref{Format: layer.FormatPack, Name: "p"}
			for constraint, want := range map[string]string{
				"1.27.x": "1.27.10", "~1.26": "1.26.9", "1.x": "1.28.0_k3s1", "": "24.04", "LTS__1.27.x": "LTS__1.27.10",
			} {
				ref.Version = constraint
				pin, err := client.Resolve(t.Context(), ref)
				if err != nil || pin.Resolved != want {
					t.Errorf("%q: got %v, %v; want %s", constraint, pin, err, want)
					continue
				}
				if _, err := client.Fetch(t.Context(), pin); err != nil {
					t.Errorf("%q: %v", constraint, err)
				}
			}
			trains(t, s)
			changed := packFiles("1.26.9")
			changed["m.yaml"].Data = []byte("kind: Secret\n")
			if _, err := client.PushPack(t.Context(), "it", changed); !errors.Is(err, registry.ErrExists) {
				t.Errorf("got %v; want ErrExists", err)
			}
			if _, err := client.PushChart(t.Context(), s.url()+"/charts", chartFiles("1.0.0")); err != nil {
				t.Error(err)
			}
			pin, err := client.PushProfile(t.Context(), "it", []byte(profile))
			if err != nil {
				t.Fatal(err)
			}
			files, err := client.Fetch(t.Context(), pin)
			if err != nil {
				t.Fatal(err)
			}
			same(t, files, fstest.MapFS{"profile.yaml": {Data: []byte(profile)}})
			ref.Name = "nobody"
			if _, err := client.Resolve(t.Context(), ref); !errors.Is(err, layer.ErrNotFound) {
				t.Errorf("got %v; want ErrNotFound", err)
			}
			refused(t, s)
		})
	}
}

// trains checks that the tag of a train is the newest version of it.
func trains(t *testing.T, s server) {
	t.Helper()
	ref := layer.Ref{Format: layer.FormatPack, Name: "p"}
	versions := map[string]string{"1.27.x": "1.27.10", "1.x": "1.28.0_k3s1", "LTS__1.27.x": "1.27.10", "24.4.x": "24.04"}
	for train, version := range versions {
		ref.Version = version
		want, err := s.client(t).Resolve(t.Context(), ref)
		if err != nil {
			t.Error(err)
			continue
		}
		out, err := run(t, tools(t), s, "oras", "resolve", s.host+"/spectro-packs/archive/p:"+train)
		if err != nil || string(out) != want.Digest.String()+"\n" {
			t.Errorf("%s: got %s, %v; want %s", train, out, err, want.Digest)
		}
	}
}

// refused checks that nobody gets in with a wrong password.
func refused(t *testing.T, s server) {
	t.Helper()
	if !s.auth {
		return
	}
	for _, secret := range []string{"", "wrong"} {
		client := s.client(t)
		client.Credential = func(context.Context, string) (string, string, error) {
			if secret == "" {
				return "", "", nil
			}
			return user, secret, nil
		}
		_, errResolve := client.Resolve(t.Context(), layer.Ref{Format: layer.FormatPack, Name: "p"})
		_, errPush := client.PushPack(t.Context(), "it", packFiles("3.0.0"))
		for _, err := range []error{errResolve, errPush} {
			if !errors.Is(err, registry.ErrUnauthorized) {
				t.Errorf("password %q: got %v; want ErrUnauthorized", secret, err)
			}
		}
	}
}

// The 199 packs of the catalogue have the same digests on every registry.
func TestRealPacks(t *testing.T) {
	dir := realpacks.Dir(t)
	folders, err := filepath.Glob(filepath.Join(dir, "*", "pack.json"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no packs in %s: %v", dir, err)
	}
	digests := map[string]string{}
	all := servers(t)
	for _, name := range []string{"distribution", "docker-registry 2.8"} {
		s, ok := all[name]
		if !ok {
			continue
		}
		client := s.client(t)
		pushed := 0
		for _, file := range folders {
			folder := filepath.Dir(file)
			pin, err := client.PushPack(t.Context(), "it", os.DirFS(folder))
			if errors.As(err, new(*pack.Error)) {
				t.Logf("%s: %v", folder, err) // package pack says which may not open
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", folder, err)
				continue
			}
			pushed++
			key := pin.Name + "@" + pin.Version
			if digests[key] == "" {
				digests[key] = pin.Digest.String()
			}
			if digests[key] != pin.Digest.String() {
				t.Errorf("%s: %s and %s", key, digests[key], pin.Digest)
			}
			got, err := client.Resolve(t.Context(), layer.Ref{Format: layer.FormatPack, Name: pin.Name, Version: pin.Version})
			if err != nil || got.Digest != pin.Digest {
				t.Errorf("%s: got %v, %v", key, got, err)
				continue
			}
			if _, err := client.Fetch(t.Context(), got); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
		t.Logf("%s: %d of %d packs", name, pushed, len(folders))
	}
	if len(digests) == 0 {
		t.Error("nothing was pushed")
	}
}
