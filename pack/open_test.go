package pack_test

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
)

// dir makes a file system of name, content, name, content, ...
func dir(files ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fsys
}

const full = `{
  "name": "my-pack", "displayName": "My Pack", "layer": "csi", "version": "24.04+1", "unknown": [{}],
  "cloudTypes": ["aws", "gcp"], "cloudType": "maas", "addonType": "storage", "addonSubType": "block",
  "group": "LTS", "eol": "2027-01-31", "annotations": {"source": "community", "osName": "x"},
  "charts": ["charts/b.tgz", "./charts/a.tgz"], "kubeManifests": ["manifests/deep/m.yaml"], "ansibleRoles": ["r"],
  "constraints": {
    "dependencies": [
      {"packName": "kubernetes", "layer": "k8s", "type": "required", "minVersion": "1.27", "maxVersion": ""},
      {"packName": "old", "layer": "addon"}],
    "resources": [
      {"type": "cpu", "minLimit": 1500},
      {"type": "memory", "components": [
        {"resourceRequestParamRef": "charts.a.mem", "replicaCountParamRef": "charts.a.n", "scheduleType": "worker"}]}]
  }
}`

func TestOpen(t *testing.T) {
	t.Parallel()
	fsys := dir("pack.json", full, "values.yaml", "# kept\npack: {}\n",
		"charts/a.tgz", "a", "charts/b.tgz", "b", "manifests/deep/m.yaml", "m")
	p, err := pack.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	want := pack.Pack{
		Name: "my-pack", DisplayName: "My Pack", Layer: "csi", Kind: layer.Storage, Version: "24.04+1",
		CloudTypes: []string{"aws", "gcp", "maas"}, AddonType: "storage", AddonSubType: "block",
		Group: "LTS", EndOfLife: "2027-01-31", Annotations: map[string]string{"source": "community", "osName": "x"},
		Charts: []string{"charts/b.tgz", "charts/a.tgz"}, Manifests: []string{"manifests/deep/m.yaml"},
		AnsibleRoles: []string{"r"},
		Constraints: pack.Constraints{
			Dependencies: []pack.Dependency{
				{Pack: "kubernetes", Kind: layer.Kubernetes, Type: pack.Required, MinVersion: "1.27"},
				{Pack: "old", Kind: layer.AddOn},
			},
			Resources: []pack.Resource{
				{Type: "cpu", MinLimit: 1500},
				{Type: "memory", Components: []pack.Component{
					{RequestPath: "charts.a.mem", ReplicasPath: "charts.a.n", Schedule: "worker"}}},
			},
		},
		Values: []byte("# kept\npack: {}\n"),
	}
	got, expected := reflect.ValueOf(*p), reflect.ValueOf(want)
	for i := range got.NumField() {
		field := got.Type().Field(i)
		if field.IsExported() && !reflect.DeepEqual(got.Field(i).Interface(), expected.Field(i).Interface()) {
			t.Errorf("%s = %v, want %v", field.Name, got.Field(i), expected.Field(i))
		}
	}
	if data, err := fs.ReadFile(p.FS(), "charts/a.tgz"); err != nil || string(data) != "a" {
		t.Errorf("charts/a.tgz = %q, %v", data, err)
	}
}

const minimal = `{"name": "p", "displayName": "P", "layer": "os", "version": "v1"}`

func TestOpenMinimal(t *testing.T) {
	t.Parallel()
	for name, fsys := range map[string]fs.FS{
		"at the top":          dir("pack.json", minimal),
		"in the only folder":  dir("p-1/pack.json", minimal, "._p-1", ""),
		"with empty values":   dir("pack.json", minimal, "values.yaml", ""),
		"nulls instead":       dir("pack.json", strings.Replace(minimal, "{", `{"charts": null, "annotations": null, "group": null, `, 1)),
		"kernel is the OS":    dir("pack.json", strings.Replace(minimal, `"os"`, `"kernel"`, 1)),
		"with \\u escapes":    dir("pack.json", strings.Replace(minimal, `"p"`, `"\u0070"`, 1)),
		"with white space":    dir("pack.json", "\r\n\t "+minimal+" \n\n"),
		"with a nested value": dir("pack.json", strings.Replace(minimal, "{", `{"other": {"name": [[1]]}, `, 1)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := pack.Open(fsys)
			if err != nil {
				t.Fatal(err)
			}
			if p.Name != "p" || p.Version != "v1" || p.Kind != layer.OS || len(p.Values) > 0 {
				t.Errorf("got %+v", p)
			}
			if _, err := fs.Stat(p.FS(), "pack.json"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenReportsAll(t *testing.T) {
	t.Parallel()
	const broken = `{
  "name": "../Pack",
  "displayName": 7,
  "layer": "disk",
  "charts": ["charts/gone.tgz", "../out.tgz", "folder", 3],
  "kubeManifests": "m.yaml",
  "annotations": {"a": true, "b": "fine"},
  "constraints": {
    "dependencies": [{"layer": "addon", "type": "maybe"}, "k8s"],
    "resources": [{"type": "cpu", "minLimit": "1"}]
  }
}`
	const want = `pack.json:1:1: version: required, but missing
pack.json:2:11: name: "../Pack" cannot name a pack: want lower-case letters and digits, with . _ or - between them
pack.json:3:18: displayName: want a string, not a number
pack.json:4:12: layer: "disk" is not a layer: want os, kernel, k8s, cni, csi or addon
pack.json:5:33: charts[1]: file "../out.tgz": not a path inside the pack
pack.json:5:47: charts[2]: file "folder": not a regular file
pack.json:5:57: charts[3]: want a string, not a number
pack.json:6:20: kubeManifests: want a list, not a string
pack.json:7:24: annotations.a: want a string, not true or false
pack.json:9:22: constraints.dependencies[0].packName: required, but missing
pack.json:9:49: constraints.dependencies[0].type: "maybe" is not a dependency type: want required, optional, notSupported or upgrade
pack.json:9:59: constraints.dependencies[1]: want an object, not a string
pack.json:10:47: constraints.resources[0].minLimit: want a number, not a string
values.yaml: not a regular file`
	_, err := pack.Open(dir("pack.json", broken, "folder/file", "", "values.yaml/file", ""))
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	var first *pack.Error
	if !errors.As(err, &first) || first.Field != "version" || first.Line != 1 {
		t.Errorf("first error: %+v", first)
	}
}

// A pack that names files which are not there can be read, and says so.
func TestComplete(t *testing.T) {
	t.Parallel()
	named := strings.Replace(minimal, "{", `{"charts": ["gone.tgz", "c.tgz"], "kubeManifests": ["gone.yaml"], `, 1)
	p, err := pack.Open(dir("pack.json", named, "c.tgz", ""))
	if err != nil {
		t.Fatal(err)
	}
	err = p.Complete()
	const want = `pack.json:1:13: charts[0]: file "gone.tgz": file does not exist
pack.json:1:53: kubeManifests[0]: file "gone.yaml": file does not exist`
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if _, problems := pack.Check(p.FS()); !strings.Contains(fmt.Sprint(problems), strings.Split(want, "\n")[1]) {
		t.Errorf("Check: %v", problems)
	}
	if p, err = pack.Open(dir("pack.json", named, "c.tgz", "", "gone.tgz", "", "gone.yaml", "")); err != nil || p.Complete() != nil {
		t.Errorf("got %v, %v", err, p.Complete())
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ json, want string }{
		"nothing":        {"", "pack.json:1:1: the JSON value is cut off"},
		"cut off":        {"{\n \"name\": \"p\",", "pack.json:2:14: the JSON value is cut off"},
		"not JSON":       {"{\n  name: 1}", "pack.json:2:3: invalid character 'n'"},
		"missing comma":  {"{\"a\": 1\n \"b\": 2}", "pack.json:2:2: invalid character '\"' after object key:value pair"},
		"two values":     {minimal + "\n{}", "pack.json:2:1: something follows the JSON value"},
		"no object":      {`["name"]`, "pack.json:1:1: want an object, not a list"},
		"key twice":      {"{\"name\": \"a\",\n\"name\": \"b\"}", `pack.json:2:9: key "name" occurs twice`},
		"nested deeply":  {strings.Repeat("[", 100_000), "nested deeper than 32"},
		"larger than 1M": {strings.Repeat(" ", 1<<20) + minimal, "pack.json: larger than 1 MiB"},
		"no name":        {strings.Replace(minimal, `"p"`, `""`, 1), "pack.json:1:10: name: required, but empty"},
		"path as name":   {strings.Replace(minimal, `"p"`, `"a/b"`, 1), "cannot name a pack"},
		"bad version":    {strings.Replace(minimal, `"v1"`, `"1/../2"`, 1), "cannot be a version"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pack.Open(dir("pack.json", test.json))
			var e *pack.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v; want %s", err, test.want)
			}
		})
	}
	t.Run("no pack.json", func(t *testing.T) {
		t.Parallel()
		if _, err := pack.Open(dir("a/pack.json", minimal, "b/c", "")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v; want fs.ErrNotExist", err)
		}
	})
	t.Run("chart is a link", func(t *testing.T) {
		t.Parallel()
		fsys := dir("pack.json", strings.Replace(minimal, "{", `{"charts": ["c.tgz"], `, 1))
		fsys["c.tgz"] = &fstest.MapFile{Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink}
		if _, err := pack.Open(fsys); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(minimal))
	f.Add([]byte(`{"charts": [["]"]], "constraints": {"dependencies": [null]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := pack.Open(dir("pack.json", string(data), "charts/a.tgz", "", "m", ""))
		var e *pack.Error
		switch {
		case err != nil && (p != nil || !errors.As(err, &e)):
			t.Errorf("got %v with the error %v", p, err)
		case err == nil && (p.Name == "" || p.Version == "" || !p.Kind.Valid() || strings.ContainsAny(p.Name, "/\\")):
			t.Errorf("invalid pack %+v", p)
		}
	})
}
