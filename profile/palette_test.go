package profile_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// The form is that of an export; what is in it is made up.
const paletteExport = `{
  "metadata": {"name": "Web Shop", "description": "shop \ud83d\uded2", "labels": {"team": "shop"}, "uid": "63"},
  "spec": {
    "version": "1.2.0",
    "template": {"type": "cluster", "cloudType": "aws", "packs": [
      {"name": "ubuntu-aws", "type": "oci", "layer": "os", "version": "24.04", "tag": "24.04", "values": "# nothing\n",
       "registry": {"metadata": {"uid": "u1", "name": "Palette Registry", "kind": "oci", "isPrivate": true, "providerType": "pack", "isSyncSupported": true}}},
      {"name": "kubernetes", "type": "spectro", "layer": "k8s", "version": "1.33.9", "tag": "1.33.x",
       "values": "# spectrocloud.com/enabled-presets: Kube Controller Manager:loopback-ctrlmgr,Kube Scheduler:loopback-scheduler\npack:\n  podCIDR: \"192.168.0.0/16\" # pods\n",
       "registry": {"metadata": {"uid": "u2", "name": "Public Repo", "kind": "pack", "isPrivate": false, "isSyncSupported": true}}},
      {"name": "cni-calico", "type": "oci", "layer": "cni", "version": "3.31.4", "tag": "3.31.4", "values": "", "registry": {"metadata": {"uid": "u1", "name": "Palette Registry", "kind": "oci"}}},
      {"name": "csi-aws-ebs", "type": "oci", "layer": "csi", "version": "1.57.1", "tag": "1.57.1", "values": "", "registry": {"metadata": {"uid": "u1", "name": "Palette Registry", "kind": "oci"}},
       "manifests": [{"name": "storage class", "content": "kind: StorageClass\n"}]},
      {"name": "dns-1--coredns", "type": "oci", "layer": "addon", "version": "1.0.0", "tag": "1.0.0",
       "values": "pack:\n  namespace: dns\n  spectrocloud.com/install-priority: \"-5\"\n", "registry": {"metadata": {"uid": "u1", "name": "Palette Registry", "kind": "oci"}}},
      {"name": "nginx", "type": "helm", "layer": "addon", "version": "15.0.0", "tag": "15.x",
       "values": "pack:\n  namespace: web\n  content: {images: []}\n  releaseNameOverride:\n    nginx: front\ncharts:\n  nginx:\n    # how many\n    replicas: '{{.spectro.var.replicas}}'\n  other: {a: 1}\n",
       "registry": {"metadata": {"uid": "u3", "name": "Bitnami", "kind": "helm"}}},
      {"name": "init", "type": "oci", "layer": "addon", "tag": "0.1.0", "values": "", "registry": {"metadata": {"uid": "u4", "name": "Zarf", "kind": "oci", "providerType": "zarf"}}},
      {"name": "extras", "type": "manifest", "layer": "addon", "values": "pack:\n  spectrocloud.com/install-priority: \"7\"\n", "manifests": [{"name": "quota", "content": "kind: ResourceQuota\n"}]},
      {"name": "old", "type": "oci", "layer": "kernel", "values": ""}
    ]},
    "variables": [
      {"name": "replicas", "displayName": "Replicas", "format": "number", "inputType": "dropdown", "defaultValue": "two", "required": true,
       "options": [{"value": "2", "label": "two"}, {"value": "3", "label": "three", "description": "more"}]},
      {"name": "token", "isSensitive": true, "defaultValue": "********"}
    ]
  }
}`

func paletteOptions() profile.PaletteOptions {
	return profile.PaletteOptions{Registries: []profile.PaletteRegistry{
		{Registry: "palette", UID: "u1", Name: "Palette Registry", Kind: "oci", ProviderType: "pack", IsPrivate: true, IsSyncSupported: true},
		{Registry: "public", Name: "Public Repo", UID: "u2", Kind: "pack", IsSyncSupported: true},
		{Registry: "https://charts.example.com/bitnami", UID: "u3", Name: "Bitnami", Kind: "helm"},
	}}
}

func TestImportPalette(t *testing.T) {
	t.Parallel()
	p, notes, err := profile.ImportPalette([]byte(paletteExport), paletteOptions())
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Format()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != importedProfile {
		t.Errorf("the profile is\n%s", got)
	}
	if got := noteText(notes); got != importNotes {
		t.Errorf("the notes are\n%s", got)
	}
}

func noteText(notes []profile.Note) string {
	lines := make([]string, len(notes))
	for i, n := range notes {
		lines[i] = n.String()
	}
	return strings.Join(lines, "\n")
}

// What was imported and exported is imported as the same, from both encodings.
func TestPaletteRoundTrip(t *testing.T) {
	t.Parallel()
	first, _, err := profile.ImportPalette([]byte(paletteExport), paletteOptions())
	if err != nil {
		t.Fatal(err)
	}
	for _, encoding := range []string{"json", "yaml"} {
		o := paletteOptions()
		o.Encoding = encoding
		o.Registries = append(o.Registries, profile.PaletteRegistry{Registry: "zarf", UID: "u4", Name: "Zarf", Kind: "oci", ProviderType: "zarf"})
		data, notes, err := profile.ExportPalette(first, o)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := profile.ImportPalette(data, o)
		if err != nil || !same(first, again) {
			a, _ := first.Format()
			b, _ := again.Format()
			t.Errorf("%s: %v\n%s\nbecomes\n%s\nby\n%s", encoding, err, a, b, data)
		}
		if got := noteText(notes); strings.Count(got, "only a lock says which version that is") != 2 {
			t.Errorf("the notes of the export are\n%s", got)
		}
		if encoding == "json" && !json.Valid(data) {
			t.Errorf("the export is no JSON:\n%s", data)
		}
		if second, _, err := profile.ExportPalette(again, o); err != nil || string(second) != string(data) {
			t.Errorf("%s: the second export is\n%s\nfirst\n%s", encoding, second, data)
		}
	}
}

func TestExportPalette(t *testing.T) {
	t.Parallel()
	p := &profile.Profile{
		Name: "apps", Version: "1.0.0", Type: profile.AddOn, Annotations: map[string]string{"a": "b"},
		Variables: []profile.Variable{{Name: "token", Sensitive: true, Default: "s3cr3t"}},
		Layers: []layer.Layer{
			{
				Name: "web", Namespace: "web", InstallOrder: 10, Values: "# how many\nreplicas: {{ .spectro.var.token }}\n", Adopt: layer.AdoptAlways, Keep: []string{"Secret"}, Allow: layer.Allowance{Kinds: []string{"Deployment.apps"}},
				Source: layer.Source{Helm: &layer.Helm{Registry: "oci://host/charts", Chart: "shop", Version: ">=1 <3", ReleaseName: "web"}},
			},
			{
				Name: "dns", InstallOrder: 5, Presets: map[string]string{"b": "y", "a": "x"}, Values: "a: 1 # one\npack:\n    namespace: x\n",
				Source: layer.Source{Pack: &layer.Pack{Name: "dns", Version: "~1.33", Strategy: layer.NewestPatch}},
			},
		},
	}
	data, notes, err := profile.ExportPalette(p, profile.PaletteOptions{Lock: &profile.Lock{Layers: []profile.LockedLayer{{Layer: "web", Pin: layer.Pin{Ref: p.Layers[0].Ref(), Resolved: "2.1.0"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != exportedPalette {
		t.Errorf("the export is\n%s", data)
	}
	if got := noteText(notes); got != exportNotes {
		t.Errorf("the notes are\n%s", got)
	}
}

func TestPaletteErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, data, want string }{
		{"syntax", `{"metadata": `, "invalid YAML"},
		{"type of a field", `{"spec": {"template": {"packs": {}}}}`, "spec.template.packs: is a mapping, want a list"},
		{"type of the profile", `{"spec": {"template": {"type": "system"}}}`, `spec.template.type: is "system"; want cluster, infra or add-on`},
		{"not valid here", `{"metadata": {"name": "a"}, "spec": {"version": "v1", "template": {"type": "add-on", "packs": []}}}`, `is "v1"; want a semantic version`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := profile.ImportPalette([]byte(tt.data), profile.PaletteOptions{})
			if _, ok := errors.AsType[*profile.Error](err); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
	if _, _, err := profile.ExportPalette(&profile.Profile{}, profile.PaletteOptions{}); !errors.Is(err, profile.ErrInvalid) {
		t.Errorf("an invalid profile is exported: %v", err)
	}
	p := &profile.Profile{Name: "a", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{{Name: "a", Source: layer.Source{Pack: &layer.Pack{Name: "a"}}}}}
	if _, _, err := profile.ExportPalette(p, profile.PaletteOptions{Encoding: "toml"}); err == nil || !strings.Contains(err.Error(), "want json or yaml") {
		t.Errorf("an unknown encoding gives %v", err)
	}
}

func FuzzImportPalette(f *testing.F) {
	f.Add(paletteExport)
	f.Add("metadata: {name: a}\nspec: {template: {type: add-on, packs: [{name: b, type: helm, layer: addon, values: 'pack: {namespace: {}}'}]}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, _, err := profile.ImportPalette([]byte(text), profile.PaletteOptions{})
		if err != nil {
			return
		}
		o := profile.PaletteOptions{}
		for _, l := range p.Layers {
			o.Registries = append(o.Registries, profile.PaletteRegistry{Registry: l.Ref().Registry, Name: l.Ref().Registry, Kind: "oci", ProviderType: string(l.Format())})
		}
		if _, _, err := profile.ExportPalette(p, o); err != nil {
			t.Errorf("what was imported cannot be exported: %v", err)
		}
	})
}

const importedProfile = `apiVersion: strata.dev/v1alpha1
kind: ClusterProfile
metadata:
  name: web-shop
  description: "shop \U0001F6D2"
  labels:
    team: shop
spec:
  version: 1.2.0
  type: full
  cloudType: aws
  variables:
  - name: replicas
    displayName: Replicas
    format: number
    inputType: dropdown
    options:
    - value: "2"
      label: two
    - value: "3"
      label: three
      description: more
    default: "2"
    required: true
  - name: token
    sensitive: true
  layers:
  - name: ubuntu-aws
    kind: os
    pack:
      registry: palette
      name: ubuntu-aws
      version: "24.04"
    values: |
      # nothing
  - name: kubernetes
    kind: kubernetes
    pack:
      registry: public
      name: kubernetes
      version: 1.33.x
    values:
      pack:
        podCIDR: "192.168.0.0/16" # pods
    presets:
      Kube Controller Manager: loopback-ctrlmgr
      Kube Scheduler: loopback-scheduler
  - name: cni-calico
    kind: network
    pack:
      registry: palette
      name: cni-calico
      version: 3.31.4
  - name: csi-aws-ebs
    kind: storage
    pack:
      registry: palette
      name: csi-aws-ebs
      version: 1.57.1
    attachedManifests:
    - name: storage-class
      content: |
        kind: StorageClass
  - name: dns-1
    kind: add-on
    installOrder: -5
    pack:
      registry: palette
      name: coredns
      version: 1.0.0
    values:
      pack:
        namespace: dns
        spectrocloud.com/install-priority: "-5"
  - name: nginx
    kind: add-on
    namespace: web
    helm:
      registry: https://charts.example.com/bitnami
      chart: nginx
      version: 15.x
      releaseName: front
    values:
      # how many
      replicas: '{{.spectro.var.replicas}}'
  - name: init
    kind: add-on
    zarf:
      registry: zarf
      package: init
      version: 0.1.0
  - name: extras
    kind: add-on
    installOrder: 7
    manifests:
      inline:
      - name: quota
        content: |
          kind: ResourceQuota
`

const importNotes = `metadata.uid: is not known, and left out
metadata.name: "Web Shop" is no DNS label; it is named "web-shop" here
spec.variables[1].defaultValue: is masked; set the default of "token" again
spec.template.packs[1].version: is "1.33.9", what "1.33.x" meant then; resolving finds what it means now, and the lock keeps it
spec.template.packs[3].manifests[0].name: "storage class" is no DNS label; it is named "storage-class" here
spec.template.packs[5].version: is "15.0.0", what "15.x" meant then; resolving finds what it means now, and the lock keeps it
spec.template.packs[5].values.pack.content: is an option of packs, and left out of this layer
spec.template.packs[5].values.charts.other: is read by no chart, and left out
spec.template.packs[6].registry.metadata: the registry "Zarf" (uid u4) is not in the options; it is called "zarf" here
spec.template.packs[8].layer: there is no layer "kernel" here; the pack "old" is left out
spec.template.packs: the values of packs are whole documents in Palette, and are laid over the pack's own here: a key that was deleted in Palette comes back, unless it is null`

const exportedPalette = `{
  "metadata": {
    "name": "apps",
    "description": "",
    "labels": {}
  },
  "spec": {
    "version": "1.0.0",
    "template": {
      "type": "add-on",
      "cloudType": "all",
      "packs": [
        {
          "name": "web--shop",
          "type": "oci",
          "layer": "addon",
          "version": "2.1.0",
          "tag": "",
          "values": "charts:\n  shop:\n    # how many\n    replicas: {{ .spectro.var.token }}\npack:\n  namespace: web\n  releaseNameOverride:\n    shop: web\n  spectrocloud.com/install-priority: \"10\"\n",
          "registry": {
            "metadata": {
              "uid": "",
              "name": "oci://host/charts",
              "kind": "oci",
              "isPrivate": false,
              "isSyncSupported": false,
              "providerType": "helm"
            }
          }
        },
        {
          "name": "dns",
          "type": "oci",
          "layer": "addon",
          "version": "",
          "tag": "1.33.x",
          "values": "# spectrocloud.com/enabled-presets: a:x,b:y\na: 1 # one\npack:\n  namespace: x\n  spectrocloud.com/install-priority: \"5\"\n",
          "registry": {
            "metadata": {
              "uid": "",
              "name": "",
              "kind": "oci",
              "isPrivate": false,
              "isSyncSupported": false,
              "providerType": "pack"
            }
          }
        }
      ]
    },
    "variables": [
      {
        "name": "token",
        "isSensitive": true
      }
    ]
  }
}
`

const exportNotes = `metadata.annotations.a: there are no annotations in what Palette imports
spec.variables[0].default: is sensitive, and left out; set it in Palette
spec.layers[0].helm.version: Palette has no constraints like ">=1 <3", only versions and trains such as 1.2.x
spec.layers[0].helm.registry: the registry "oci://host/charts" is not in the options; choose one in Palette
spec.layers[0].adopt: Palette has no such option
spec.layers[0].keep: Palette has no such option
spec.layers[0].allow: Palette has no such option
spec.layers[1].pack.version: is "~1.33"; only a lock says which version that is, and Palette wants to know
spec.layers[1].pack.strategy: Palette always takes the newest version
spec.layers[1].pack.registry: names no registry; choose one in Palette
spec.layers[1].values: are laid over the pack's own here, and are the whole document in Palette; complete them there`
