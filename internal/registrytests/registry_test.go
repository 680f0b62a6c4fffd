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
	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
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

// The 199 packs of the catalogue have the same digests on every registry, and
// are found there by version, train and constraint.
func TestRealPacks(t *testing.T) {
	dir := realpacks.Dir(t)
	folders, err := filepath.Glob(filepath.Join(dir, "*", "pack.json"))
	if err != nil || len(folders) != 199 {
		t.Fatalf("%d packs in %s: %v", len(folders), dir, err)
	}
	first := map[string]layer.Pin{} // by folder
	all := servers(t)
	for _, name := range []string{"distribution", "docker-registry 2.8"} {
		s, ok := all[name]
		if !ok {
			continue // not installed here
		}
		client := s.client(t)
		pushed := map[string][]layer.Pin{} // by the name of the pack
		for _, file := range folders {
			folder := filepath.Dir(file)
			pin, err := client.PushPack(t.Context(), "it", os.DirFS(folder))
			if err != nil {
				t.Errorf("%s: %v", folder, err)
				continue
			}
			if was, ok := first[folder]; ok && was.Digest != pin.Digest {
				t.Errorf("%s: %s and %s", folder, was.Digest, pin.Digest)
			}
			first[folder] = pin
			pushed[pin.Name] = append(pushed[pin.Name], pin)
			if _, err := client.Fetch(t.Context(), pin); err != nil {
				t.Errorf("%s: %v", folder, err)
			}
		}
		found := 0
		for _, pins := range pushed {
			found += finds(t, client, pins)
		}
		t.Logf("%s: %d packs, found in %d ways", name, len(first), found)
	}
}

// finds resolves all versions of a pack by their names, by the trains that they
// lead, and by constraints, and returns how often it did.
func finds(t *testing.T, client *registry.Client, pins []layer.Pin) (found int) {
	t.Helper()
	var tags []string
	for _, pin := range pins {
		tags = append(tags, version.ToTag(pin.Version))
	}
	for i, pin := range pins {
		queries := append(version.Leads(tags[i], tags), pin.Version)
		for _, constraint := range []string{"~" + pin.Version, ">=" + pin.Version} {
			if best, err := version.Select(constraint, tags); err == nil && len(best) > 0 && best[0] == tags[i] {
				queries = append(queries, constraint)
			}
		}
		for _, q := range queries {
			got, err := client.Resolve(t.Context(), layer.Ref{Format: layer.FormatPack, Name: pin.Name, Version: q})
			if err != nil || got.Digest != pin.Digest {
				t.Errorf("%s %q: got %v, %v; want %s", pin.Name, q, got, err, pin.Digest)
			}
			found++
		}
	}
	return found
}
