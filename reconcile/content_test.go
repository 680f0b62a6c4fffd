package reconcile_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/registry/registrytest"
)

// files makes a file system of names and contents.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1]), Mode: 0o644}
	}
	return fsys
}

// packed returns a chart as helm package makes it.
func packed(t *testing.T, name string, chart fstest.MapFS) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, file := range slices.Sorted(maps.Keys(chart)) {
		data := chart[file].Data
		if err := w.WriteHeader(&tar.Header{Name: name + "/" + file, Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// plainPack is a pack without charts and manifests: it describes only.
func plainPack(name, version, layer string) fstest.MapFS {
	return files("pack.json", fmt.Sprintf(`{"name": %q, "displayName": %q, "version": %q, "layer": %q, "cloudTypes": ["all"]}`, name, name, version, layer), "values.yaml", "")
}

// networkPack has a manifest that is a template.
func networkPack(version string) fstest.MapFS {
	return files(
		"pack.json", fmt.Sprintf(`{"name": "policies", "displayName": "Policies", "version": %q, "layer": "cni", "cloudTypes": ["all"], "kubeManifests": ["manifests/deny.yaml"]}`, version),
		"values.yaml", "pack:\n  namespace: net\nmanifests:\n  deny:\n    name: deny-all\n",
		"manifests/deny.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {{ .Values.name }}\nspec:\n  podSelector: {}\n",
	)
}

func storagePack(name string) fstest.MapFS {
	return files(
		"pack.json", fmt.Sprintf(`{"name": %q, "displayName": "Storage", "version": "1.0.0", "layer": "csi", "cloudTypes": ["all"], "kubeManifests": ["manifests/class.yaml"]}`, name),
		"values.yaml", "",
		"manifests/class.yaml", "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata:\n  name: "+name+"\nprovisioner: example.com/"+name+"\n",
	)
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      containers:
      - name: main
        image: registry.k8s.io/pause:3.10
        ports: [{containerPort: 80}]
`

// webChart is a chart with a Deployment, a Service and a ConfigMap.
func webChart(version, text string) fstest.MapFS {
	return files(
		"Chart.yaml", fmt.Sprintf("apiVersion: v2\nname: web\nversion: %s\nappVersion: %q\n", version, version),
		"values.yaml", "replicas: 1\n",
		"templates/deployment.yaml", deployment,
		"templates/service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\nspec:\n  selector: {app: {{ .Release.Name }}}\n  ports: [{port: 80}]\n",
		"templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata:\n  text: "+text+"\n",
		"templates/NOTES.txt", "It says "+text+".\n",
	)
}

// appPack has a chart and a plain manifest.
func appPack(t *testing.T) fstest.MapFS {
	chart := files(
		"Chart.yaml", "apiVersion: v2\nname: cache\nversion: 0.1.0\n",
		"values.yaml", "replicas: 1\n",
		"templates/deployment.yaml", deployment,
	)
	return files(
		"pack.json", `{"name": "app", "displayName": "App", "version": "2.1.0", "layer": "addon", "cloudTypes": ["all"], "charts": ["charts/cache-0.1.0.tgz"], "kubeManifests": ["manifests/settings.yaml"]}`,
		"values.yaml", "pack:\n  namespace: app\ncharts:\n  cache:\n    replicas: 2\n",
		"manifests/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: fast}\n",
		"charts/cache-0.1.0.tgz", packed(t, "cache", chart),
	)
}

// push pushes what the profiles below need.
func push(t *testing.T, server *registrytest.Server) {
	t.Helper()
	c := server.Client()
	packs := []fs.FS{
		plainPack("ubuntu", "22.04", "os"), plainPack("kubernetes", "1.36.3", "k8s"), networkPack("1.0.0"), networkPack("1.1.0"),
		storagePack("fast"), storagePack("slow"), appPack(t),
	}
	for _, p := range packs {
		if _, err := c.PushPack(t.Context(), server.URL, p); err != nil {
			t.Fatal(err)
		}
	}
	for _, chart := range []fs.FS{webChart("1.0.0", "hello"), webChart("1.0.1", "hello"), webChart("1.1.0", "goodbye")} {
		if _, err := c.PushChart(t.Context(), server.URL, chart); err != nil {
			t.Fatal(err)
		}
	}
}

const infraProfile = `apiVersion: strata.dev/v1alpha1
kind: ClusterProfile
metadata:
  name: infra
spec:
  version: 1.0.0
  type: infrastructure
  layers:
  - {name: os, kind: os, pack: {name: ubuntu, version: "22.04"}}
  - {name: kubernetes, kind: kubernetes, pack: {name: kubernetes, version: 1.36.x}}
  - {name: policies, kind: network, namespace: PREFIX-net, pack: {name: policies, version: ^1}}
  - name: storage
    kind: storage
    pack: {name: STORAGE, version: 1.x}
`

const addonProfile = `apiVersion: strata.dev/v1alpha1
kind: ClusterProfile
metadata:
  name: apps
spec:
  version: 1.0.0
  type: add-on
  variables:
  - {name: replicas, format: number, default: "2"}
  - {name: token, sensitive: true, required: true}
  layers:
  - name: types
    installOrder: -10
    manifests:
      inline:
      - name: gadgets
        content: |
          apiVersion: apiextensions.k8s.io/v1
          kind: CustomResourceDefinition
          metadata: {name: gadgets.PREFIX.example.com}
          spec:
            group: PREFIX.example.com
            scope: Namespaced
            names: {kind: Gadget, plural: gadgets, singular: gadget}
            versions:
            - name: v1
              served: true
              storage: true
              schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
          ---
          apiVersion: PREFIX.example.com/v1
          kind: Gadget
          metadata: {name: first, namespace: default}
          size: 3
  - name: web
    namespace: PREFIX-web
    helm: {chart: web, version: ~1.0}
    values:
      replicas: {{ .spectro.var.replicas }}
  - name: app
    namespace: PREFIX-app
    pack: {name: app}
  - name: extras
    installOrder: 10
    namespace: PREFIX-web
    manifests:
      inline:
      - name: secret
        content: |
          apiVersion: v1
          kind: Secret
          metadata: {name: token}
          stringData:
            token: '{{ .spectro.var.token }}'
      - name: job
        content: |
          apiVersion: batch/v1
          kind: Job
          metadata: {name: migrate}
          spec:
            backoffLimit: 0
            template:
              spec:
                restartPolicy: Never
                containers: [{name: main, image: registry.k8s.io/pause:3.10}]
`

// secretToken is the value of the sensitive variable. It must be seen nowhere.
const secretToken = "correct-horse-battery"

// stack returns the stack of the two profiles above, changed by replacing.
func stack(t *testing.T, prefix string, replacements ...string) *profile.Stack {
	t.Helper()
	replacements = append(replacements, "PREFIX", prefix, "STORAGE", "fast")
	var profiles []*profile.Profile
	for _, text := range []string{infraProfile, addonProfile} {
		p, err := profile.Parse([]byte(strings.NewReplacer(replacements...).Replace(text)))
		if err != nil {
			t.Fatal(err)
		}
		profiles = append(profiles, p)
	}
	s, err := profile.Compose(profiles...)
	if err != nil {
		t.Fatal(err)
	}
	s.Variables = map[string]string{"token": secretToken}
	return s
}

func resolve(t *testing.T, server *registrytest.Server, s *profile.Stack) *profile.Desired {
	t.Helper()
	d, err := s.Resolve(t.Context(), server.Client(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
